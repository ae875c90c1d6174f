"""What chapter 8 shows: frames in, a table or a figure out."""

import inspect
from dataclasses import asdict
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from ... import figures
from ...measures.evaluate import RULES, select
from ...methods import METHODS, FasTEN
from ...noise import SymmetricInclusive
from ..effects import Effect, estimate, in_words, mean
from ..tables import blank, percent, published, share
from .claims import CLAIMS
from .experiments import ALL
from .measured import priced


def _symmetric(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows.noise == "symmetric_inclusive"]


def _noise(rows: pd.DataFrame) -> pd.Series:
    """The noise of each row, as `sym 0.2`."""
    kind = rows.noise.map(lambda name: "sym" if name == "symmetric_inclusive" else "asym")
    return kind + rows.rate.map(" {:g}".format)


def _hardest(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows at the highest rate of symmetric noise."""
    rows = _symmetric(rows)
    return rows[rows.rate == rows.rate.max()]


def _percent_of(rows: pd.DataFrame, share: str, index: str, columns: str) -> pd.DataFrame:
    """Another share than accuracy as `mean ± standard deviation` in percent; rows without it are left out."""
    rows = rows[rows[share].notna()]
    return percent(rows.assign(test_accuracy=rows[share]), index, columns)


def passes_of_methods() -> pd.DataFrame:
    """Every method of Table 1 with its forward and backward passes a step, first stages included, and what it does."""
    rows = {}
    for name in ALL:
        forward, backward = METHODS[name]().passes
        rows[name] = forward, backward, " ".join(inspect.getdoc(METHODS[name]).split())
    return pd.DataFrame(rows, index=["forward", "backward", "what it does"]).T


def findings(verdicts: pd.DataFrame, rows: pd.DataFrame, tier: str, rule: str) -> dict[str, str]:
    """What the prose says: the verdict on every claim; accuracies in percent at the highest symmetric noise; what was
    run. `rows` are those of the table, chosen by the rule."""
    told = dict(zip(verdicts.claim, verdicts.verdict, strict=True))
    said = {f"verdict_{claim.id}": told.get(claim.id, "not run") for claim in CLAIMS}
    hardest = _hardest(rows)
    means = 100 * hardest.groupby("method").test_accuracy.mean()
    said |= {f"acc_{name}": f"{means[name]:.1f} %" for name in ("fasten", "glc", "trusted_only", "ce")}
    said |= {"tier": tier, "rule": rule, "data": ", ".join(rows.dataset.unique()), "top": f"{hardest.rate.max():g}"}
    said |= {"best": f"{means.idxmax()} with {means.max():.1f} %", "trusted": f"{rows.trusted.max():,}"}
    return said | {"pairs": f"{int(rows.images.max()):,}"}


def accuracies(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent, mean ± standard deviation over seeds, by method and kind and nominal rate of noise."""
    return percent(rows.assign(of=_noise(rows)), "method", "of").reindex(ALL)


def shares_of_wrong_labels(rows: pd.DataFrame) -> pd.DataFrame:
    """Labels that are really wrong, in percent, least and most over seeds, by kind and nominal rate of noise; and the
    rate that papers which always draw another of ten classes would give symmetric noise."""
    realised = 100 * rows.groupby(_noise(rows).rename("of"), sort=False).realised_rate.agg(["min", "max"])
    exclusive = {}
    for rate in _symmetric(rows).rate.unique():
        kept = SymmetricInclusive(rate).matrix(10).diagonal().mean()
        exclusive[f"sym {rate:g}"] = 100 * (1 - kept)
    return blank(realised.assign(exclusive=pd.Series(exclusive)).round(1))


def prices_of_paper(rate: float) -> pd.DataFrame:
    """`priced` of the paper, on CIFAR-10 at a rate of symmetric noise, with half of the 95 % interval as spread."""
    rows = published("kye2022").assign(method=lambda t: t.series.str.removeprefix("method="))
    hours = rows[rows.metric == "training time (h)"].set_index("method").value
    told = rows[(rows["where"] == "Table 1") & (rows.dataset == "cifar10") & (rows["at"] == rate)]
    told = told[told.knob == "symmetric rate (inclusive)"].set_index("method")
    return pd.DataFrame({"accuracy": told.value, "spread": told.plusminus, "cost": hours / hours["fasten"]})


def accuracy_against_cost(rows: pd.DataFrame) -> Figure:
    """Test accuracy in percent against the time of training in multiples of FasTEN's, a point per method: ours with
    one standard deviation over seeds (left), the paper's with half of its 95 % interval (right)."""
    ours = {f"ours, symmetric {rows.rate.max():g}": priced(rows)}
    return figures.cost(ours | {"paper, symmetric 0.8": prices_of_paper(0.8)})


def costs(rows: pd.DataFrame) -> pd.DataFrame:
    """By method, the cheapest first: seconds of training, the same in multiples of FasTEN's, passes of a whole training
    and peak memory in MB; each the least over seeds."""
    spent = rows.groupby("method")[["seconds", "forward_passes", "backward_passes", "peak_memory_mb"]].min()
    spent.insert(1, "FasTEN = 1", (spent.seconds / spent.seconds["fasten"]).round(2))
    return spent.sort_values("seconds").round({"seconds": 1})


def time_to_best(history: pd.DataFrame) -> pd.DataFrame:
    """By method, at the evaluation that noisy validation chooses: seconds of training over those of FasTEN, paired by
    seed, with 95 % intervals; the paper's ratio of whole trainings; the accuracy there, in percent."""
    chosen = select(history, "noisy validation")
    hours = prices_of_paper(0.8).cost
    rows = {}
    for name in [name for name in ALL if name in {*chosen.method}]:
        told = estimate(chosen, Effect("", partial(_over_fasten, name), factor=True))
        ratio = in_words(told, ".2f") if told.error > 1e-9 else f"{told.effect:.2f}"
        accuracy = share(chosen[chosen.method == name].test_accuracy)
        paper = f"{hours[name]:.2f}" if name in hours else ""
        rows[name] = {"time, FasTEN = 1": ratio, "paper, whole training": paper, "accuracy there": accuracy}
    return pd.DataFrame(rows).T


def _over_fasten(name: str, rows: pd.DataFrame) -> float:
    return mean(rows, "seconds", method=name) / mean(rows, "seconds", method="fasten")


def heads(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent and seconds of training, with two heads on one network and with two networks, by rate of
    symmetric noise."""
    way = rows.method_shared.map({True: "two heads", False: "two networks"})
    table = percent(rows.assign(way=way), "way", "rate")
    return table.assign(seconds=rows.groupby(way).train_seconds.median().round(1))


def accuracy_by_rule(history: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent at the highest symmetric noise, by the rule that chooses the evaluation."""
    hardest = _hardest(history)
    chosen = pd.concat([select(hardest, rule).assign(rule=rule) for rule in RULES])
    return percent(chosen, "method", "rule").reindex(ALL)


def _matrices(history: pd.DataFrame) -> pd.DataFrame:
    """Rows by method, with the noise of each as a column `of`."""
    noise = history.noise.str.replace("_inclusive", "") + history.rate.map(" {:g}".format)
    return history.assign(of=noise).sort_values("method", kind="stable")


def matrix_error(history: pd.DataFrame) -> Figure:
    """Mean total variation of the rows of each method's T from the true ones, over training; axes per noise."""
    return figures.lines(_matrices(history), "T_error", "method", "of", "error of T")


def matrix_chi_square(history: pd.DataFrame) -> Figure:
    """The same as chi-square divergence, on a logarithmic axis; without MLoC, since zeros in its T make it infinite."""
    fig = figures.lines(_matrices(history[history.method != "mloc"]), "T_chi2", "method", "of", "chi-square of T")
    fig.axes[0].set_yscale("log")
    return fig


def diagonals(history: pd.DataFrame) -> Figure:
    """FasTEN's mean diagonal of T and that of the labels in use, over training; axes per rate of symmetric noise."""
    rows = _symmetric(history)
    rows = rows[rows.method == "fasten"]
    rows = rows.assign(of=rows.rate.map("noise {:g}".format))
    true = rows.assign(matrix="labels in use", mean=rows.corrected_diagonal)
    estimated = rows.assign(matrix="T-hat", mean=rows.T_diagonal)
    return figures.lines(pd.concat([true, estimated]), "mean", "matrix", "of", "mean diagonal")


def diagonals_of_paper() -> pd.DataFrame:
    """The paper's mean diagonals of both matrices, by epoch of 70."""
    paper = published("kye2022").query("`where` == 'figure of the mean diagonal'")
    return paper.pivot_table(index="series", columns="at", values="value")


def corrections(rows: pd.DataFrame) -> pd.DataFrame:
    """Of methods that correct labels, in percent by noise: of all labels in use the right ones, of wrong labels those
    put right, of right labels those put wrong."""
    names = {"corrected": "right", "corrected_wrong": "put right", "miscorrected": "put wrong"}
    rows = rows[rows.corrected.notna()].rename(columns=names)
    means = 100 * rows.assign(of=_noise(rows)).groupby(["of", "method"], sort=False)[[*names.values()]].mean()
    return means.round(1).unstack()


def perturbed_corrections(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent by the share of corrected labels that are replaced by random ones: ours, and the methods
    of the paper's figure, whose points are one run each."""
    share = rows.method_perturb.astype(object).where(rows.method_correct.astype(bool), "no corrections")
    ours = percent(rows.assign(row="ours", share=share), "row", "share")
    paper = published("kye2022").query("`where` == 'figure of perturbed corrections'")
    share = paper["at"].astype(object).where(paper["at"].notna(), "no corrections")
    name = paper.series.str.removeprefix("method=").str.split().str[0]
    theirs = paper.assign(row="paper, " + name, share=share).pivot(index="row", columns="share", values="value")
    both = pd.concat([ours, theirs.map("{:.1f}".format).replace("nan", "")])
    return blank(both[sorted(both.columns, key=str)])


def changed(rows: pd.DataFrame) -> pd.Series:
    """What is not FasTEN's default in each row, as `rho = 0.5`."""
    told = pd.Series("", index=rows.index)
    for name, value in asdict(FasTEN()).items():
        values = rows[f"method_{name}"]
        told += (f" {name} = " + values.astype(str)).where(values != value, "")
    return told.str.strip().replace("", "FasTEN")


def one_thing_changed(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy of FasTEN in percent, by what was changed and by the rate of symmetric noise."""
    return percent(rows.assign(changed=changed(rows)), "changed", "rate")


def number_of_trusted_images(rows: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy in percent by the number of trusted images and method, and of wrong labels those that FasTEN puts
    right."""
    fasten = rows[rows.method == "fasten"]
    right = fasten.assign(method="fasten: put right", test_accuracy=fasten.corrected_wrong)
    return percent(pd.concat([rows, right]), "trusted", "method")


def shifted_images(shifted: pd.DataFrame, numbers: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Images mirrored and shifted beside images as they are, at the same noise and number of trusted ones: accuracy,
    mean diagonal of T and wrong labels put right, in percent by method; what a method has not is empty. Images as they
    are come from the runs on the number of trusted images (`numbers`) and on the parts of FasTEN (`parts`)."""
    plain = [numbers[numbers.trusted == shifted.trusted.max()], parts[parts.rate == shifted.rate.max()]]
    rows = pd.concat([shifted.assign(images="shifted"), *(table.assign(images="plain") for table in plain)])
    rows = rows.drop_duplicates("key").reset_index(drop=True)
    rows = rows.assign(way=rows.method.mask(rows.method == "fasten", changed(rows)))
    rows = rows[rows.way.isin(rows[rows.images == "shifted"].way)]
    blocks = {}
    measures = {"test_accuracy": "accuracy", "T_diagonal": "diagonal of T", "corrected_wrong": "put right"}
    for column, text in measures.items():
        blocks[text] = _percent_of(rows, column, "way", "images")
    return blank(pd.concat(blocks, axis=1))


def table_1_of_paper() -> pd.DataFrame:
    """The paper's Table 1 on CIFAR-10: test accuracy in percent with its 95 % interval, by method and noise."""
    paper = published("kye2022").query("`where` == 'Table 1' and dataset == 'cifar10'")
    cell = paper.value.map("{:.1f}".format) + paper.plusminus.map(" ± {:.1f}".format)
    noise = paper.knob.str.split().str[0] + paper["at"].map(" {:g}".format)
    paper = paper.assign(way=paper.series.str.removeprefix("method="), of=noise, cell=cell)
    table = paper.pivot(index="way", columns="of", values="cell")
    return table.reindex([name for name in ALL if name in table.index])


def contradictions_of_paper() -> pd.DataFrame:
    """Accuracies on CIFAR-10 in percent that the paper states twice, each time another."""
    paper = published("kye2022")
    noted = paper.note.fillna("").str.contains("Table 1 has [78]|Fig. 1 plots|figure of perturbed")
    twice = paper[noted & paper.dataset.eq("cifar10") & paper.model.notna()]
    return twice[["series", "where", "value"]].set_index("series")


def clothing_of_paper() -> pd.DataFrame:
    """The paper's Table 2, Clothing1M: test accuracy in percent; ours is not run."""
    paper = published("kye2022").query("`where` == 'Table 2'")
    return blank(paper.set_index("series")[["value", "plusminus", "note"]].assign(ours="not run"))
