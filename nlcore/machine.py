"""What the machine has."""

import os
import platform
from pathlib import Path

import psutil
import torch


def machine() -> dict:
    """What a time depends on, and the last digits of a number."""
    return {"cpu": processor(), "cores": cores(), "torch": torch.__version__, "python": platform.python_version()}


def in_words(about: dict) -> str:
    """What `machine` found, here or elsewhere."""
    return f"{about['cpu']}, {about['cores']} cores, torch {about['torch']}, Python {about['python']}"


def processor() -> str:
    """The name of the CPU."""
    about = Path("/proc/cpuinfo")
    for line in about.read_text().splitlines() if about.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """How many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def memory() -> int:
    """Bytes of memory, or as many as this process may have if that is less."""
    total = psutil.virtual_memory().total
    if not hasattr(psutil, "RLIMIT_AS"):  # not on Linux
        return total
    limit, _ = psutil.Process().rlimit(psutil.RLIMIT_AS)
    return total if limit == psutil.RLIM_INFINITY else min(total, limit)
