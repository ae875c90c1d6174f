"""What chapter 13 shows: the comparison of all methods as far as it was run, and noise that depends on the image."""

from collections.abc import Callable
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ... import data, figures, words
from ...figures import NOTHING_RUN
from ...measures.evaluate import COMPARED, select
from ...methods import METHODS
from ...noise import InstanceDependent, Matrix, Noise, PairFlip, draw
from ...runs import Run
from .. import growing, texts
from ..effects import Effect, ahead, estimate
from ..texts import WHEN, decimal
from .experiments import ALL, HUMAN_RATES, KNOBS
from .measured import DEPENDENT, HUMAN, INSTANCE, SYMMETRIC

HONEST = (*COMPARED, "clean validation")  # all rules that do not look at the test set
# all rules, in words that leave room for many columns
SHORT = {"last": "end", "noisy validation": "noisy", "clean validation": "clean", "best on test (leaks)": "test"}
# kinds of noise, by the word under which an exhibit shows them
KINDS = {"symmetric": [SYMMETRIC], "pair": DEPENDENT, "instance": [INSTANCE], "human": [HUMAN]}
# the noises under which sentences speak of methods: a word for each
NOISES = {"half": ("symmetric", 0.5), "much": ("symmetric", 0.8), "image": ("instance", 0.4), "pair": ("pair", 0.4)}
NOISES |= {"people": ("human", 0.4), "fifth": ("symmetric", 0.2), "image_fifth": ("instance", 0.2)}
NOISES |= {"pair_fifth": ("pair", 0.2)}
PAIRED = (
    "elr",
    "gce",
    "symmetric_ce",
    "volminnet",
)  # methods that need nothing and gain much, compared with each other
COLUMNS = ["key", "method", "noise", "rate", "seed", "model", "dataset", "images", "step", "test_accuracy"]
COLUMNS += ["noisy_validation", "train_wrong", "realised_rate"]
FAR = -20  # points: a figure that showed how far behind chance is would show little else
circumstances = texts.of_growing  # for chapters

# the year of each paper
YEARS = {"soft_bootstrap": 2015, "label_smoothing": 2016, "forward": 2017, "forward_estimated": 2017}
YEARS |= dict.fromkeys(("gce", "truncated", "mixup", "co_teaching", "small_loss", "glc"), 2018)
YEARS |= {"symmetric_ce": 2019} | dict.fromkeys(("active_passive", "peer", "elr", "dividemix"), 2020)
YEARS |= {"volminnet": 2021, "sop": 2022, "fasten": 2022}


def rows(experiment: str, tier: str, train: str, device: str, **knobs) -> pd.DataFrame:
    """The records of an experiment, a row per run and evaluation; a frame without rows where there is none. The `rate`
    of people's labels is the share of wrong ones among all that they gave, in hundredths."""
    found = growing(f"field.{experiment}", tier, train, device, COLUMNS, **knobs)
    given = found.labels.map(HUMAN_RATES).round(2) if "labels" in found else found.rate
    return found.assign(rate=found.rate.fillna(given))


def complete(table: pd.DataFrame, planned: list[Run]) -> str:
    """How much of an experiment was run, for a text: `12 of 72 runs`."""
    return f"{table.key.nunique()} of {len(planned)} runs"


def cell(values: pd.Series, planned: int) -> str:
    """Accuracies of the seeds that were run in percent: `80.1 ± 0.3`; `80.1 (n = 1)` where fewer were than planned."""
    percent = (100 * values).round(9)
    spread = f" ± {percent.std():.1f}" if len(values) > 1 else ""
    return f"{decimal(percent.mean())}{spread}" + (f" (n = {len(values)})" if len(values) < planned else "")


def accuracy(history: pd.DataFrame, kind: str, planned: list[Run]) -> pd.DataFrame:
    """Test accuracies by method, in columns of the rates of a kind of noise under both rules. Every method that is
    planned has a row; what was not run is empty."""
    table, columns = history[history.noise.isin(KINDS[kind])], {}
    of = partial(cell, planned=seeds_of(planned))
    for rule in COMPARED:
        chosen = select(table, rule) if len(table) else table
        for rate, part in chosen.groupby("rate"):
            columns[WHEN[rule], f"{rate:g}"] = part.groupby("method").test_accuracy.agg(of)
    return by_method(columns, planned)


def under_all_rules(history: pd.DataFrame, planned: list[Run]) -> pd.DataFrame:
    """Mean test accuracies in percent by method, under two noises in a column for each rule."""
    columns, chosen = {}, {said: select(history, rule) for rule, said in SHORT.items()} if len(history) else {}
    for kind, rate in (NOISES["half"], NOISES["pair"]):
        for said, rows in chosen.items():
            part = rows[rows.noise.isin(KINDS[kind]) & (rows.rate == rate)]
            if len(part):
                columns[f"{kind} {rate:g}", said] = (100 * part.groupby("method").test_accuracy.mean()).map(decimal)
    return by_method(columns, planned)


