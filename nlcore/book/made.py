"""How one number is made, stop by stop: the run, its record, the frame, the rule, the effect."""

import pandas as pd

from .. import papers
from ..measures.evaluate import select
from ..noise import Uniform
from ..papers import scoreboard
from ..papers.effects import in_words
from ..runs import Record, Run, frame, store

PAPER, NAME, CLAIM = "rolnick2017", "uniform", "A1"
SHOWN = {"epoch": "epochs", "test_accuracy": "test accuracy", "noisy_validation": "noisy validation"}


def followed() -> list[Run]:
    """The runs behind the number, a seed each: a small conv net with 100 random labels for each clean one."""
    every = papers.runs(f"{PAPER}.{NAME}", "laptop")
    return [run for run in every if run.model == "conv_small" and run.noise == Uniform(100.0)]


def record_of(run: Run) -> Record:
    """The published record of a run."""
    return store.load_published(PAPER)[run.key]


def told_of(record: Record) -> pd.DataFrame:
    """What a record says of its run, and on which line of which file."""
    line = sorted(store.load_published(PAPER)).index(record.key) + 1  # records are sorted by their keys
    labels = record.card
    said = {
        "where it stands": f"book/records/{PAPER}.jsonl, line {line}",
        "labels that were drawn": f"{labels['pairs']:,}, of which {100 * labels['realised_rate']:.2f} % are wrong",
        "hash of these labels": labels["labels_sha256"][:16],
        "evaluations": str(len(record.history)),
        "seconds of training": f"{record.cost['seconds']:.1f}",
        "device": record.cost["device"],
        "libraries": f"Python {record.environment['python']}, torch {record.environment['torch']}",
        "golden runs that it rests on": str(len(record.golden.split())),
    }
    return pd.DataFrame({"its record": said}).rename_axis("what")


def evaluations(record: Record) -> pd.DataFrame:
    """The last evaluations of a run as rows of a frame, and which of them each rule chooses."""
    rows = frame([record])
    chosen = {rule: select(rows, rule).step.item() for rule in ("last", scoreboard.NOISY)}
    rules = rows.step.map(lambda step: ", ".join(rule for rule, at in chosen.items() if at == step))
    kept = rows.assign(rule=rules)[(rules != "") | (rows.index >= len(rows) - 3)]
    table = kept[["step", *SHOWN]].round(4).rename(columns=SHOWN)
    return table.assign(**{"chosen by": kept.rule}).set_index("step")


def over_seeds(rule: str = "last") -> pd.DataFrame:
    """The number of each seed, in percent."""
    rows = select(frame([record_of(run) for run in followed()]), rule)
    table = pd.DataFrame({"key of the run": rows["key"], "test accuracy, %": (100 * rows.test_accuracy).round(2)})
    return table.set_index(rows.seed.rename("seed"))


def judged() -> dict[str, str]:
    """The effect over these seeds, its bound and the verdict, as texts for a sentence."""
    history = frame([record_of(run) for run in followed()])
    (claim,) = (claim for claim in papers.PAPERS[PAPER].CLAIMS if claim.id == CLAIM)
    rows = pd.DataFrame(scoreboard.judged(claim, history))
    row = rows[rows.own_rule].iloc[0]
    said = {"effect": in_words(row, ".1f"), "bound": f"{row.least:g}", "verdict": row.verdict, "why": row.why}
    return said | {"paper": scoreboard.number(row.papers_effect), "what": row.what, "claim": CLAIM}
