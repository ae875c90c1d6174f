"""The verdicts on all claims, from the stored records."""

import math
from collections import defaultdict
from dataclasses import replace

import pandas as pd

from .. import home, words
from ..inputs import UserError
from ..measures.evaluate import curve_numbers
from ..runs import Run, frame
from ..sweep import find, recorded
from . import PAPERS
from .effects import Claim, Effect, Estimate, estimate, in_words, together, verdict
from .texts import NOT_RUN

NOISY = "noisy validation"
IDENTITY = "identity"  # in place of a tier, of claims that need no run
VERDICTS = ["reproduced", "inconclusive", "not reproduced", "not run"]
NOTHING = dict.fromkeys(("effect", "error", "low", "high"), math.nan) | dict.fromkeys(("seeds", "lacking", "stale"), 0)
CHANGED = "made by code that has since changed"


def effects(
    paper: str, tier: str, tables: dict[str | None, pd.DataFrame] | None = None, identities: bool = True
) -> pd.DataFrame:
    """One row per claim, effect and rule at a tier, judged on the stored records; or, for the experiments named in
    `tables` alone, on these frames (as from `runs.frame`). The name of identities, which need no run, is None; they
    are the same at each tier and can be left out."""
    found, whole = [], {None: (None, "")}
    for claim in PAPERS[paper].CLAIMS:
        name = claim.experiment.name if claim.experiment else None
        if (tables is not None and name not in tables) or (name is None and not identities):
            continue
        if name not in whole:  # several claims look at one experiment
            runs = claim.experiment(tier)
            history = frame(recorded(find(runs, paper))) if tables is None else tables[name]
            whole[name] = of_whole_seeds(runs, history, "" if tables is None else " on this page")
        told = {"claim": claim.id, "paper": paper, "tier": tier if name else IDENTITY}
        told["experiment"] = f"{paper}.{name}" if name else ""
        found += [told | row for row in judged(claim, *whole[name])]
    return pd.DataFrame(found)


def of_whole_seeds(runs: list[Run], history: pd.DataFrame, place: str = "") -> tuple[pd.DataFrame, str]:
    """Of an experiment at a tier the rows of those seeds that have all runs; and how many of the runs there are in this
    place, unless that is all or none. A claim may take a mean, the largest or the least of what was run, which of a
    part of a seed's runs, or of these and other settings, is another number. Seeds beyond the tier's own count as
    well."""
    if not len(history):
        return history, ""
    there, wanted = {*history.key}, defaultdict(set)
    for run in runs:
        wanted[run.seed].add(run.key)
    beyond = {*history.seed.tolist()} - wanted.keys()
    settings = {replace(run, seed=0) for run in runs} if beyond else set()
    for seed in beyond:
        wanted[seed] = {replace(run, seed=seed).key for run in settings}
    whole = set().union(*(keys for keys in wanted.values() if keys <= there))
    made = sum(run.key in there for run in runs)
    return history[history.key.isin(whole)], f"{made} of {len(runs)} runs{place}" if made < len(runs) else ""


def rules(claim: Claim) -> list[str]:
    """Under which rules a claim is judged: the paper's and noisy validation or, where that is the paper's, the last
    evaluation; only the last one if it is about the end, or an identity."""
    if claim.experiment is None or claim.end:
        return ["last"]
    return [claim.rule, "last" if claim.rule == NOISY else NOISY]


def judged(claim: Claim, history: pd.DataFrame | None, part: str = "") -> list[dict]:
    """A row for each effect of a claim under each rule, on a frame with a row per run and evaluation. `part` says how
    many runs there are, if some lack (see `of_whole_seeds`)."""
    published = papers_numbers(claim) if claim.published else None
    theirs = [math.nan if published is None else of_paper(effect, published) for effect in claim.effects]
    rows = []
    for place, rule in enumerate(rules(claim)):
        runs, missing = chosen(claim, history, rule, part)
        for effect, papers_effect in zip(claim.effects, theirs, strict=True):
            row = {"what": effect.what, "rule": rule, "own_rule": place == 0}
            row |= measured(claim, effect, runs, missing, part)
            row |= {"bound": effect.bound, "least": effect.least, "most": effect.most, "why": effect.why}
            rows.append(row | {"papers_effect": papers_effect, "where": claim.where, "sentence": claim.sentence})
    return rows


