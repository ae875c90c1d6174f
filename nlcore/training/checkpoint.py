"""Checkpoints: a run that was killed goes on where it was."""

import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist

from ..files import free, whole
from . import states
from .device import device_name
from .processes import Process


class Checkpoints:
    """The states of a run under way, in files `NAME-STAGE-STEP.RANK.safetensors` of a folder.

    One is due every so many `steps` and at every evaluation or, without `steps`, when `seconds` have passed since the
    last. A state is of use to the same golden runs, kind of device and torch alone; others are named and kept aside. In
    it stands what it is `of` (without it, the name) and of which process, so that a renamed or copied file is found
    out.
    """

    def __init__(
        self, folder: Path, process: Process, name: str, golden: str, of="", steps: int = 0, seconds: float = 60.0
    ):
        self.folder, self.process, self.name = folder, process, name
        self.of = f"{of or name}, process {process.rank}"
        self.steps, self.seconds, self.written = steps, seconds, time.monotonic()
        self.stamp = f"{golden}; {device_name(process.device)}; torch {torch.__version__}"

    def due(self, step: int, evaluated: bool = False) -> bool:
        """Whether the state after `step` is one to keep."""
        if self.steps:
            return evaluated or step % self.steps == 0
        return time.monotonic() - self.written > self.seconds

    def path(self, stem: str, rank: int) -> Path:
        """Where a state of a process is."""
        return self.folder / f"{stem}.{rank}.safetensors"

    def files(self, rank: int) -> list[Path]:
        """The states of a process, the newest last."""
        return sorted(self.folder.glob(f"{self.name}-[01]-{'[0-9]' * 9}.{rank}.safetensors"))

    def save(self, state: dict) -> None:
        """One file more of this process; those before go once every process has its own."""
        rank, final_stage = self.process.rank, state["depth"] == 0
        path = self.path(f"{self.name}-{final_stage:d}-{state['done']:09d}", rank)
        with whole(path) as part:
            states.write(state | {"of": self.of, "stamp": self.stamp}, part)
        if self.process.world > 1:
            dist.barrier()
        for old in self.files(rank):
            if old != path:
                old.unlink(missing_ok=True)
        self.written = time.monotonic()

    def newest(self) -> dict | None:
        """The newest state that every process has and can read; one that is damaged or of another run is named and set
        aside."""
        ranks, state = range(self.process.world), None
        stems = [path.name.removesuffix(".0.safetensors") for path in self.files(0)]
        complete = [stem for stem in stems if all(self.path(stem, rank).exists() for rank in ranks)]
        if complete:
            state = self.load(self.path(complete[-1], self.process.rank))
        return state if self.process.all_agree(state is not None) else None

    def load(self, path: Path) -> dict | None:
        kind = ".damaged"
        try:
            state = states.read(path, self.process.device)
            if state.get("of") != self.of:
                told = "does not say that it is of this run"
            elif state["stamp"] != self.stamp:
                told, kind = f"was made {self.otherwise(state['stamp'])}", ".other"
            else:
                return state
        except (*states.DAMAGED, OSError) as error:
            told = f"is damaged ({type(error).__name__})"
        aside = free(path.with_suffix(kind))
        print(f"{path} {told}; it is set aside as {aside.name}, the run starts again", file=sys.stderr)
        path.rename(aside)
        return None

    def otherwise(self, stamp: str) -> str:
        """In words, by what else a state with another stamp was made."""
        (golden, *made), (own_golden, *ours) = stamp.split("; "), self.stamp.split("; ")
        found = [] if golden == own_golden else ["code of other golden runs"]
        found += [f"{one}, not {own}" for one, own in zip(made, ours, strict=True) if one != own]
        return "with " + " and ".join(found)

    def clear(self) -> None:
        """Remove them: the run is over, and its record is written."""
        rank = self.process.rank
        left = (f".{self.name}-*.{rank}.safetensors.*.part", f"{self.name}-[01]-*.{rank}*.other")
        for path in [*self.files(rank), *(path for kind in left for path in self.folder.glob(kind))]:
            path.unlink(missing_ok=True)
