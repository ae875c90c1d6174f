"""What chapter 7 shows: frames in, a table or a figure out. Tables are in words, accuracies in percent."""

from functools import partial
from pathlib import Path

import pandas as pd
import torch
from matplotlib.figure import Figure

from ... import data, figures, words
from ...inputs import require
from ...measures.evaluate import RULES, select
from ...methods import curriculum, mentor
from ...noise import SymmetricInclusive, draw
from ...training.device import reproducible
from .. import texts
from ..tables import gaps, over_seeds, percent, published
from ..texts import WHEN, data_and_network, decimal
from .experiments import BURN_IN, PERCENTILE
from .measured import named, students_of

SHORT = {"self_paced": "self-paced", "PD": "PD", "DD": "DD"}  # in titles, once the names have been explained
WAYS = ["ce", "forgetting", "soft_bootstrap", "focal", "self_paced", "PD", "DD"]  # the order of all tables
# curricula in words; PD changes within a training
CURRICULA = {
    "uniform": "all alike",
    "self_paced": "self-paced",
    "hard_negative": "hard negatives",
    "linear": "linear",
    "focal": "focal",
    "pd": "PD, up to 18 % of training",
    "pd_middle": "PD, halfway",
    "pd_late": "PD, from 90 % on",
}
PERCENT = {"pd": 10, "pd_middle": 50, "pd_late": 95}  # of training that is over; of the others half
LOSSES, DIFFERENCES = torch.linspace(0, 6, 61), torch.linspace(-3, 3, 61)  # of the maps of weights
MAPPED = ("self_paced", "hard_negative", "focal", "pd_late")
DETECTION = {
    "kept": "pairs that are kept",
    "kept_precision": "right among the kept",
    "kept_recall": "right labels that are kept",
    "kept_auc": "ROC area",
}


def in_words(way: str) -> str:
    """A method in words; of a mentor from elsewhere, where it has learned."""
    source = way.removeprefix("DD from ")
    return words.method(way) if source == way else f"MentorNet (DD), from {words.said(source)}"