def by_method(columns: dict, planned: list[Run]) -> pd.DataFrame:
    """Columns by method as a table with a row for every method that is planned, empty where there is nothing."""
    names = pd.Index(in_order(run.spec()["method"]["name"] for run in planned), name="method")
    return pd.DataFrame(columns or {"test accuracy": NOTHING_RUN}, names).fillna("").rename(index=words.method)


def seeds_of(planned: list[Run]) -> int:
    """How many seeds runs have."""
    return len({run.seed for run in planned})


def in_order(names) -> list[str]:
    """Names of methods, each once, in the order of the experiment."""
    given = {*names}
    return [name for name in ALL if name in given]


def gains(history: pd.DataFrame, rules: tuple[str, ...] = COMPARED) -> pd.DataFrame:
    """Points ahead of cross entropy under each rule (see `led`)."""
    return led({rule: select(history, rule) for rule in rules} if len(history) else {})


def ahead_and_behind(history: pd.DataFrame, planned: list[Run]) -> pd.DataFrame:
    """Under how many kinds and rates of noise each method is ahead of cross entropy with its whole interval, and under
    how many behind it, a column for each rule; of the noises that were run with all seeds."""
    found = gains(history, HONEST)
    found, columns = found[(found.seeds == seeds_of(planned)) & (found.seeds > 1)], {}  # a single one has no interval
    for rule, part in found.groupby("rule", sort=False):
        of = part.method
        columns["noises"] = part.groupby("method").size().astype(str)
        ahead_of, behind = (side.groupby(of).sum().astype(str) for side in (part.low > 0, part.high < 0))
        columns[WHEN[rule]] = ahead_of + " ahead, " + behind + " behind"
    return by_method(columns, planned).drop(words.method("ce"), errors="ignore")


def between(history: pd.DataFrame) -> pd.DataFrame:
    """Points that the first method of each pair of `PAIRED` is ahead of the second one, where noisy validation chooses
    both, with 95 % intervals paired by seed, in a column for each noise."""
    rows, columns = select(history, "noisy validation") if len(history) else history, {}
    for word in ("fifth", "half", "pair_fifth", "pair", "image_fifth", "image"):
        kind, rate = NOISES[word]
        of = {"noise": KINDS[kind], "rate": rate}
        columns[f"{kind} {rate:g}"] = {
            f"{words.brief(one)} ahead of {words.brief(other)}": texts.interval(
                rows, partial(ahead, a=one, b=other, **of), missing=""
            )
            for one, other in combinations(PAIRED, 2)
        }
    return pd.DataFrame(columns).rename_axis("methods")


