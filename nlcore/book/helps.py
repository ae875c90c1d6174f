"""What helps, and when: every method's gain over cross entropy, by kind of noise and by when training is stopped."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .. import figures, papers, words
from ..measures.evaluate import COMPARED, select
from ..methods import METHODS
from ..papers.effects import Effect, Estimate, ahead, estimate, in_words, points
from ..papers.jiang2018.measured import named
from ..papers.scoreboard import NOISY
from ..papers.tables import percent
from ..papers.texts import NOT_RUN, seeds
from ..papers.wei2022 import exhibits
from ..papers.wei2022.sentences import of_methods
from . import costs

SAID = {"last": "at the end", NOISY: "stopped early"}  # what columns are called
# kinds of noise and their rates; whether the rate of symmetric noise counts the true class in, papers differ; pair
# noise is CIFAR-10's own map of pairs where a tier has these images
SYMMETRIC, PAIR = ("symmetric_inclusive", "symmetric_exclusive"), ("pair_flip", "asymmetric_cifar10")
NOISES = {f"symmetric, {rate}": (SYMMETRIC, rate) for rate in (0.2, 0.4, 0.6, 0.8)}
NOISES |= {f"pair, {rate}": (PAIR, rate) for rate in (0.2, 0.4)}
NOISES |= {f"instance, {rate}": (("instance",), rate) for rate in (0.2, 0.4)}
# the recipes under which methods were compared, and the experiments that share each
RECIPES = {
    "robust losses": ("zhang2018.fashion", "zhang2018.field", "field.fashion"),
    "MentorNet": ("jiang2018.students",),
    "FasTEN": ("kye2022.table",),
}
BENCHED = {"PD": "mentornet", "DD": "mentornet", "self_paced": "curriculum", "focal": "curriculum"}  # names of costs


def comparable(tier: str, train: str, device: str, **knobs) -> dict[str, pd.DataFrame]:
    """By recipe a frame with a row per run and evaluation, of one network and one data set, with what each method is
    called. Where experiments of a recipe have several data sets, those that share the first one's are compared."""
    frames = {}
    for recipe, experiments in RECIPES.items():
        first, *others = experiments
        parts = [papers.frame(first, tier, train, device, **knobs)]
        parts += [papers.growing(name, tier, train, device, [], **knobs) for name in others]
        whole = pd.concat([part for part in parts if len(part)]).drop_duplicates(["key", "step"])
        whole = whole.reset_index(drop=True)
        whole = whole[whole.dataset == whole.dataset.iloc[0]]
        network = "conv_small" if "conv_small" in {*whole.model} else whole.model.iloc[0]
        frames[recipe] = whole[whole.model == network].assign(name=named)
    return frames


def setting(frames: dict[str, pd.DataFrame]) -> str:
    """Data, network, images and seeds of the frames, for captions."""
    whole = pd.concat(frames.values())
    data, network = words.listed(whole.dataset), words.listed(whole.model)
    return f"{data}, {whole.images.max():,.0f} images or fewer, {network}, {seeds(whole)}"


def needs(method: str) -> str:
    """What a method has to be given beside noisy labels."""
    if method in ("forward", "backward"):
        return "the true T"
    if method in ("PD", "small_loss", "co_teaching"):  # their percentile or tau is set to the rate
        return "the noise rate"
    if method == "DD":
        return "trusted labels and the noise rate"
    trusted = method in METHODS and bool(METHODS[method]().trust)
    return "trusted labels" if trusted else "nothing"


def prices() -> dict[str, float]:
    """Time of a training by method, cross entropy being 1, from `book/bench.json`."""
    rows = costs.measured()["methods"]["rows"]
    found = {row["method"]: row["ratio"] for row in rows if "method" in row}
    return found | {method: found[name] for method, name in BENCHED.items()}


def of_noise(rows: pd.DataFrame, noise: str) -> pd.DataFrame:
    """The rows of a kind and rate of noise."""
    kinds, rate = NOISES[noise]
    return rows[rows.noise.isin(kinds) & (rows.rate == rate)]


def gain(rows: pd.DataFrame, method: str, other: str = "ce") -> Estimate | None:
    """Points that a method is ahead of another, paired by seed; rows are of one kind and rate of noise."""
    return estimate(rows, Effect("gain", lambda one: ahead(one, method, other, by="name")))


