"""What the page on many machines shows: `book/scale.json`, which `benchmarks/scale.py` writes."""

from pathlib import Path

import pandas as pd

from .. import home
from ..files import read_json
from ..machine import in_words

READERS = ("status", "collect", "start and collect", "scoreboard")


def measured(path: Path | None = None) -> dict:
    """The measurement, as its file has it."""
    return read_json(path or home() / "book" / "scale.json")


def readers(found: dict, whole: bool = False) -> pd.DataFrame:
    """Seconds of what reads the store, by where the records are; a column for each number of records, and how many
    times as long the largest store takes as the one before it. The experiment that is asked for has few of the records,
    or is the `whole` store."""
    rows = pd.DataFrame(found["rows"])
    rows = rows[rows.asked == (rows.records if whole else rows.asked.min())]
    rows = rows.melt(["records", "store"], [*READERS], "command", "seconds")
    table = rows.pivot(index=["command", "store"], columns="records", values="seconds")
    growth = f"{table.columns[-1]:,} over {table.columns[-2]:,}"
    ratio = (table.iloc[:, -1] / table.iloc[:, -2]).map("{:.1f}".format)
    shown = table.rename(columns="{:,} records".format).rename_axis(columns=None)
    return shown.round(3).assign(**{growth: ratio}).loc[[*READERS]]


def engine(found: dict) -> pd.DataFrame:
    """Milliseconds that a sweep takes for each run besides its training, a row for each number of runs."""
    rows = pd.DataFrame(found["rows"]).drop_duplicates("records").set_index("records")
    rows.index = rows.index.map("{:,}".format)
    return rows[["engine_ms"]].rename(columns={"engine_ms": "milliseconds a run"}).round(1)


def findings(found: dict) -> dict[str, str]:
    """What the prose says."""
    rows = pd.DataFrame(found["rows"])
    largest = rows[rows.records == rows.records.max()]
    few, all_of_them = (largest[largest.asked == asked] for asked in (rows.asked.min(), rows.records.max()))
    said = {name: in_time(few[name].max()) for name in READERS}
    said |= {f"{name}_of_all": in_time(all_of_them[name].max()) for name in READERS}
    said["asked"] = f"{rows.asked.min():,}"
    said |= {"records": f"{rows.records.max():,}", "least": f"{rows.records.min():,}", "date": found["date"]}
    costs = rows.engine_ms
    return said | {"machine": in_words(found["machine"]), "engine": f"{costs.min():.1f} to {costs.max():.1f}"}


def in_time(seconds: float) -> str:
    """A time in words: `1.1 seconds`, `1.0 milliseconds`."""
    return f"{seconds:.2g} seconds" if seconds >= 0.01 else f"{1000 * seconds:.1f} milliseconds"
