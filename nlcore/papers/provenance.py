"""Where the numbers of a frame come from."""

import pandas as pd

from . import command, runs


def provenance(table: pd.DataFrame, experiment: str, tier: str, knobs: dict) -> str:
    """Where the numbers of a frame (one row per run) come from, what is missing, and how to repeat them."""
    data = ", ".join(sorted(table.dataset.unique()))
    devices = ", ".join(sorted(table.device.unique()))
    size = f"{len(table)} of {len(runs(experiment, tier, **knobs))} runs at tier {tier} on {data}"
    stale = f", {table.stale.sum()} made by code that has since changed" if table.stale.any() else ""
    cost = f"{table.train_seconds.sum() / 60:.1f} minutes of training in all on {devices}"
    return f"{size}{stale};\n{cost}.\nRepeat: {command(experiment, tier, knobs)}"
