"""What the page on trust shows: `book/torture.json`, which `make torture` writes."""

import re
from pathlib import Path

import pandas as pd

from .. import home
from ..files import read_json
from ..inputs import counted


def tried(path: Path | None = None) -> dict:
    """The campaign, as its file has it."""
    return read_json(path or home() / "book" / "torture.json")


def trials(campaign: dict) -> pd.DataFrame:
    """A row for each trial: how often it was tried, how often it held and, if any did not, what did not or why it was
    skipped. An option is set as code, or its two dashes would become one."""
    rows = {}
    for name, row in campaign["trials"].items():
        failures = [f"seed {seed}: {told}" for seed, told in row["failures"].items()]
        remark = "; ".join(failures) or (f"not tried: {row['skipped']}" if not row["seeds"] else "")
        rows[re.sub(r"(\w+ --\w+)", r"`\1`", name)] = {
            "tried": len(row["seeds"]),
            "held": row["held"],
            "what did not hold": remark,
        }
    table = pd.DataFrame(rows.values(), pd.Index(rows, name="trial"))
    return table if (table["what did not hold"] != "").any() else table.drop(columns="what did not hold")


def findings(campaign: dict) -> dict[str, str]:
    """What the prose says."""
    table = trials(campaign)
    said = {"tried": str(table.tried.sum()), "date": campaign["date"]}
    least, most = table.tried.min(), table.tried.max()
    said["often"] = f"each {least} to {most} times" if least < most else f"each {most} times"
    said["machine"], _, said["rights"] = campaign["machine"].rpartition(", ")
    broken = table.tried.sum() - table.held.sum()
    said["held"] = "all of them held" if not broken else f"{broken} of them did not hold"
    return said | {"kinds": str(len(table)), "campaigns": counted(len(campaign["seeds"]), "campaign")}
