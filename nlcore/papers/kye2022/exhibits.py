"""What chapter 8 shows: frames in, a table or a figure out. Tables are in words; accuracies are in percent."""

from dataclasses import asdict
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from ... import figures, words
from ...data import classes
from ...measures.evaluate import select
from ...methods import METHODS, FasTEN
from ...noise import SymmetricInclusive
from .. import tables, texts
from ..effects import Effect, ahead, estimate, in_words, mean
from ..tables import over_seeds, percent, published, share
from ..texts import WHEN, data_and_network, decimal, interval, noise_of
from .experiments import ABLATION, ALL
from .measured import SYMMETRIC, priced, to_the_end

HONEST = ("last", "noisy validation", "clean validation")
# what was changed of FasTEN, in words
CHANGES = {
    "": "as in the paper",
    "correct = False": "without corrections",
    "immediate = True": "corrections at once",
    "shared = False": "two networks",
}
one_network = texts.one_network  # for chapters, as `compared`


def compared(names: list[str]) -> list[str]:
    """The methods that a reader asks for, with FasTEN and cross entropy (see `texts.compared`)."""
    return texts.compared(names, ALL, {"ce", "fasten"})


def values_beside(tier: str, rho: float, lam: float) -> dict[str, list[float]]:
    """What the ablation of a tier has to vary for these values to be among its own; nothing where they are."""
    size = ABLATION[tier]
    asked = {"rhos": rho, "lams": lam}
    return {name: sorted({*size[name], value}) for name, value in asked.items() if value not in size[name]}


def hardest(rows: pd.DataFrame, symmetric: bool = True) -> pd.DataFrame:
    """The rows at the highest rate of symmetric noise, or of the noise that depends on the class."""
    rows = rows[(rows.noise == SYMMETRIC) == symmetric]
    return rows[rows.rate == rows.rate.max()]


def circumstances(rows: pd.DataFrame, tier: str, rule: str = "") -> str:
    """What rows rest on, for a caption: data, network, images, tier, rule and seeds."""
    parts = data_and_network(rows)
    if rows.trusted.nunique() == 1:
        parts.append(f"{rows.trusted.max():,} trusted images beside {int(rows.images.max()):,} noisy ones")
    return texts.circumstances(parts, rows, tier, rule)


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """A table by method in the order of the paper's."""
    return tables.in_order(table, ALL)


def passes_of_methods() -> pd.DataFrame:
    """Every method of the comparison: its family, and its forward and backward passes a step, first trainings
    included."""
    rows = {}
    for name in ALL:
        forward, backward = METHODS[name]().passes
        trainings = "two" if METHODS[name]().first else "one"
        rows[name] = words.METHODS[name][1], trainings, forward, backward
    columns = ["family", "trainings", "forward passes", "backward passes"]
    return in_order(pd.DataFrame(rows, index=columns).T)


def over_training(history: pd.DataFrame) -> Figure:
    """Test accuracy over training of four ways to learn, at the highest rate of each kind of noise."""
    rows = pd.concat([hardest(history), hardest(history, symmetric=False)])
    rows = rows[rows.method.isin(["ce", "trusted_only", "glc", "fasten"])]
    rows = rows.assign(of=noise_of(rows), accuracy=100 * rows.test_accuracy)
    return figures.lines(rows, "accuracy", "method", "of", words.said("accuracy"))