def gains(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """A row per recipe, method, noise and rule: the gain over cross entropy with its interval; of cross entropy itself
    the accuracy."""
    found = []
    for recipe, history in frames.items():
        for rule in COMPARED:
            chosen = select(history, rule)
            for noise in NOISES:
                found += [
                    {"recipe": recipe, "method": method, "noise": noise, "rule": rule} | told._asdict()
                    for method, told in estimates(of_noise(chosen, noise)).items()
                ]
    return pd.DataFrame(found)


def estimates(rows: pd.DataFrame) -> dict[str, Estimate]:
    """Of each method that was run with all seeds its gain, of cross entropy its accuracy."""
    found = {method: gain(rows, method) for method in rows.name.unique() if method != "ce"}
    found["ce"] = estimate(rows, Effect("accuracy", lambda one: points(one, name="ce"))) if len(rows) else None
    return {method: told for method, told in found.items() if told and told.seeds == rows.seed.nunique()}


def cell(found) -> str:
    """A gain as text, with its interval."""
    return in_words(found, "+.1f", ".1f")


def one(found: pd.DataFrame, **at) -> pd.Series | None:
    """The only row where columns have these values; None where there is none."""
    for name, value in at.items():
        found = found[found[name] == value]
    return found.iloc[0] if len(found) else None


def gained(found: pd.DataFrame, noise: str) -> pd.DataFrame:
    """The gains under a noise, a row for each method under each recipe, what gains most when it is stopped early first;
    with what the method needs and what it costs."""
    shown, price = found[(found.noise == noise) & (found.method != "ce")], prices()
    wide = shown.assign(cell=shown.apply(cell, axis=1)) if len(shown) else shown
    rows = []
    for (recipe, method), part in wide.groupby(["recipe", "method"], sort=False):
        text, effect = part.set_index("rule").cell, part.set_index("rule").effect
        row = {"method": words.method(method), SAID[NOISY]: text[NOISY], SAID["last"]: text["last"]}
        row |= {"needs": needs(method), "cost": f"{price[method]:.1f}", "recipe": recipe}
        rows.append(row | {"order": -effect[NOISY]})
    if not rows:
        return pd.DataFrame({"method": [NOT_RUN]})
    return pd.DataFrame(rows).sort_values("order", kind="stable").drop(columns="order").reset_index(drop=True)


def stopping(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What stopping early does to cross entropy: a row for each recipe and noise, its accuracies in percent and the
    points between them."""
    rows = []
    for noise in NOISES:
        for recipe, history in frames.items():
            plain = of_noise(history[history.name == "ce"], noise)
            if len(plain):
                rows.append({"noise": noise, "recipe": recipe} | stopped(plain))
    return pd.DataFrame(rows).set_index(["noise", "recipe"])


def stopped(plain: pd.DataFrame) -> dict[str, str]:
    """The accuracies of some runs at the end and where noisy validation stops them, and the points between them."""
    runs = pd.concat(select(plain, rule).assign(rule=rule) for rule in COMPARED)
    told = {
        said: in_words(estimate(runs, Effect("accuracy", lambda one, rule=rule: points(one, rule=rule))), ".1f")
        for rule, said in SAID.items()
    }
    difference = Effect("gain", lambda one: ahead(one, NOISY, "last", by="rule"))
    return told | {"gained": cell(estimate(runs, difference))}


def by_rate(found: pd.DataFrame, methods: tuple[str, ...] = ("fasten", "glc")) -> pd.DataFrame:
    """The gains of some methods of the recipe of FasTEN by noise, when they and cross entropy are stopped early."""
    shown = found[(found.recipe == "FasTEN") & (found.rule == NOISY) & found.method.isin(["ce", *methods])]
    table = {}
    for noise, part in shown.groupby("noise", sort=False):
        rows = part.set_index("method")
        table[noise] = {"cross entropy, %": in_words(rows.loc["ce"], ".1f")}
        table[noise] |= {f"{words.method(name)}, ahead": cell(rows.loc[name]) for name in methods if name in rows.index}
    order = [noise for noise in NOISES if noise in table]
    return pd.DataFrame([table[noise] for noise in order], pd.Index(order, name="noise"))


def picture(found: pd.DataFrame, noise: str) -> Figure:
    """A line per method: its gain when training runs to the end (filled) and when noisy validation stops it (open),
    with 95 % intervals; recipes below each other."""
    shown = found[(found.noise == noise) & (found.method != "ce")]
    order = []  # from the top: a recipe, then its methods
    for recipe, part in shown.groupby("recipe", sort=False):
        order += [(recipe, None), *((recipe, method) for method in part.method.unique())]
    ax = figures.axes(None, figures.WIDTH, 1.2 + 0.27 * len(order))
    ax.set(xlim=(-45, 48), ylim=(-0.7, max(len(order), 1) - 0.3))
    for place, (recipe, method) in enumerate(reversed(order)):
        for row in shown[(shown.recipe == recipe) & (shown.method == method)].itertuples():
            last = row.rule == "last"
            figures.gain(ax, place + (0.16 if last else -0.16), row, words.look(row.method), last)
    ax.axvline(0, color="black", lw=0.8)
    names = [words.method(method) if method else f"Recipe: {recipe}" for recipe, method in reversed(order)]
    ax.set_yticks(range(len(order)), names)
    for label in ax.get_yticklabels():
        label.set_fontweight("bold" if label.get_text().startswith("Recipe") else "normal")
    ax.set(xlabel="points ahead of cross entropy")
    ax.grid(axis="x", lw=0.3)
    figures.filled_and_open(ax.figure, *SAID.values())
    return ax.figure


def checked_labels(rows: pd.DataFrame, plain: pd.DataFrame) -> Axes:
    """Test accuracy against the number of trusted labels, a line per method, stopped early; the dotted line is cross
    entropy (`plain`, at the same noise), which has none, in its 95 % interval. Bars are one standard deviation over
    seeds."""
    ax = figures.axes(None, figures.WIDTH, 4)
    for name, part in select(rows, NOISY).groupby("method", sort=False):
        by = 100 * part.groupby("trusted").test_accuracy.agg(["mean", "std"])
        ax.errorbar(by.index, by["mean"], by["std"], label=words.method(name), capsize=2, **words.look(name))
    level = estimate(select(at_rate_of(plain, rows), NOISY), Effect("accuracy", lambda one: points(one, name="ce")))
    if level.seeds > 1:  # else there is no interval
        ax.axhspan(level.low, level.high, color="black", alpha=0.1, lw=0)
    ax.axhline(level.effect, color="black", ls=":", label="cross entropy, no trusted labels")
    ax.set(xscale="log", xlabel="trusted labels", ylabel=words.said("accuracy"))
    counts = sorted(rows.trusted.unique())
    ax.set_xticks(counts, [f"{count:,}" for count in counts])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    figures.legend_below(ax.figure)
    return ax


def at_rate_of(plain: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of `plain` whose noise is that of `rows`."""
    return plain[(plain.noise == rows.noise.iloc[0]) & (plain.rate == rows.rate.iloc[0])]


def checked(rows: pd.DataFrame, plain: pd.DataFrame) -> dict[str, str]:
    """Accuracies in percent of what `checked_labels` draws, by method and number of trusted labels, with intervals."""
    stopped_ce = select(at_rate_of(plain, rows), NOISY)
    found = {"ce": estimate(stopped_ce, Effect("accuracy", lambda one: points(one, name="ce")))}
    for (method, count), part in select(rows, NOISY).groupby(["method", "trusted"]):
        found[f"{method}_{count}"] = estimate(part, Effect("accuracy", points))
    said = {f"checked_{name}": in_words(told, ".1f") for name, told in found.items()}
    return {f"checked_{name}_500": NOT_RUN for name in ("fasten", "glc")} | said


def price_of_a_mentor(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent of the student of a data-driven mentor by the number of trusted labels, mean and spread
    over seeds, under both rules."""
    both = pd.concat(select(rows, rule).assign(when=said) for rule, said in SAID.items())
    table = percent(both.sort_values("trusted"), "trusted", "when")[[*SAID.values()]]
    return table.rename_axis("trusted labels").rename_axis(columns=None)


def smoothing(history: pd.DataFrame, most: float = 1.0) -> pd.DataFrame:
    """Points that label smoothing is ahead of cross entropy, by rate of noise and by its parameter a up to `most`,
    under both rules."""
    rows = []
    chosen = {said: select(history, rule) for rule, said in SAID.items()}
    strengths = sorted(a for a in history.method_a.dropna().unique() if 0 < a <= most)
    for rate in sorted(history.rate.unique()):
        for a in strengths:
            row = {"noise": f"symmetric, {rate:g}", "smoothing a": f"{a:g}"}
            rows.append(row | {said: cell(smoothed(runs[runs.rate == rate], a)) for said, runs in chosen.items()})
    return pd.DataFrame(rows).set_index(["noise", "smoothing a"])


def smoothed(rows: pd.DataFrame, a: float) -> Estimate:
    """Points that label smoothing by `a` is ahead of cross entropy."""
    rows = rows[(rows.method == "ce") | ((rows.method == "label_smoothing") & (rows.method_a == a))]
    return estimate(rows, Effect("gain", lambda one: ahead(one, "label_smoothing", "ce")))


def best(found: pd.DataFrame, noise: str, rule: str, may_need: tuple[str, ...]) -> tuple[str, str, str]:
    """The largest gain of the methods that need no more than `may_need`, whose it is, in words, and under which
    recipe."""
    rows = found[(found.noise == noise) & (found.rule == rule) & (found.method != "ce")]
    rows = rows[rows.method.map(needs).isin(may_need)]
    if not len(rows):
        return NOT_RUN, NOT_RUN, NOT_RUN
    largest = rows.loc[rows.effect.idxmax()]
    return cell(largest), words.method(largest.method), largest.recipe


def findings(found: pd.DataFrame) -> dict[str, str]:
    """What sentences name: the best gains by noise and rule, of methods that are given nothing that nobody has; what
    cross entropy reaches; what a mentor adds."""
    said = {}
    free, usual = ("nothing",), ("nothing", "trusted labels", "the noise rate", "trusted labels and the noise rate")
    for noise in NOISES:
        name = noise.replace(", 0.", "_")  # symmetric_4
        for short, rule in (("last", "last"), ("noisy", NOISY)):
            gain, whose, recipe = best(found, noise, rule, usual)
            said |= {f"gain_{name}_{short}": gain, f"best_{name}_{short}": whose, f"recipe_{name}_{short}": recipe}
            said[f"free_{name}_{short}"], said[f"whose_{name}_{short}"], _ = best(found, noise, rule, free)
            for key, own in (("ce", "FasTEN"), ("rival", recipe)):  # cross entropy, and under the recipe of the best
                plain = one(found, recipe=own, method="ce", noise=noise, rule=rule)
                said[f"{key}_{name}_{short}"] = NOT_RUN if plain is None else in_words(plain, ".1f")
    return said


def mentors(frames: dict[str, pd.DataFrame], noise: str = "symmetric, 0.4") -> dict[str, str]:
    """Points that MentorNet's mentors are ahead of self-paced learning, by rule."""
    said = {}
    for short, rule in (("last", "last"), ("noisy", NOISY)):
        rows = of_noise(select(frames["MentorNet"], rule), noise)
        for method in ("DD", "PD"):
            found = gain(rows, method, "self_paced")
            said[f"{method}_over_self_paced_{short}"] = NOT_RUN if found is None else cell(found)
    return said


def details(frames: dict[str, pd.DataFrame], found: pd.DataFrame, least: float = 4.0) -> dict[str, str]:
    """What sentences name beside `findings`: gains of two robust losses, what stopping does under pair noise, and how
    stopped gains spread under instance-dependent noise, where `least` points count as ahead."""
    said = {}
    for short, rule in (("last", "last"), ("noisy", NOISY)):
        for word, method in (("lq", "gce"), ("sce", "symmetric_ce")):
            for noise in NOISES:
                told = one(found, recipe="robust losses", method=method, noise=noise, rule=rule)
                said[f"{word}_{noise.replace(', 0.', '_')}_{short}"] = NOT_RUN if told is None else cell(told)
    table = stopping(frames).gained
    for word, recipe in (("robust", "robust losses"), ("fasten", "FasTEN")):
        said[f"stopping_pair_4_{word}"] = table.get(("pair, 0.4", recipe), NOT_RUN)
    gained_there = found[(found.noise == "instance, 0.4") & (found.rule == NOISY) & (found.method != "ce")]
    said |= {"image_ahead": str((gained_there.effect >= least).sum()), "image_of": str(len(gained_there))}
    plain = of_noise(select(frames["robust losses"], NOISY), "instance, 0.4")
    each = [f"{100 * share:.0f}" for share in plain[plain.name == "ce"].sort_values("seed").test_accuracy]
    return said | {"image_seeds": ", ".join(each) if each else NOT_RUN}


def people(tier: str, train: str, device: str) -> dict[str, str]:
    """How far methods are ahead of cross entropy on labels that people gave."""
    return of_methods(exhibits.rows("cifar10n", tier, train, device))
