"""What the page on verification shows: `book/verified.json` in, a table or words out."""

from pathlib import Path

import pandas as pd

from .. import papers
from ..files import read_json
from ..machine import in_words
from ..papers import verification
from ..runs import store

VERDICTS = ("exact", "near", "within", "differs")
REPLACED = "replaced since"  # in place of a verdict, where another record is published now than was compared


def last(path: Path | None = None) -> dict:
    """The last verification, as `nlcore verify --share` wrote it, and which of its records were replaced since."""
    found = read_json(path or verification.file())
    return found | {"rows": [row | {"verdict": REPLACED} if replaced(row) else row for row in found["rows"]]}


def replaced(row: dict) -> bool:
    """Whether the published record that a row is about is gone, or another now; of older rows that is not known."""
    if "record" not in row:
        return False
    record = store.load_published(row["experiment"].partition(".")[0]).get(row["key"])
    return record is None or verification.digest(record) != row["record"]


def shown(found: dict) -> list[str]:
    """The verdicts that a table has room for: that a record was replaced since only where one was."""
    return [*VERDICTS, *{row["verdict"] for row in found["rows"]} & {REPLACED}]


def by_experiment(found: dict) -> pd.DataFrame:
    """How many records of each experiment were trained again, with which verdicts; the largest difference of the last
    test accuracy."""
    groups = pd.DataFrame(found["rows"]).groupby("experiment", sort=False)
    table = pd.DataFrame({"trained again": groups.size()})
    for verdict in shown(found):
        table[verdict] = groups.verdict.agg(lambda verdicts, verdict=verdict: (verdicts == verdict).sum())
    table["largest, points"] = (100 * groups.difference.max()).map("{:.2f}".format)
    return table.sort_index()


def each(found: dict) -> pd.DataFrame:
    """A row for each record that was trained again, accuracies in percent."""
    table = {}
    for row in sorted(found["rows"], key=lambda row: (row["experiment"], row["run"])):
        spread = "" if row["spread"] is None else f"{100 * row['spread']:.2f}"
        numbers = {"published": row["published"], "now": row["now"], "apart": row["difference"]}
        told = {name: f"{100 * value:.2f}" for name, value in numbers.items()}
        table[f"{row['experiment']}: {row['run']}"] = told | {"between seeds": spread, "verdict": row["verdict"]}
    return pd.DataFrame(table.values(), pd.Index(table, name="run"))


def within_seeds(found: dict) -> tuple[int, int]:
    """Of how many records the difference is no larger than the spread between seeds, and of how many that is known."""
    known = [row for row in found["rows"] if row["spread"] is not None]
    return sum(row["difference"] <= row["spread"] for row in known), len(known)


def findings(found: dict) -> dict[str, str]:
    """What the prose says."""
    verdicts = [row["verdict"] for row in found["rows"]]
    counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in shown(found) if verdict in verdicts]
    passed = found["drawn"] - len(verdicts)
    told = (
        f"{passed} of them did not fit into a budget of {found['budget']:g} minutes" if passed else "all were trained"
    )
    return {
        "day": found["date"],
        "machine": in_words(found["machine"]),
        "drawn": f"{found['drawn']} of the {found['published']:,} published records of tier {found['tier']}",
        "passed": told,
        "trained": str(len(verdicts)),
        "papers": str(len({row["experiment"].partition(".")[0] for row in found["rows"]})),
        "seeds": "{} of {}".format(*within_seeds(found)),
        "labels": f"{sum(row['labels'] == 'same' for row in found['rows'])} of {len(verdicts)}",
        "verdicts": ", ".join(counts),
        "near": in_points(found["tolerances"]["near"]),
        "elsewhere": in_points(found["tolerances"]["elsewhere"]),
    }


def in_points(share: float) -> str:
    """A difference of shares in words: `1 point`."""
    return f"{100 * share:g} point" + ("" if round(100 * share, 9) == 1 else "s")


def since(found: dict) -> dict[str, str]:
    """How many records of the tier are published today, and the experiments of which none was trained again."""
    public = verification.published({name: papers.runs(name, found["tier"]) for name in papers.experiments()})
    every = {each.experiment for each in public}
    others = sorted(every - {row["experiment"] for row in found["rows"]})
    counts = {"now": f"{len(public):,}", "of": str(len(every)), "missed": str(len(others))}
    return counts | {"not_covered": ", ".join(f"`{name}`" for name in others) or "none"}