def accuracies(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy, mean ± standard deviation over seeds, by method and kind and nominal rate of noise."""
    return in_order(percent(rows.assign(of=noise_of(rows)), "method", "of"))


def shares_of_wrong_labels(rows: pd.DataFrame) -> pd.DataFrame:
    """Labels that are really wrong, in percent, least and most over seeds, by kind and nominal rate of noise; and the
    rate that papers which always draw another class would give symmetric noise."""
    K = classes(rows.dataset.iloc[0])
    realised = 100 * rows.groupby(noise_of(rows).rename("noise"), sort=False).realised_rate.agg(["min", "max"])
    exclusive = {}
    for rate in rows[rows.noise == SYMMETRIC].rate.unique():
        kept = SymmetricInclusive(rate).matrix(K).diagonal().mean()
        exclusive[f"symmetric {rate:g}"] = 100 * (1 - kept)
    table = realised.assign(exclusive=pd.Series(exclusive)).map("{:.1f}".format).replace("nan", "")
    return table.set_axis(["wrong, least", "wrong, most", "as symmetric (exclusive)"], axis=1)


def leads(history: pd.DataFrame, over: str = "ce") -> pd.DataFrame:
    """Points that FasTEN is ahead of another method, paired by seed, with 95 % intervals: by noise and, in columns,
    by the rule that chooses the evaluation."""
    found = {}
    for rule in HONEST:
        rows = select(history, rule)
        of_rule = {}
        for noise, part in rows.groupby(noise_of(rows), sort=False):
            of_rule[noise] = interval(part, partial(ahead, a="fasten", b=over), missing="")
        found[WHEN[rule]] = of_rule
    return pd.DataFrame(found).rename_axis("noise")


def by_rule(history: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy at the highest rate of each kind of noise, by the rule that chooses the evaluation."""
    blocks = {}
    for part in (hardest(history), hardest(history, symmetric=False)):
        for rule in HONEST if len(part) else ():
            rows = select(part, rule)
            label = f"{noise_of(rows).iloc[0]}, {WHEN[rule].replace('chosen by ', '').replace(' evaluation', '')}"
            blocks[label] = percent(rows.assign(of=label), "method", "of")[label]
    return in_order(pd.DataFrame(blocks))


def prices_of_paper(rate: float) -> pd.DataFrame:
    """`priced` of the paper, on CIFAR-10 at a rate of symmetric noise, with half of the 95 % interval as spread."""
    rows = published("kye2022").assign(method=lambda t: t.series.str.removeprefix("method="))
    hours = rows[rows.metric == "training time (h)"].set_index("method").value
    told = rows[(rows["where"] == "Table 1") & (rows.dataset == "cifar10") & (rows["at"] == rate)]
    told = told[told.knob == "symmetric rate (inclusive)"].set_index("method")
    return pd.DataFrame({"accuracy": told.value, "spread": told.plusminus, "cost": hours / hours["fasten"]})


def accuracy_against_cost(rows: pd.DataFrame) -> Figure:
    """Test accuracy against the time of training in multiples of FasTEN's, a named point per method: ours with one
    standard deviation over seeds (above), the paper's with half of its 95 % interval (below)."""
    ours = priced(rows).dropna(subset="cost")
    panels = {f"ours, symmetric {rows.rate.max():g}": ours, "paper, symmetric 0.8": prices_of_paper(0.8)}
    fig = figures.cost(panels)
    fig.legends[0].remove()
    fig.set_size_inches(5.6, 7)
    for place, ax, table in zip(GridSpec(2, 1, figure=fig), fig.axes, panels.values(), strict=True):
        ax.set_subplotspec(place)
        ax.set(xlim=(0.25, 14), ylabel=words.said("accuracy"))
        ax.tick_params(labelbottom=True)
        name_points(ax, table)
    return fig


def name_points(ax: Axes, table: pd.DataFrame) -> None:
    """The name of each method beside its point, to the left where others are close to the right."""
    for name, point in table.iterrows():
        left = name in ("fasten", "forward_estimated", "glc", "l2rw", "mslc")
        said = words.method(name).split("(")[-1].rstrip(")").replace(" correction", "")
        beside = {"xytext": (-7 if left else 7, 0), "textcoords": "offset points", "ha": "right" if left else "left"}
        ax.annotate(said, (point.cost, point.accuracy), va="center", fontsize=8.5, **beside)


def costs(rows: pd.DataFrame) -> pd.DataFrame:
    """By method, the cheapest first: seconds of a whole training, the least over seeds; the same in multiples of
    FasTEN's; the paper's multiples; and its passes. Empty where all trainings diverged, which ends them early."""
    whole = to_the_end(rows.assign(seconds=rows.train_seconds)).groupby("method")
    spent = whole[["seconds", "forward_passes", "backward_passes"]].min().reindex(rows.method.unique())
    spent = spent.sort_values("seconds")
    theirs = prices_of_paper(0.8).cost.reindex(spent.index).map("{:.2f}".format).replace("nan", "")
    table = pd.DataFrame({"seconds": spent.seconds.map("{:.1f}".format)})
    table["FasTEN = 1"] = (spent.seconds / spent.seconds["fasten"]).map("{:.2f}".format)
    table["paper, FasTEN = 1"] = theirs
    table["forward passes"] = spent.forward_passes.map("{:,.0f}".format)
    table["backward passes"] = spent.backward_passes.map("{:,.0f}".format)
    return table.replace("nan", "").rename(index=words.method).rename_axis("method")


def time_to_best(history: pd.DataFrame) -> pd.DataFrame:
    """By method, at the evaluation that noisy validation chooses: seconds of training over those of FasTEN, paired by
    seed, with 95 % intervals; the accuracy there; the paper's ratio of whole trainings."""
    chosen = select(history, "noisy validation")
    hours = prices_of_paper(0.8).cost
    rows = {}
    for name in [name for name in ALL if name in {*chosen.method}]:
        told = estimate(chosen, Effect("", partial(over_fasten, name), factor=True))
        ratio = in_words(told, ".2f") if told.error > 1e-9 else f"{told.effect:.2f}"
        accuracy = share(chosen[chosen.method == name].test_accuracy).split(" %")[0]
        paper = f"{hours[name]:.2f}" if name in hours else ""
        rows[name] = {"time to the best, FasTEN = 1": ratio, "accuracy there": accuracy, "paper, whole training": paper}
    return in_order(pd.DataFrame(rows).T)


def over_fasten(name: str, rows: pd.DataFrame) -> float:
    """Seconds of training up to the chosen evaluation over those of FasTEN."""
    return mean(rows, "seconds", method=name) / mean(rows, "seconds", method="fasten")


def heads(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy and seconds of training, with two heads on one network and with two networks, by rate of symmetric
    noise."""
    way = rows.method_shared.map({True: "two heads on one network", False: "two networks"})
    table = percent(rows.assign(way=way), "way", "rate").rename(columns="symmetric {:g}".format)
    seconds = to_the_end(rows).groupby(way).train_seconds.median().map("{:.1f}".format)
    return table.assign(**{"seconds of training": seconds}).rename_axis("FasTEN with")


def matrix_error(history: pd.DataFrame) -> Figure:
    """Mean total variation of the rows of each method's T from the true ones, over training; axes per noise."""
    rows = history.assign(of=noise_of(history)).sort_values("method", kind="stable")
    fig = figures.lines(rows, "T_error", "method", "of", "error of T")
    styles = {"mloc": {"linestyle": ":", "zorder": 5}, "glc": {"linewidth": 3.5, "zorder": 4}}  # one lies on the other
    for line in [line for ax in fig.axes for line in ax.lines]:
        for name, style in styles.items():
            if line.get_color() == words.look(name)["color"]:
                line.set(**style)
    return fig


def matrices_at_the_end(rows: pd.DataFrame) -> pd.DataFrame:
    """By noise and method how far T ends from the true one, as total variation and as chi-square divergence (not of
    MLoC, since a zero in its T makes that infinite), and its mean diagonal."""
    rows = rows.assign(noise=noise_of(rows), T_chi2=rows.T_chi2.where(rows.method != "mloc"))
    names = {"T_error": "total variation", "T_chi2": "chi-square", "T_diagonal": "mean diagonal"}
    found = over_seeds(rows.groupby(["noise", "method"], sort=False)[[*names]]).rename(columns=names)
    return found.map("{:.3f}".format).replace("nan", "").rename(index=words.method, level="method")


def diagonals(history: pd.DataFrame) -> Figure:
    """FasTEN's mean diagonal of T and that of the labels in use, over training, at the highest rate of each kind of
    noise: ours, and the paper's."""
    ours = pd.concat([hardest(history), hardest(history, symmetric=False)])
    ours = ours[ours.method == "fasten"]
    ours = ours.assign(of="ours, " + noise_of(ours)).melt(
        ["of", "step", "steps"], ["corrected_diagonal", "T_diagonal"], "matrix", "mean"
    )
    theirs = published("kye2022").query("`where` == 'figure of the mean diagonal'")
    told = theirs.series.str.extract(r"matrix=(\w+), (\w+ [\d.]+)")
    theirs = pd.DataFrame({"of": "paper, " + told[1], "matrix": told[0], "step": theirs["at"], "mean": theirs.value})
    both = pd.concat([ours, theirs.assign(steps=70)], ignore_index=True)
    names = dict.fromkeys(("corrected_diagonal", "true"), "labels in use (true)")
    names |= dict.fromkeys(("T_diagonal", "estimated"), "estimated by the noisy head")
    both = both.assign(matrix=both.matrix.map(names))
    both = both.sort_values("of", key=lambda of: of.str.startswith("paper, a"), kind="stable")  # symmetric noise first
    return figures.lines(both, "mean", "matrix", "of", "mean diagonal")


def corrections(rows: pd.DataFrame) -> pd.DataFrame:
    """Of methods that correct labels, in percent by noise: of the wrong labels those put right, of the right labels
    those put wrong, at the end."""
    rows = rows[rows.corrected.notna()]
    names = {"corrected_wrong": "put right", "miscorrected": "put wrong"}
    found = 100 * over_seeds(rows.groupby([noise_of(rows).rename("noise"), "method"], sort=False)[[*names]])
    table = found.map(decimal).unstack("method")
    order = [(column, name) for name in ("fasten", "mslc", "mlac") for column in names if (column, name) in table]
    short = {"fasten": "FasTEN", "mslc": "MSLC", "mlac": "MLaC"}
    return table[order].set_axis([f"{short[name]}: {names[column]}" for column, name in order], axis=1).fillna("")


def perturbed_corrections(rows: pd.DataFrame) -> Figure:
    """Test accuracy against the share of corrected labels that are replaced by random ones (lines), and without any
    corrections (dashed): ours, and FasTEN, MLaC and MSLC in the paper's figure."""
    ours = rows.assign(accuracy=100 * rows.test_accuracy, share=rows.method_perturb, of="ours")
    ours = ours.assign(method=ours.method.mask(~ours.method_correct.astype(bool), "none"))
    paper = published("kye2022").query("`where` == 'figure of perturbed corrections'")
    name = paper.series.str.removeprefix("method=").replace("fasten without corrections", "none")
    theirs = pd.DataFrame({"accuracy": paper.value, "share": paper["at"], "method": name, "of": "paper"})
    fig, grid = figures.row(2, 3.1)
    for ax, part in zip(grid, (ours, theirs[~theirs.method.str.contains("mslc w")]), strict=True):
        for method, line in part[part.method != "none"].groupby("method", sort=False):
            of = line.groupby("share").accuracy.agg(["mean", "std"])
            ax.errorbar(of.index, of["mean"], of["std"], **words.look(method), lw=1, ms=5, label=words.method(method))
        without = part.accuracy[part.method == "none"].mean()
        ax.axhline(without, color=words.look("fasten")["color"], ls="--", lw=1, label="FasTEN without corrections")
        ax.set(xlabel="share made random", title=part.of.iloc[0])
        ax.grid(alpha=0.3)
    grid[0].set(ylabel=words.said("accuracy"))
    return figures.legend_below(fig)


def changed(rows: pd.DataFrame) -> pd.Series:
    """What is not FasTEN's default in each row, in words, as `threshold ρ = 0.5`."""
    told = pd.Series("", index=rows.index)
    for name, value in asdict(FasTEN()).items():
        values = rows[f"method_{name}"]
        told += (f" {name} = " + values.astype(str)).where(values != value, "")
    told = told.str.strip().replace(CHANGES)
    return told.str.replace("rho", "threshold ρ").str.replace("lam =", "weight λ =")


def one_thing_changed(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy of FasTEN by what was changed and by the rate of symmetric noise."""
    table = percent(rows.assign(changed=changed(rows)), "changed", "rate")
    table = table.sort_index(key=lambda names: names != CHANGES[""], kind="stable")
    return table.rename(columns="symmetric {:g}".format).rename_axis("FasTEN").fillna("")


def number_of_trusted_images(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy by the number of trusted images and method, and of wrong labels those that FasTEN puts right."""
    fasten = rows[rows.method == "fasten"]
    right = fasten.assign(method="wrong labels put right", test_accuracy=fasten.corrected_wrong)
    table = percent(pd.concat([rows, right]), "trusted", "method").fillna("")
    return table.rename(columns=words.method).rename_axis("trusted images")


def shifted_images(shifted: pd.DataFrame, numbers: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Images mirrored and shifted beside images as they are, at the same noise and number of trusted ones: accuracy,
    mean diagonal of T and wrong labels put right, in percent by method; what a method has not is empty. Images as they
    are come from the runs on the number of trusted images (`numbers`) and on the parts of FasTEN (`parts`)."""
    plain = [numbers[numbers.trusted == shifted.trusted.max()], parts[parts.rate == shifted.rate.max()]]
    rows = pd.concat([shifted.assign(images="shifted"), *(table.assign(images="plain") for table in plain)])
    rows = rows.drop_duplicates("key").reset_index(drop=True)
    way = rows.method.map(words.method).mask(rows.method == "fasten", "FasTEN, " + changed(rows))
    rows = rows.assign(way=way)[way.isin(way[rows.images == "shifted"])]
    blocks = {}
    measures = {"test_accuracy": "accuracy", "T_diagonal": "diagonal of T", "corrected_wrong": "put right"}
    for column, text in measures.items():
        known = rows[rows[column].notna()]
        blocks[text] = percent(known.assign(test_accuracy=known[column]), "way", "images")[["plain", "shifted"]]
    return pd.concat(blocks, axis=1).rename_axis("method").fillna("")


def table_1_of_paper(dataset: str) -> pd.DataFrame:
    """The paper's Table 1 on CIFAR-10 or CIFAR-100: test accuracy with its 95 % interval, by method and noise."""
    paper = published("kye2022").query("`where` == 'Table 1' and dataset == @dataset")
    cell = paper.value.map("{:.1f}".format) + paper.plusminus.map(" ± {:.1f}".format)
    noise = paper.knob.str.split().str[0] + paper["at"].map(" {:g}".format)
    paper = paper.assign(method=paper.series.str.removeprefix("method="), of=noise, cell=cell)
    table = paper.pivot(index="method", columns="of", values="cell")
    return in_order(table[sorted(table.columns, key=lambda noise: (noise[0] != "s", noise))])
