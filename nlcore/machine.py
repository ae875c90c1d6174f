"""What the machine has."""

import psutil


def memory() -> int:
    """Bytes of memory, or as many as this process may have if that is less."""
    total = psutil.virtual_memory().total
    if not hasattr(psutil, "RLIMIT_AS"):  # not on Linux
        return total
    limit, _ = psutil.Process().rlimit(psutil.RLIMIT_AS)
    return total if limit == psutil.RLIM_INFINITY else min(total, limit)