def papers_numbers(claim: Claim) -> pd.DataFrame:
    """The paper's own numbers that a claim is about; a `UserError` if one is missing, twice there or not as it was."""
    try:
        return claim.published()
    except (KeyError, ValueError) as error:
        told = f"a number of claim {claim.id} is missing, or there twice ({type(error).__name__}: {error})"
        raise UserError(f"{home() / 'book' / 'published.csv'}: {told}; `git diff` shows what has changed") from None


def chosen(claim: Claim, history: pd.DataFrame | None, rule: str, part: str) -> tuple[pd.DataFrame, str]:
    """A row per run, chosen by the rule; or why there is none."""
    if history is None or claim.experiment is None:
        return pd.DataFrame(), ""
    if not len(history):
        return pd.DataFrame(), f"run in part: {part}" if part else f"no record of {claim.experiment.name} at this tier"
    for column in claim.single:
        if column in history and history[column].nunique() > 1:
            return pd.DataFrame(), f"more than one {column} in one table"
    try:
        return curve_numbers(history, rule), ""
    except UserError as error:
        return pd.DataFrame(), str(error)


def measured(claim: Claim, effect: Effect, runs: pd.DataFrame, missing: str, part: str = "") -> dict:
    """Ours: the effect with its interval, the verdict and what it rests on."""
    if claim.experiment is None:
        value = effect.of(runs)
        found = Estimate(value, 0.0, value, value, 0)
        exact = {"verdict": verdict(found, effect), "evidence": "computed, without a run", "lacking": 0, "stale": 0}
        return found._asdict() | exact
    found = estimate(runs, effect) if len(runs) else None
    if found is None:
        return NOTHING | {"verdict": "not run", "evidence": missing or f"needs {claim.needs}"}
    lacking = runs.seed.nunique() - found.seeds
    if lacking:  # whether a seed has a number depends on how its runs came out, so the others are no random sample
        found = found._replace(error=math.nan, low=-math.inf, high=math.inf)
    return found._asdict() | {
        "lacking": lacking,
        "verdict": verdict(found, effect),
        "evidence": evidence(found, runs) + (f", those with all runs: there are {part}" if part else ""),
        "stale": stale_among(runs),
    }


def stale_among(runs: pd.DataFrame) -> int:
    """How many of some rows are of stale records; numbers of papers are of none."""
    return int(runs.stale.sum()) if "stale" in runs else 0


def evidence(found: Estimate, runs: pd.DataFrame) -> str:
    """`Fashion-MNIST, small conv net, 3 seeds`, and how many of the records are stale."""
    networks = runs.model.unique()
    network = words.said(networks[0]) if len(networks) == 1 else f"{len(networks)} networks"
    seeds = f"{found.seeds} seeds" if found.seeds > 1 else "one seed"
    count = stale_among(runs)
    old = f", {count} of {len(runs)} records {CHANGED}" if count else ""
    return f"{words.listed(sorted(runs.dataset.unique()))}, {network}, {seeds}{old}"


def of_paper(effect: Effect, published: pd.DataFrame) -> float:
    """The same effect of the paper's own numbers; NaN where it has not all that it takes."""
    found = estimate(published if "seed" in published else published.assign(seed=0), effect)
    return found.effect if found else math.nan


