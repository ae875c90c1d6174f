"""What chapter 13 shows of tuned methods: each with the one of five settings that noisy validation prefers, beside the
setting of its paper."""

from functools import partial
from statistics import mode

import pandas as pd

from ... import data, words
from ...measures.evaluate import select
from ...runs import Run
from ..effects import ahead
from ..texts import NOT_RUN, interval, number
from .exhibits import KINDS, NOISES, by_method, cell, complete, led, seeds_of
from .experiments import KNOBS, method

# what is changed in the recipe of cross entropy, and how it is said
RECIPE = {"lr": "learning rate", "weight_decay": "weight decay", "steps": "steps"}
GROUP = ["noise", "rate", "seed", "method"]  # of these, one run is chosen
PUBLISHED, TUNED = "as published", "tuned"


def settings(planned: list[Run]) -> pd.DataFrame:
    """A row per key: the `setting` of the run in words, and whether it is the `published` one."""
    usual = {name: mode(getattr(run.budget, name) for run in planned) for name in RECIPE}
    return pd.DataFrame.from_dict({run.key: setting(run, usual) for run in planned}, orient="index")


def setting(run: Run, usual: dict[str, float]) -> dict:
    """How a run differs from the recipe that most have, or else the value of its method's knob."""
    own = {name: getattr(run.budget, name) for name in RECIPE}
    changed = [f"{words_of} {own[name]:g}" for name, words_of in RECIPE.items() if own[name] != usual[name]]
    name = run.spec()["method"]["name"]
    if name not in KNOBS:
        return {"setting": ", ".join(changed) or "unchanged", "published": not changed}
    knob, _ = KNOBS[name]
    (papers_own,) = method(name, run.noise, data.classes(run.dataset))
    value = getattr(run.method, knob)
    return {"setting": f"{knob} = {value:g}", "published": value == getattr(papers_own, knob)}


def chosen(history: pd.DataFrame, planned: list[Run], rule: str) -> dict[str, pd.DataFrame]:
    """The runs with the published setting, and those with the setting that is best on noisy validation, a row each at
    the evaluation that the rule chooses; only where all settings of a method were run with a seed."""
    if not len(history):
        return {}
    told = settings(planned)
    rows = select(history, rule).join(told, on="key")
    in_plan = pd.Series({run.key: run.spec()["method"]["name"] for run in planned})
    efforts = told.setting.groupby(in_plan).nunique()
    whole = rows[rows.groupby(GROUP).key.transform("size") == rows.method.map(efforts)]
    best = whole.groupby(GROUP).noisy_validation.idxmax()
    return {PUBLISHED: whole[whole.published], TUNED: whole.loc[best]} if len(whole) else {}


def accuracy(history: pd.DataFrame, planned: list[Run], kind: str, rate: float) -> pd.DataFrame:
    """Test accuracies under a noise by method where noisy validation chooses the evaluation, as published and tuned,
    and which setting it chose, for each seed. What was not run is empty."""
    columns, as_cell = {}, partial(cell, planned=seeds_of(planned))
    for name, of in chosen(under(history, kind, rate), planned, "noisy validation").items():
        columns[name] = of.groupby("method").test_accuracy.agg(as_cell)
        if name == TUNED:
            columns["setting"] = of.sort_values("seed").groupby("method").setting.agg(listed)
    return by_method(columns, planned)


def under(history: pd.DataFrame, kind: str, rate: float) -> pd.DataFrame:
    """The rows of a noise."""
    return history[history.noise.isin(KINDS[kind]) & (history.rate == rate)]


def listed(found: pd.Series) -> str:
    """`q = 0.7, 0.7, 0.85`; the one setting alone where all seeds have it."""
    first, *others = found
    if {*others} <= {first}:
        return first
    name, equals, _ = first.rpartition("= ")
    return ", ".join([first, *(other.removeprefix(name + equals) for other in others)])


def gains(history: pd.DataFrame, planned: list[Run]) -> pd.DataFrame:
    """Points ahead of cross entropy where noisy validation chooses the evaluation: of tuned methods ahead of tuned
    cross entropy, of published settings ahead of the published one (see `exhibits.led`)."""
    return led(chosen(history, planned, "noisy validation"))


def numbers(history: pd.DataFrame, planned: list[Run]) -> dict[str, str]:
    """What sentences say of tuning, where noisy validation chooses setting and evaluation."""
    said = {"tuned_runs": complete(history, planned)}
    for word in ("half", "image"):
        rows = under(history, *NOISES[word])
        found = chosen(rows, planned, "noisy validation")
        said |= {f"tuning_{name}_{word}": value for name, value in of_one_noise(found).items()}
    return said


def of_one_noise(found: dict[str, pd.DataFrame]) -> dict[str, str]:
    """Of settings that were chosen under one noise: what tuning gains cross entropy (`plain`) and the median method,
    the best tuned method and its lead over tuned cross entropy, of how many methods, how many are ahead of cross
    entropy with their whole interval before and after, and the rank correlation of both orders."""
    names = ("plain", "median", "best", "best_lead", "methods", "before", "after", "order")
    both = pd.concat([rows.assign(choice=name) for name, rows in found.items()]) if found else pd.DataFrame()
    if not len(both):
        return dict.fromkeys(names, NOT_RUN)
    means = 100 * both.groupby(["method", "choice"]).test_accuracy.mean().unstack()
    others = means.drop("ce", errors="ignore")
    best, leads = others[TUNED].idxmax() if len(others) else "ce", led(found)
    told = [leads[(leads.rule == name) & (leads.low > 0) & (leads.seeds > 1)] for name in (PUBLISHED, TUNED)]
    values = (
        interval(both, partial(ahead, a=TUNED, b=PUBLISHED, by="choice", method="ce")),
        number((others[TUNED] - others[PUBLISHED]).median(), "+.1f"),
        words.method(best),
        interval(found[TUNED], partial(ahead, a=best, b="ce")),
        str(len(others)),
        *(str(len(rows)) for rows in told),
        number(means[PUBLISHED].corr(means[TUNED], "spearman"), ".2f"),
    )
    return dict(zip(names, values, strict=True))