def _by_way(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with a column that names their method as the paper does."""
    return rows.assign(way=named(rows))


def big(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of the big student."""
    return rows[rows.model == students_of(rows)[0]]


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    """A table by method in the order of `WAYS`, methods in words, missing cells empty."""
    known = [way for way in WAYS if way in table.index]
    others = [way for way in table.index if way not in WAYS]
    return table.loc[known + others].rename(index=in_words).rename_axis("method").fillna("")


def circumstances(rows: pd.DataFrame, tier: str, rule: str = "") -> str:
    """What rows rest on, for a caption: data, network, noise, tier, rule and seeds."""
    return texts.circumstances([*data_and_network(rows), "symmetric (inclusive) noise"], rows, tier, rule)


def values_beside(tier: str, **asked: list[float]) -> dict[str, list[float]]:
    """What an experiment of a tier has to vary (`burn_ins`, `percentiles`) for the values that a reader asks for to
    stand beside its own; nothing where he asks for none. A `UserError` for one that is no share."""
    varied = {}
    for name, values in asked.items():
        require(all(0 <= value < 1 for value in values), f"{name} are shares from 0 to below 1, not {values}")
        own = {"burn_ins": BURN_IN, "percentiles": PERCENTILE}[name][tier][name]
        varied |= {name: sorted({*own, *values})} if values else {}
    return varied


def weigh(name: str, loss: torch.Tensor, d: torch.Tensor) -> torch.Tensor:
    """The weights by one of `CURRICULA`, from losses and their differences from the percentile."""
    kind = "pd" if name in PERCENT else name
    return curriculum.CURRICULA[kind](loss, d, torch.tensor(PERCENT.get(name, 50)))


def weights_by_hand(losses: list[float], threshold: float) -> pd.DataFrame:
    """What each curriculum makes of some losses, by its formula."""
    loss = torch.tensor(losses)
    rows = {told: weigh(name, loss, loss - threshold).tolist() for name, told in CURRICULA.items()}
    table = pd.DataFrame(rows, index=[f"loss {value:g}" for value in losses]).T
    return table.map("{:.2f}".format).rename_axis("curriculum")


def weight_maps(steps: int = 600) -> Figure:
    """The weight (colour, 0 to 1) that curricula give to a loss (across, nats) and its difference from the percentile
    (upwards): by their formulas on the left, by a mentor that has imitated them for so many steps on the right."""
    d, loss = torch.meshgrid(DIFFERENCES, LOSSES, indexing="ij")
    z, label = torch.stack([loss, d], 2).reshape(-1, 1, 2), torch.zeros(loss.numel(), dtype=torch.long)
    maps = {}
    with torch.no_grad(), reproducible(0, torch.device("cpu")):
        for name in MAPPED:
            maps[f"{CURRICULA[name]}: formula"] = weigh(name, loss, d).numpy()
            over = torch.full_like(label, PERCENT.get(name, 50))
            imitator = mentor.imitate("pd" if name in PERCENT else name, steps=steps)[0]
            learned = imitator(z, label, over).sigmoid()
            maps[f"{CURRICULA[name]}: mentor"] = learned.reshape(loss.shape).numpy()
    return figures.weight_maps(maps, (0, 6, -3, 3))


def _by_student(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows with a column `of` that names student and rate of noise, and its values in their order."""
    rows = _by_way(rows)
    rows = rows.assign(of=rows.model.map(words.said) + rows.rate.map(", {:g}".format))
    students, rates = students_of(rows), sorted(rows.rate.unique())
    order = [f"{words.said(name)}, {rate:g}" for name in students for rate in rates]
    return rows, [of for of in order if of in {*rows.of}]


def accuracies(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy by method (rows), student and rate of noise, `mean ± standard deviation` over seeds."""
    rows, order = _by_student(rows)
    return _in_order(percent(rows, "way", "of")[order])


def memorised(rows: pd.DataFrame) -> pd.DataFrame:
    """The mean share of the wrong training labels that are predicted, in percent, by the same."""
    rows, order = _by_student(rows)
    shares = 100 * rows.pivot_table(index="way", columns="of", values="train_wrong")[order]
    return _in_order(shares.apply(lambda column: column.map(decimal).where(column.notna())))


def accuracy_by_rule(history: pd.DataFrame, rate: float = 0.4) -> pd.DataFrame:
    """Test accuracy of the big student at one rate of noise, in percent, by the rule that chooses the evaluation."""
    rows = pd.concat([select(history, rule).assign(rule=WHEN[rule].removeprefix("chosen by ")) for rule in RULES])
    rows = _by_way(big(rows))
    return _in_order(percent(rows[rows.rate == rate], "way", "rule"))


def error_over_training(history: pd.DataFrame) -> Figure:
    """Test error in percent over training at noise of 0.4, of the full model, dropout and both mentors; axes per
    network."""
    rows = _by_way(history)
    rows = rows[rows.way.isin(["ce", "forgetting", "PD", "DD"]) & (rows.rate == 0.4)]
    rows = rows.assign(error=100 * (1 - rows.test_accuracy), of=rows.model.map(words.said))
    fig = figures.lines(rows, "error", "way", "of", "test error, %")
    dropout = words.look("forgetting")["color"]  # nearly that of the full model
    for line in [line for ax in fig.axes for line in ax.lines if line.get_color() == dropout]:
        line.set(linestyle="--", markerfacecolor="white")
    return fig


def weight_by_loss(history: pd.DataFrame, ways: list[str], shares: tuple[float, ...]) -> Figure:
    """How often right and wrong labels have a loss, in nats, and what they weigh: of methods at noise of 0.4, the big
    student's first seed, at the first evaluations after these shares of training."""
    rows, panels = _by_way(big(history)), {}
    for way in ways:
        one = rows[(rows.way == way) & (rows.rate == 0.4) & (rows.seed == 0)].sort_values("step")
        for share in shares:
            late = one[one.step >= share * one.steps]
            if len(late):
                first = late.iloc[0]
                panels[f"{SHORT[way]}, {100 * first.step / first.steps:.0f} % of training"] = first.weighed
    return figures.weighed(panels)


def detection(rows: pd.DataFrame) -> pd.DataFrame:
    """Weights of the big student as detectors of right labels, by rate of noise, means over seeds in percent: pairs
    with a weight above a half, of these the right ones, of the right ones these, area under the ROC curve."""
    seen = _by_way(big(rows))
    groups = seen[seen.kept.notna()].rename(columns=DETECTION).groupby(["rate", "way"])[[*DETECTION.values()]]
    found = 100 * over_seeds(groups)
    parts = {f"{rate:g}": _in_order(found.loc[rate].map(decimal)) for rate in found.index.levels[0]}
    return pd.concat(parts, names=["noise"])


def detection_over_training(history: pd.DataFrame) -> Figure:
    """The area under the ROC curve of the weight, of the big student over training; axes per rate of noise."""
    rows = _by_way(big(history))
    rows = rows[rows.kept_auc.notna()]
    rows = rows.assign(of=rows.rate.map("noise of {:g}".format))
    return figures.lines(rows, "kept_auc", "way", "of", "ROC area of the weight")


def beside_the_paper(rows: pd.DataFrame, which: int) -> pd.DataFrame:
    """Points of the big (0) or the small (1) student above the full model at the same noise: ours, then both tables of
    the authors on CIFAR-10; cells that they lack are empty."""
    of = students_of(rows)[which : which + 1]
    paper = published("jiang2018").query("dataset == 'cifar10' and at > 0")
    paper = paper[paper.model == ("wide_resnet", "cifarnet")[which]]
    columns = {"ours": _by_way(rows[rows.model.isin(of)]).assign(value=lambda own: 100 * own.test_accuracy)}
    paper = paper.assign(seed=0)
    for where, told in (("Table 2", "paper"), ("README", "authors' code")):
        ways = paper.series.str.removeprefix("method=")
        columns[told] = paper.assign(way=ways, rate=paper["at"])[paper["where"] == where]
    leads = {}
    for told, part in columns.items():
        leads[told] = gaps(part, "way", "rate", "ce", "value").T.drop(columns="ce", errors="ignore").stack()
    table = pd.DataFrame(leads).reindex(columns=[*columns])
    table = table.apply(lambda column: column.map(partial(decimal, form="+.1f")).where(column.notna()))
    return pd.concat({f"{rate:g}": _in_order(table.loc[rate]) for rate in table.index.levels[0]}, names=["noise"])


def accuracy_by_rate(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent by method, which says where its mentor comes from, and rate of noise."""
    return _in_order(percent(_by_way(rows), "way", "rate").rename(columns="noise of {:g}".format))


def price_of_trusted_labels(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy and area under the ROC curve of the weight by the number of trusted labels, in percent."""
    accuracy = percent(rows.assign(of="test accuracy"), "trusted", "of")
    area = percent(rows.assign(test_accuracy=rows.kept_auc, of="ROC area"), "trusted", "of")
    return pd.concat([accuracy, area], axis=1).sort_index(key=lambda counts: counts.astype(int))


def accuracy_by_parameter(rows: pd.DataFrame, parameter: str) -> pd.DataFrame:
    """Test accuracy in percent by a parameter of the methods (`burn_in`, `p`, `form`); a row per rate of noise and
    method."""
    column, rows = f"method_{parameter}", _by_way(rows).sort_values(f"method_{parameter}", kind="stable")
    told = {"burn_in": "burn-in {:g}", "p": "p = {:g}", "form": "form: {}"}[parameter]
    parts = {}
    for rate, part in rows.groupby("rate"):
        parts[f"{rate:g}"] = _in_order(percent(part, "way", column).rename(columns=told.format))
    return pd.concat(parts, names=["noise"]).fillna("")


def _save(x: torch.Tensor, files: list[str], place: Path) -> None:
    """Write grey images (n, 1, H, W) to files under a folder."""
    from PIL import Image

    for name, image in zip(files, x, strict=False):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0].numpy()).save(place / name)


def folder_of_digits(place: Path, count: int = 600, checked: int = 100) -> pd.DataFrame:
    """Write a folder of handwritten digits to `place`, two in five with a random label, and `checked.csv` with the true
    label of the first ones; the table has `file` and true `label` of all."""
    digits = data.load("digits")
    true = digits.train.y[:count].numpy()
    given = draw(SymmetricInclusive(0.4), true, 10, 0).label
    files = [f"{label}/{i}.png" for i, label in enumerate(given)]
    _save(digits.train.x, files, place / "train")
    _save(digits.test.x, [f"{label}/{i}.png" for i, label in enumerate(digits.test.y[:100])], place / "test")
    truth = pd.DataFrame({"file": files, "label": true.astype(str)})
    truth[:checked].to_csv(place / "checked.csv", index=False)
    return truth
