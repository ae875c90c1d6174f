"""An experiment: a table of sizes by tier, and the function that makes runs of a size."""

from collections.abc import Callable
from typing import NamedTuple

from ..inputs import conform, lookup, require
from ..records import Run

TIERS = ("smoke", "laptop", "gpu", "paper")

# what may be set in place of a tier's own size, where the experiment has it
KNOBS = {
    "dataset": str,
    "models": list[str],
    "methods": list[str],
    "qs": list[float],
    "ks": list[float],
    "smoothings": list[float],
    "temperatures": list[float],
    "uniform": list[float],
    "dependent": list[float],
    "alphas": list[float],
    "deltas": list[float],
    "orders": list[str],
    "carriers": list[str],
    "examples": list[int],
    "batches": list[int],
    "schedules": list[str],
    "lrs": list[float],
    "lr": float,
    "seeds": int,
    "steps": int,
}


class Experiment(NamedTuple):
    name: str
    tiers: dict[str, dict]
    what: str
    make: Callable[[dict], list[Run]]

    def knobs(self, tier: str) -> dict:
        """Name and type of what may be set."""
        size = self.tiers[tier]
        return {k: v for k, v in KNOBS.items() if k == "steps" or k in size and not (k == "lr" and "lrs" in size)}

    def __call__(self, tier: str, **own) -> list[Run]:
        """The runs of a tier, after what the caller sets in place of its own sizes."""
        known = self.knobs(lookup("tier", tier, TIERS))
        for key, value in own.items():
            lookup(f"parameter of {self.name}", key, known)
            conform(key, value, known[key])
            require(value != [], f"{key} must not be empty")
        return self.make(self.tiers[tier] | own)
