"""Checkpoints: a run that was killed goes on where it was."""

import time
from pathlib import Path

import torch
import torch.distributed as dist

from .processes import Process


class Checkpoints:
    """The states of a run under way, in files `NAME-STAGE-STEP.RANK.pt` of a folder.

    One is due every so many `steps` and at every evaluation or, without `steps`, when `seconds` have passed since the
    last. States of another `stamp`, which stands for the code that made them, are passed over.
    """

    def __init__(self, folder: Path, process: Process, name="", steps: int = 0, seconds: float = 60.0, stamp=""):
        self.folder, self.process, self.prefix = folder, process, f"{name}-" if name else ""
        self.steps, self.seconds, self.stamp, self.last = steps, seconds, stamp, time.monotonic()

    def due(self, step: int, evaluated: bool = False) -> bool:
        """Whether the state after `step` is one to keep."""
        if self.steps:
            return evaluated or step % self.steps == 0
        return time.monotonic() - self.last > self.seconds

    def files(self, rank: int) -> set[Path]:
        return {*self.folder.glob(f"{self.prefix}*.{rank}.pt")}

    def save(self, state: dict) -> None:
        """One file more of this process; those before go once every process has its own."""
        self.folder.mkdir(parents=True, exist_ok=True)
        rank, last = self.process.rank, state["depth"] == 0
        path = self.folder / f"{self.prefix}{last:d}-{state['done']:09d}.{rank}.pt"
        part = path.with_suffix(".part")
        torch.save(state | {"stamp": self.stamp}, part)
        part.rename(path)
        if self.process.world > 1:
            dist.barrier()
        for old in self.files(rank) - {path}:
            old.unlink()
        self.last = time.monotonic()

    def newest(self) -> dict | None:
        """The newest state that every process has."""
        ranks = range(self.process.world)
        whole = []
        for path in self.files(0):
            stem = path.name.removesuffix(".0.pt")
            if all((self.folder / f"{stem}.{rank}.pt").exists() for rank in ranks):
                whole.append(self.folder / f"{stem}.{self.process.rank}.pt")
        if not whole:
            return None
        state = torch.load(max(whole), map_location=self.process.device, weights_only=False)  # a file of ours
        return state if state["stamp"] == self.stamp else None

    def clear(self) -> None:
        """Remove them: the run is over."""
        for path in self.files(self.process.rank):
            path.unlink()