def led(chosen: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """A row per noise, rate, method and `rule` by which one row of each run was chosen: points of test accuracy ahead
    of cross entropy, paired by seed, with the ends of the 95 % interval. Methods have none where they, or cross
    entropy, were not run."""
    found = []
    for rule, rows in chosen.items():
        narrow = rows[["noise", "rate", "seed", "method", "test_accuracy"]]  # copied for every effect
        for (noise, rate), part in narrow.groupby(["noise", "rate"]):
            for name in in_order(part.method):
                told = estimate(part, Effect("", lambda one, name=name: ahead(one, name, "ce")))
                if told and name != "ce":
                    found.append({"noise": noise, "rate": rate, "method": name, "rule": rule} | told._asdict())
    columns = ["noise", "rate", "method", "rule", "effect", "error", "low", "high", "seeds"]
    return pd.DataFrame(found, columns=columns)


def dots(found: pd.DataFrame, kinds: tuple[str, ...], filled: str = "last", other: str = "noisy validation") -> Figure:
    """Gains over cross entropy in points, a panel for each noise of the kinds that was run: filled for one way to
    choose, such as the last evaluation, and open for the other."""
    table = found[found.noise.isin([noise for kind in kinds for noise in KINDS[kind]])]
    panels, names = [*table.groupby(["noise", "rate"])], in_order(table.method)
    fig, grid = figures.row(max(len(panels), 1), 1.2 + 0.27 * len(names), sharey=True, sharex=True)
    if not panels:
        figures.nothing_run(grid[0])
        return fig
    for ax, (_, part) in zip(grid, panels, strict=True):
        ax.set(title=texts.noise_of(part).iloc[0], xlim=reach(table))
        for row in part.itertuples():
            first = row.rule == filled
            figures.gain(ax, names.index(row.method) + (-0.15 if first else 0.15), row, words.look(row.method), first)
        ax.axvline(0, color="black", lw=1)
        ax.set_yticks(range(len(names)), [*map(words.brief, names)], fontsize=8)
        ax.grid(axis="x", alpha=0.3)
    grid[0].invert_yaxis()  # in the order of the tables
    for ax in grid[-2:]:
        ax.set_xlabel("points ahead")
    figures.filled_and_open(fig, WHEN.get(filled, filled), WHEN.get(other, other))
    return fig


def reach(table: pd.DataFrame) -> tuple[float, float]:
    """Ends of an axis that holds all gains, but those of methods that learn nothing, with room for a part of their
    intervals."""
    low, high = max(min(table.effect.min(), 0), FAR), max(table.effect.max(), 0)
    room = 0.15 * (high - low) + 1
    return low - room, high + room


def timeline() -> Figure:
    """The methods of the comparison by year, a line each, sorted by family."""
    names = sorted(YEARS, key=lambda name: (words.FAMILIES.index(words.METHODS[name][1]), YEARS[name]))
    ax, families = figures.axes(None, figures.WIDTH, 5.2), [words.METHODS[name][1] for name in names]
    for y, name in enumerate(names):
        ax.plot(YEARS[name], y, ms=6, **words.look(name))
        ax.annotate(words.brief(name), (YEARS[name], y), (7, 0), textcoords="offset points", va="center", fontsize=9)
    for family in dict.fromkeys(families):
        first, count = families.index(family), families.count(family)
        ax.axhline(first - 0.5, color="grey", lw=0.5)
        ax.text(2011.0, first + (count - 1) / 2, family, va="center", fontsize=9, color="#666666")
    ax.set(xlim=(2010.8, 2028.4), ylim=(len(names) - 0.5, -0.5), yticks=[], xlabel="year")
    ax.set_xticks(range(2015, 2023, 2))
    return ax.figure


def demands(needed: Callable[[str], str], prices: dict[str, float]) -> pd.DataFrame:
    """What each method of the comparison has to be given, its passes through a network in a step, what a training
    takes as a multiple of cross entropy's, and the knob that would be tuned."""
    found = {}
    for name in ALL:
        forward, backward = METHODS[name]().passes
        knob, values = KNOBS.get(name, ("", []))
        row = {"needs": needed(name), "forward": forward, "backward": backward}
        row["time"] = f"{prices[name]:.2f}" if name in prices else "not measured"
        found[words.method(name)] = row | {"knob": f"{knob}: {', '.join(f'{v:g}' for v in values)}" if knob else ""}
    return pd.DataFrame(found).T.rename_axis("method")


def labels_of_digits(noise: Noise, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The true and the drawn labels (N,) of the embedded digits."""
    digits = data.load("digits")
    true = digits.train.y.numpy()
    return true, draw(noise.on(digits, seed), true, digits.K, seed).label.astype(int)


def mean_of_images(noise: InstanceDependent) -> Matrix:
    """Noise with the matrix that instance-dependent noise of the embedded digits has on average."""
    return Matrix(noise.on(data.load("digits"), 0).law(10))


def two_matrices(rate: float = 0.4) -> Figure:
    """What labels of the embedded digits were drawn: pair noise and instance-dependent noise of one rate."""
    fig, panels = figures.row(2, 3.0, sharey=True)
    for ax, noise in zip(panels, (PairFlip(rate), InstanceDependent(rate)), strict=True):
        true, given = labels_of_digits(noise)
        counts = np.zeros((10, 10))
        np.add.at(counts, (true, given), 1)
        figures.matrix(counts / counts.sum(1, keepdims=True), ax=ax, top=0.6)
        ax.set_title(words.said("instance" if isinstance(noise, InstanceDependent) else "pair_flip"))
    panels[1].set_ylabel("")
    return fig


def nearest() -> np.ndarray:
    """The most similar other one of each embedded digit, among those of its own class."""
    images = data.load("digits").train
    x, true = images.x.flatten(1).numpy().astype(np.float64), images.y.numpy()
    distance = (x**2).sum(1)[:, None] - 2 * x @ x.T + (x**2).sum(1)
    distance[true[:, None] != true] = np.inf
    np.fill_diagonal(distance, np.inf)
    return distance.argmin(1)


def both_wrong(true: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The embedded digits that are labelled wrong while the most similar one of their class is too, and that one."""
    other = nearest()
    found = np.flatnonzero((given != true) & (given[other] != true))
    return found, other[found]


def shared_mistakes(true: np.ndarray, given: np.ndarray) -> float:
    """Where a digit and the most similar one of its class are both labelled wrong: how often with the same class, in
    percent."""
    one, other = both_wrong(true, given)
    return 100 * float((given[one] == given[other]).mean())


def by_wrong_class(rate: float = 0.4, true_class: int = 1, count: int = 8) -> Figure:
    """Embedded digits of one class that instance-dependent noise labels wrong, a line for each of the three classes
    that they are given most often."""
    x, (true, given) = data.load("digits").train.x.numpy(), labels_of_digits(InstanceDependent(rate))
    wrong = np.flatnonzero((true == true_class) & (given != true))
    most = np.bincount(given[wrong], minlength=10).argsort(kind="stable")[::-1][:3]
    places = np.concatenate([wrong[given[wrong] == k][:count] for k in most])
    return figures.labelled(x[places], given[places], true[places], count)


def sure(noise: InstanceDependent) -> float:
    """Of all embedded digits, the mean share of a digit's probability of being wrong that its likeliest wrong class
    has, in percent: 100 where the image alone decides which class it is."""
    digits = data.load("digits")
    laws = np.array(noise.on(digits, 0).laws)
    laws[np.arange(len(laws)), digits.train.y.numpy()] = 0
    return 100 * float((laws.max(1) / laws.sum(1)).mean())