def verdicts(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per claim of some effects: its verdict under the paper's rule, and under noisy validation
    (`noisy_validation`; the same for a claim about the end of training)."""
    found = []
    for (claim, paper, tier), part in rows.groupby(["claim", "paper", "tier"], sort=False):
        own, other = part[part.own_rule], part[part.rule == NOISY]
        told = {"claim": claim, "paper": paper, "tier": tier, "verdict": together(own.verdict)}
        told["noisy_validation"] = together(other.verdict) if len(other) else told["verdict"]
        found.append(told | part.iloc[0][["where", "sentence"]].to_dict())
    return pd.DataFrame(found)


def scoreboard(tiers: tuple[str, ...]) -> pd.DataFrame:
    """All papers' effects at every tier that has records; "not run" where a claim was run in part, or at no tier."""
    found = [effects(paper, tier, identities=tier == tiers[0]) for paper in PAPERS for tier in tiers]
    rows = pd.concat(found, ignore_index=True)
    return of_tiers_that_ran(rows, ", ".join(tiers))


def of_tiers_that_ran(rows: pd.DataFrame, all_tiers: str) -> pd.DataFrame:
    """Each claim at the tiers at which any of its effects was run, with all its effects there; one that was run at none
    once, for `all_tiers`."""
    ran = (rows.verdict != "not run").groupby([rows.claim, rows.paper, rows.tier]).transform("any")
    never = rows[~rows.claim.isin(rows.claim[ran])].drop_duplicates(["claim", "paper", "what", "rule"], keep="last")
    rows = pd.concat([rows[ran], never.assign(tier=all_tiers)])
    return rows.drop_duplicates(["claim", "paper", "tier", "what", "rule"]).reset_index(drop=True)


def told(rows: pd.DataFrame) -> list[dict]:
    """Effects as plain data, numbers that are not there as None: what `nlcore scoreboard --json` prints."""
    numbers = ["effect", "error", "low", "high", "least", "most", "papers_effect"]
    plain = rows.astype({name: object for name in numbers})
    finite = rows[numbers].map(math.isfinite)
    plain[numbers] = plain[numbers].where(finite, None)
    found = plain.to_dict("records")
    for row in found:
        row["interval"] = [row.pop("low"), row.pop("high")]
    return found


def in_short(rows: pd.DataFrame) -> pd.DataFrame:
    """Effects as a table to read: what was found, with its interval, beside the bound and the paper's own value."""
    columns = ["claim", "tier", "rule", "what", "verdict"]
    table = rows[columns].assign(ours=rows.apply(found_in_words, axis=1), claimed=rows.bound)
    table["paper"] = rows.papers_effect.map(number)
    return table[["claim", "tier", "what", "rule", "ours", "claimed", "paper", "verdict"]]


def number(value: float) -> str:
    """Three digits; nothing where there is no value."""
    return "" if math.isnan(value) else f"{value:.3g}"


def found_in_words(row: pd.Series) -> str:
    """`10.0 (8.1 to 11.9)`."""
    if math.isnan(row.effect):
        return ""
    if row.seeds == 0:  # an identity, of whose last digits each processor has its own
        rounding = row.most / 1000
        within = 0 < rounding < math.inf and row.effect <= rounding
        return f"below {rounding:.0e}" if within else f"{row.effect:.2g}"
    if row.lacking:
        return f"{in_words(row)} in {row.seeds} of {row.seeds + row.lacking} seeds, the others having no such number"
    return in_words(row) + ("" if row.seeds > 1 else " (one seed)")


def of_effects(rows: pd.DataFrame) -> dict[str, str]:
    """Every effect with its interval as text, for sentences: `E3_0`, `E3_1`, ... in the order of its claim under the
    paper's rule, `E3_0_other` under the other one; `(not run)` where there is none."""
    said = {}
    for (claim, own), part in rows.groupby(["claim", "own_rule"], sort=False):
        for place, (_, row) in enumerate(part.iterrows()):
            said[f"{claim}_{place}" + ("" if own else "_other")] = found_in_words(row) or NOT_RUN
    return said


def totals(rows: pd.DataFrame) -> pd.DataFrame:
    """How many claims have each verdict: those that are measured on runs, under the papers' rules and under noisy
    validation, and identities, which have no rule."""
    measured, exact = by_kind(verdicts(rows))
    counts = {"the paper's rule": measured.verdict, "noisy validation": measured.noisy_validation}
    counts["identities"] = exact.verdict
    counted = {kind: column.value_counts().reindex(VERDICTS, fill_value=0) for kind, column in counts.items()}
    return pd.DataFrame(counted).rename_axis("verdict")


def by_kind(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows about claims that are measured on runs, and those about identities."""
    exact = table.tier == IDENTITY
    return table[~exact], table[exact]


def in_total(rows: pd.DataFrame) -> list[str]:
    """A sentence for each tier, and one for identities: how many claims have each verdict under the papers' rules."""
    said = []
    for tier, part in verdicts(rows).groupby("tier", sort=False):
        counts = part.verdict.value_counts().reindex(VERDICTS, fill_value=0)
        kind = "identities, which need no run" if tier == IDENTITY else f"claims measured on runs, at {tier}"
        told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
        said.append(f"{len(part)} {kind}: {told}")
    old = rows[rows.stale > 0].groupby(["claim", "paper", "tier"]).ngroups
    return said + ([f"{old} of them are judged on records {CHANGED}; `nlcore status` names those"] if old else [])
