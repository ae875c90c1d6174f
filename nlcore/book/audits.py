"""What the chapter on one's own labels shows: `book/audit.json`, by `benchmarks/audit.py`, and live pictures."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import binomtest

from .. import data, figures, home, words
from ..files import read_json
from ..inputs import require
from ..machine import in_words
from ..noise import human

# the signals of the tables, and how they are called there
SIGNALS = {
    "cleanlab": "cleanlab",
    "probability": "probability",
    "margin": "margin",
    "matrix": "matrix",
    "loss": "loss",
    "neighbours": "neighbours",
    "together": "our score",
}
SHORT = [name for name in SIGNALS if name not in ("probability", "margin")]  # what fits beside the name of a case
VOTED = "voted test errors"
# the cases that sentences name
MAIN = {"mnist": "MNIST, pair, 0.05"} | {name: f"CIFAR-10, people, {name}" for name in ("worst", "aggregate")}
LOOKED = 100  # labels that somebody looks at
MEASURES = (("precision", "wrong among the first 100", "{:.0%}"), ("average", "average precision", "{:.3f}"))


def measured(path: Path | None = None) -> dict:
    """The measurement, as its file has it."""
    return read_json(path or home() / "book" / "audit.json")


def cases(found: dict, voted: bool = False) -> pd.DataFrame:
    """A row for each case and seed, called `case`: those with known truth, or those that people have voted on."""
    table = pd.DataFrame([row for row in found["rows"] if (row["noise"] == VOTED) == voted])
    return table.assign(case=table.data.map(words.said) + ", " + table.noise)


def rows(found: dict, voted: bool = False) -> pd.DataFrame:
    """The same with a row for each signal: what it found."""
    told = []
    for row in cases(found, voted).itertuples():
        told += [{"case": row.case, "seed": row.seed, "signal": name} | own for name, own in row.found.items()]
    return pd.DataFrame(told)


def wilson(share: float, count: int) -> tuple[float, float]:
    """A 95 % interval of the share in a population of which `count` were looked at (Wilson's)."""
    return binomtest(round(share * count), count).proportion_ci(method="wilson")


def precision(found: dict) -> pd.DataFrame:
    """Of the first 100 labels by each signal, how many in a hundred are wrong, with an interval: all seeds together,
    each label that was looked at counted once."""

    def cell(own: pd.DataFrame) -> str:
        low, high = wilson(own.precision.mean(), LOOKED * len(own))
        return f"{100 * own.precision.mean():.0f} ({100 * low:.0f} to {100 * high:.0f})"

    return _table(rows(found), cell, SHORT)


def average(found: dict) -> pd.DataFrame:
    """The average precision of each signal, with the standard deviation over seeds where there are some."""

    def cell(own: pd.DataFrame) -> str:
        spread = f" ± {own.average.std():.3f}" if len(own) > 1 else ""
        return f"{own.average.mean():.3f}{spread}"

    return _table(rows(found), cell, SHORT)


def alone(found: dict) -> pd.DataFrame:
    """Of as many labels as are wrong, the percentage that is, by each signal: precision and recall in one."""
    return _table(rows(found), lambda own: f"{100 * own.precision_of_all.mean():.0f}", [*SIGNALS][:-1])


def _table(long: pd.DataFrame, cell, signals: list[str]) -> pd.DataFrame:
    """A row for each case and a column for each signal, of what `cell` makes of the rows of both."""
    columns = {}
    for name in signals:
        own = long[long.signal == name].groupby("case", sort=False)
        columns[SIGNALS[name]] = {case: cell(part) for case, part in own}
    return pd.DataFrame(columns).rename_axis("labels")


def rates(found: dict) -> pd.DataFrame:
    """The true and the estimated share of wrong labels in percent, and how sure the networks are; means over seeds."""
    table = cases(found)
    counts = table.groupby("case", sort=False).labels.first()
    of_a_case = table.groupby("case", sort=False)
    mean = of_a_case[["rate", "estimate", "low", "high", "cleanlab_estimate", "agreement"]].mean()
    percent = (100 * mean.rename_axis("labels")).map("{:.1f}".format)
    table = percent[["rate"]].rename(columns={"rate": "wrong, %"})
    table["estimated (interval)"] = percent.estimate + " (" + percent.low + " to " + percent.high + ")"
    table["by cleanlab"] = percent.cleanlab_estimate
    table["labels predicted, %"] = percent.agreement
    table.insert(0, "how many", [f"{count:,}" for count in counts])
    return table


def expected(found: dict) -> pd.DataFrame:
    """How many of the first 100 labels the report expects to be wrong, and how many are; means over seeds."""
    table = cases(found)
    table["are wrong"] = [own["together"]["precision"] for own in table.found]
    mean = 100 * table.groupby("case", sort=False)[["expected", "are wrong"]].mean().rename_axis("labels")
    return mean.map("{:.0f}".format).rename(columns={"expected": "expected to be wrong"})


def voted(found: dict) -> pd.DataFrame:
    """Of the test labels that people rejected, how many are among the first 100 by each signal."""
    long = rows(found, voted=True)
    count = cases(found, voted=True).groupby("case").wrong.first()

    def cell(own: pd.DataFrame) -> str:
        return f"{own.recall.mean() * count[own.case.iloc[0]]:.1f}".removesuffix(".0")

    table = _table(long, cell, SHORT)
    table.insert(0, "clearly rejected", [count[case] for case in table.index])
    return table


def checked(found: dict) -> pd.DataFrame:
    """What a mentor adds that has learned from checked labels, judged on all others: of the first 100 labels, how many
    are wrong, and the average precision, by the mentor alone and by the score without and with it; means over seeds."""
    table = pd.DataFrame(found["checked"])
    table = table.assign(labels=table.data.map(words.said) + ", " + table.noise)
    scores = {"mentor": "mentor alone", "without": "our score", "with": "our score with it"}
    columns = {}
    for measure, measure_said, form in MEASURES:
        for name, said in scores.items():
            own = pd.Series([row[name][measure] for row in table.found], table.labels)
            mean = own.groupby(level=0, sort=False).mean()
            columns[measure_said, said] = mean.map(form.format)
    return pd.DataFrame(columns)


def costs(found: dict) -> pd.DataFrame:
    """Seconds of one core that an audit takes, by data; means over seeds."""
    long = pd.DataFrame(found["rows"])
    of_data = long.groupby([long.data.map(words.said), "labels"], sort=False)
    mean = of_data[["seconds", "seconds_signals"]].mean().rename_axis(["data", "labels"])
    mean.index = mean.index.map(lambda at: (at[0], f"{at[1]:,}"))
    return pd.DataFrame(
        {
            "training, seconds": mean.seconds.map("{:.0f}".format),
            "signals, seconds": mean.seconds_signals.map("{:.2f}".format),
        }
    ).rename_axis(["data", "labels"])


def findings(found: dict) -> dict[str, str]:
    """What the prose says."""
    long, told = rows(found), {}
    for key, case in MAIN.items():
        for name in SIGNALS:
            own = long[(long.case == case) & (long.signal == name)]
            require(len(own) > 0, f"book/audit.json lacks {case}")
            told[f"{name}_{key}"] = f"{100 * own.precision.mean():.0f}"
            told[f"average_{name}_{key}"] = f"{own.average.mean():.2f}"
        _, wrong, estimated, theirs, _ = rates(found).loc[case]
        told[f"expected_{key}"] = expected(found).loc[case, "expected to be wrong"]
        told |= {f"rate_{key}": wrong, f"estimate_{key}": estimated, f"theirs_{key}": theirs}
    mean = long.pivot_table(index=["case", "seed"], columns="signal", values="average")
    ahead = int((mean.together > mean.cleanlab).sum())
    seeds = {row["seed"] for row in found["rows"]}
    told |= {"ahead": str(ahead), "audits": str(len(mean)), "machine": in_words(found["machine"])}
    told["seeds"] = "one seed" if len(seeds) == 1 else f"up to {len(seeds)} seeds"
    gained = [row["found"]["with"]["average"] - row["found"]["without"]["average"] for row in found["checked"]]
    told |= {"mentor_helps": str(sum(points > 0 for points in gained)), "mentor_of": str(len(gained))}
    told["checked"] = f"{found['checked'][0]['checked']}"
    told["memory"] = f"{max(row['memory_mb'] for row in found['rows']):,.0f}"
    return told | {"folds": str(found["folds"])}


def practice(path: Path, rate: float, seed: int = 0) -> pd.Series:
    """Write the embedded digits with a share of wrong labels, each that of the next class, as an `.npz` of images and
    labels; returns the true labels as texts by the name that an audit calls an image."""
    require(0 < rate < 0.5, f"rate is a share of wrong labels between 0 and 0.5, not {rate}")
    digits = data.load("digits").train
    true = digits.y.numpy()
    wrong = np.random.default_rng(seed).random(len(true)) < rate
    np.savez(path, images=digits.x.permute(0, 2, 3, 1).numpy(), labels=np.where(wrong, (true + 1) % 10, true))
    return pd.Series(true.astype(str), index=[str(i) for i in range(len(true))])


def stand_in(path: Path) -> float:
    """Write the embedded digits with the labels of a simple model, as `practice` does; returns the wrong share."""
    true, given = human.stand_in()
    np.savez(path, images=data.load("digits").train.x.permute(0, 2, 3, 1).numpy(), labels=given)
    return float((true != given).mean())


def worst(path: Path, table: pd.DataFrame, true: pd.Series, count: int = 24) -> Figure:
    """The labels that come first in a table of an audit, with the suggested ones; right labels have a grey frame."""
    images = np.load(path)["images"]
    fig, grid = plt.subplots(count // 8, 8, figsize=(6.8, 1.15 * (count // 8)), layout="constrained", facecolor="white")
    for ax, one in zip(grid.flat, table.head(count).itertuples(), strict=True):
        ax.imshow(images[int(one.file)][..., 0], cmap="gray")
        right = str(one.given) == true[str(one.file)]
        ax.set(xticks=[], yticks=[])
        ax.set_xlabel(f"{one.given} → {one.suggested}", fontsize=10, color="#777777" if right else "#c00000")
        ax.spines[:].set(color="#777777" if right else "#c00000", linewidth=1 if right else 2)
    return fig


def rounds(told: pd.DataFrame) -> Figure:
    """By review: wrong labels that are left, and the percentage of images that networks classify wrongly."""
    fig, (left, right) = figures.row(2, 2.9)
    _bars(left, told.left, "wrong labels left", "{:.0f}")
    _bars(right, 100 - told.right, "images classified wrongly, %", "{:.1f}")
    return fig


def _bars(ax: Axes, values: pd.Series, label: str, form: str) -> None:
    """A bar for each review."""
    ax.bar(values.index.astype(str), values, color="#0072b2", width=0.6)
    ax.set(xlabel="reviews", ylabel=label, ylim=(0, 1.15 * values.max()))
    ax.bar_label(ax.containers[0], fmt=form)
