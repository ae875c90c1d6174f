"""The rule of verdicts; and the effects of Rolnick et al.: they hold on the paper's own numbers and fail on them turned
round."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlcore import papers, sweep
from nlcore.inputs import UserError
from nlcore.methods import HAlpha
from nlcore.noise import Clean
from nlcore.papers import PAPERS, rolnick2017, scoreboard, tables, texts
from nlcore.papers.effects import CORRELATION, Effect, estimate, points, together, verdict
from nlcore.papers.rolnick2017 import measured, published
from nlcore.runs import Run, store
from nlcore.runs import frame as frame_of

VERDICTS = {"reproduced", "not reproduced", "inconclusive", "not run"}


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=9), st.floats(-50, 50))
def test_a_verdict_is_where_the_interval_lies(values, bound):
    rows = pd.DataFrame({"seed": range(len(values)), "test_accuracy": [v / 100 for v in values]})
    effect = Effect("accuracy [%]", points, least=bound)
    found = estimate(rows, effect)
    assert found.seeds == len(values) and found.low <= found.effect <= found.high
    told, turned = verdict(found, effect), verdict(found, Effect("accuracy [%]", points, most=bound))
    assert told == (
        "reproduced" if found.low >= bound - 1e-9 else "not reproduced" if found.high < bound - 1e-9 else told
    )
    opposite = {"reproduced": "not reproduced", "not reproduced": "reproduced", "inconclusive": "inconclusive"}
    assert turned == opposite[told] or min(abs(found.low - bound), abs(found.high - bound)) < 1e-8


def test_the_interval_is_students_and_paired_by_seed():
    """Three differences of 1, 2 and 3 points: 2 +- 4.303 / sqrt(3)."""
    rows = pd.DataFrame(
        {"seed": [0, 1, 2] * 2, "method": ["a"] * 3 + ["b"] * 3, "test_accuracy": [0.51, 0.62, 0.93, 0.5, 0.6, 0.9]}
    )
    effect = Effect("a ahead", lambda part: points(part, method="a") - points(part, method="b"), least=0)
    found = estimate(rows, effect)
    assert found.effect == pytest.approx(2) and found.error == pytest.approx(1 / 3**0.5)
    assert found.high - found.effect == pytest.approx(4.30265 / 3**0.5, rel=1e-5)
    assert verdict(found, effect) == "inconclusive"
    assert estimate(rows[rows.seed == 1], effect).low == -math.inf  # one seed tells nothing of others
    assert estimate(rows[rows.method == "a"], effect) is None


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=6))
def test_a_sentence_and_a_table_round_alike(right):
    rows = pd.DataFrame({"of": "a", "at": "b", "seed": range(len(right)), "test_accuracy": [n / 10_000 for n in right]})
    assert tables.percent(rows, "of", "at").loc["a", "b"].split(" ")[0] == texts.number(points(rows))


def test_a_factor_is_averaged_in_logarithms():
    rows = pd.DataFrame({"seed": [0, 1], "value": [0.5, 2.0]})
    found = estimate(rows, Effect("factor", lambda part: part.value.mean(), factor=True))
    assert found.effect == pytest.approx(1) and found.low == pytest.approx(1 / found.high)


def test_of_several_numbers_the_one_with_the_worst_mean_counts_with_its_own_interval():
    """A worst one chosen anew for every seed would have the mean 0, which neither has."""
    cells = [{"a": 0.0, "b": 4.0}, {"a": 2.0, "b": 0.0}, {"a": 1.0, "b": 2.0}]
    rows = pd.DataFrame({"seed": range(3)})
    claimed = {"claimed above": {"least": 0}, "claimed below": {"most": 0}}
    found = {
        name: estimate(rows, Effect(name, lambda p: pd.Series(cells[p.seed.iloc[0]]), **at))
        for name, at in claimed.items()
    }
    assert found["claimed above"].effect == 1 and found["claimed below"].effect == 2
    assert found["claimed above"].high == pytest.approx(1 + 4.30265 / 3**0.5, rel=1e-5)
    assert estimate(rows, Effect("none", lambda p: pd.Series(dtype=float))) is None
    cells[0]["a"] = math.nan
    assert estimate(rows, Effect("a run is missing", lambda p: pd.Series(cells[p.seed.iloc[0]]), least=0)).seeds == 2


def test_no_interval_of_a_correlation_leaves_its_range():
    rows = pd.DataFrame({"seed": [0, 1, 2], "value": [1.0, 0.9, 0.5]})
    effect = Effect("correlation", lambda part: part.value.mean(), least=0, within=CORRELATION)
    found = estimate(rows, effect)
    assert found.low == pytest.approx(0.8 - 4.30265 * rows.value.std() / 3**0.5, rel=1e-5) and found.high == 1
    for claim in (claim for paper in PAPERS.values() for claim in paper.CLAIMS):
        assert all(one.within == CORRELATION for one in claim.effects if "correlation " in one.what), claim.id


def test_a_claim_claims_all_of_its_effects():
    assert together(["reproduced", "reproduced"]) == "reproduced"
    assert together(["reproduced", "inconclusive"]) == "inconclusive"
    assert together(["inconclusive", "not reproduced"]) == "not reproduced"
    assert together(["not reproduced", "not run"]) == "not run"


CLAIMS = {c.id: c for c in rolnick2017.CLAIMS}


def seeds(rows: pd.DataFrame, deviation: float = 1e-4) -> pd.DataFrame:
    """Three seeds of the same numbers, a little apart, with what a claim's frame must have."""
    rows = rows.assign(dataset=rows.get("dataset", "mnist"))
    parts = [rows.assign(seed=s, test_accuracy=rows.test_accuracy + (s - 1) * deviation) for s in range(3)]
    return pd.concat(parts, ignore_index=True)


def told(id: str, rows: pd.DataFrame) -> list[str]:
    """The verdict on each effect of a claim."""
    claim = CLAIMS[id]
    whole = all(rows[column].nunique() <= 1 for column in claim.single)
    missing = "" if whole else "more than one"
    return [scoreboard.measured(claim, e, rows if whole else rows[:0], missing)["verdict"] for e in claim.effects]


def by_delta(fresh: float = 0, spread: float = 0.01, fall: float = 0.4) -> pd.DataFrame:
    """Made up as the claims say it: the paper gives no numbers."""
    table = {("random", 0.0): 0.95, ("fresh", 0.5): 0.95, ("fresh", 1.0): 0.95 + fresh}
    for i, order in enumerate(("confusing", "random", "reverse")):
        table |= {(order, 0.5): 0.9 - i * spread, (order, 1.0): 0.95 - fall}
    rows = [{"order": o, "delta": d, "alpha": 20.0, "test_accuracy": v} for (o, d), v in table.items()]
    return pd.DataFrame(rows).assign(model="conv4")


def ranked(confusing: float = 0.03, learned: float = 0.02) -> pd.DataFrame:
    ahead = {"confusing": confusing, "learned": learned, "random": 0.0}
    rows = [{"order": o, "delta": d, "test_accuracy": 0.8 + gain} for o, gain in ahead.items() for d in (0.5, 0.9)]
    return pd.DataFrame(rows).assign(alpha=20.0, model="conv4")


def by_carrier(white: float = 0.97, foreign: float = 0.9, same: float = 0.8, name: str = "cifar100") -> pd.DataFrame:
    rows = {"carrier": ["white", name, "same"], "test_accuracy": [white, foreign, same]}
    return pd.DataFrame(rows).assign(alpha=10.0, model="conv6")


def with_cosine() -> pd.DataFrame:
    constant = published.fig11()
    return pd.concat([constant, constant.assign(schedule="cosine", test_accuracy=0.9)], ignore_index=True)


def rates_and_batches(apart: float = 0.0) -> pd.DataFrame:
    """Accuracy falls with the rate per batch; `apart` is what the batch adds by itself."""
    rows = [{"lr": lr, "batch": b} for lr in (0.1, 0.2, 0.4) for b in (32, 64, 128)]
    frame = pd.DataFrame(rows)
    accuracy = 0.9 - 10 * frame.lr / frame.batch + apart * frame.batch / 128
    return frame.assign(test_accuracy=accuracy, model="mlp2", alpha=20.0)


OWN = {
    **dict.fromkeys(("A1", "A2"), published.fig1),
    **dict.fromkeys(("A3", "A4"), published.fig2),
    **dict.fromkeys(("A7", "A7b", "A8"), published.fig8),
    **{"A5": by_delta, "A5b": by_delta, "Q1": by_delta, "A5c": ranked, "A6": by_carrier, "A6b": by_carrier},
    **{"A9": published.fig7, "A10": published.fig11, "A11": with_cosine, "A12": published.fig12},
    "Q2": rates_and_batches,
}


def mirrored(rows: pd.DataFrame) -> pd.DataFrame:
    """The noise turned round: the curve that falls rises."""
    alphas = sorted(rows.alpha.dropna().unique())
    return rows.assign(alpha=rows.alpha.map(dict(zip(alphas, alphas[::-1], strict=True))))


def with_models(rows: pd.DataFrame, swap: dict) -> pd.DataFrame:
    return rows.assign(model=rows.model.replace(swap))


def turned_batches(rows: pd.DataFrame) -> pd.DataFrame:
    largest = {0.0: 50.0, 50.0: 0.0}
    rows = rows.assign(batch=300 - rows.batch, method_alpha=rows.method_alpha.replace(largest))
    return rows.assign(test_accuracy=rows.test_accuracy - 0.05 * (rows.method_alpha == 50))


BACKWARDS = {"perceptron": "conv4", "conv4": "perceptron", "mlp1": "mlp4", "mlp4": "mlp1"}
TURN = {
    "A1": lambda f: f.assign(test_accuracy=1 - f.test_accuracy),
    "A2": lambda f: with_models(f, BACKWARDS).assign(test_accuracy=f.test_accuracy + 0.1 * (f.model == "conv4")),
    "A3": lambda f: with_models(f, {"resnet18": "conv4", "conv4": "resnet18"}),
    "A4": lambda f: f.assign(test_accuracy=f.test_accuracy + 0.1 * (f.model == "conv6")),
    "A5": lambda f: by_delta(spread=-0.2, fall=-0.5),
    "A5b": lambda f: f.assign(test_accuracy=f.test_accuracy.mask(f.delta == 0.5, 0.6)),
    "Q1": lambda f: by_delta(fresh=-0.1),
    "A5c": lambda f: ranked(-0.03, -0.02),
    "A6": lambda f: by_carrier(0.8, 0.9, 0.97),
    "A6b": lambda f: by_carrier(0.8, 0.9, 0.97),
    "A7": mirrored,
    "A7b": lambda f: f.assign(images=5 * f.images),
    "A8": lambda f: f.assign(test_accuracy=0.9 + f.test_accuracy / 20),
    "A9": lambda f: f.assign(test_accuracy=f.test_accuracy - 0.1 * (f.carrier == "novel")),
    "A10": turned_batches,
    "A11": lambda f: f.assign(schedule=f.schedule.replace({"constant": "cosine", "cosine": "constant"})),
    "A12": mirrored,
    "Q2": lambda f: rates_and_batches(apart=0.5),
}


def test_every_claim_that_needs_a_run_is_tested_here():
    assert set(OWN) == set(TURN) == {c.id for c in rolnick2017.CLAIMS if c.experiment}


@pytest.mark.parametrize("id", OWN)
def test_every_effect_holds_on_the_papers_own_numbers(id):
    assert set(told(id, seeds(OWN[id]()))) == {"reproduced"}


@pytest.mark.parametrize("id", OWN)
def test_the_papers_own_value_is_on_the_claimed_side(id):
    claim = CLAIMS[id]
    if claim.published:
        values = [scoreboard.of_paper(effect, claim.published()) for effect in claim.effects]
        sides = [e.least <= value <= e.most for e, value in zip(claim.effects, values, strict=True)]
        assert all(sides)


TURNED_IN_PART = {"A2": 2, "A5": 2}  # how many of the effects can be turned round together


@pytest.mark.parametrize("id", OWN)
def test_every_effect_fails_on_the_numbers_turned_round(id):
    verdicts = told(id, seeds(TURN[id](OWN[id]())))
    assert verdicts.count("not reproduced") >= TURNED_IN_PART.get(id, len(verdicts)), verdicts


@pytest.mark.parametrize("id", OWN)
def test_an_effect_that_scatters_across_its_bound_is_inconclusive(id):
    rows, turned = seeds(OWN[id]()), seeds(TURN[id](OWN[id]()))
    mixed = pd.concat([rows[rows.seed > 0], turned[turned.seed == 0]])
    assert "inconclusive" in told(id, mixed)


@pytest.mark.parametrize("id", OWN)
def test_a_missing_run_or_a_second_network_is_no_verdict(id):
    rows = seeds(OWN[id]())
    if "model" in CLAIMS[id].single:
        assert set(told(id, pd.concat([rows, rows.assign(model="mlp3")]))) == {"not run"}
    assert set(told(id, rows.assign(alpha=-1.0, delta=-1.0, method_alpha=-1.0, images=1.0, lr=1.0, batch=1))) == {
        "not run"
    }


def test_the_stand_in_is_used_only_where_conv4_is_missing():
    rows = published.fig1()
    both = pd.concat([rows, rows[rows.model == "conv4"].assign(model="conv_small", test_accuracy=0.1)])
    assert told("A1", seeds(both)) == ["reproduced"] * 2
    assert told("A1", seeds(with_models(rows, {"conv4": "conv_small"}))) == ["reproduced"] * 2
    assert told("A1", seeds(both[both.model != "conv4"])) == ["not reproduced"] * 2


def test_examples_needed_are_interpolated_between_sizes_in_the_logarithm():
    curve = pd.DataFrame({"images": [100, 1000, 10_000], "test_accuracy": [0.5, 0.7, 0.9], "alpha": 0.0, "seed": 0})
    n = measured.needed(pd.concat([curve, curve.assign(seed=1, test_accuracy=[0.1, 0.2, 0.3])]), 0.8).n
    assert n[0] == pytest.approx(10**3.5) and n[1] == float("inf")
    assert measured.needed(curve, 0.4).n[0] == pytest.approx(100)


def test_examples_needed_that_no_size_reaches_are_no_number():
    rows = seeds(published.fig8().assign(test_accuracy=0.5))
    assert told("A7", rows) == ["not run"] and told("A7b", rows) == ["not run"]


def test_frames_given_are_the_only_ones_judged():
    table = scoreboard.effects("rolnick2017", "laptop", {"structured": pd.DataFrame()})
    assert set(table.claim) == {"A5", "Q1"} and set(table.verdict) == {"not run"}


def test_an_identity_has_no_interval_and_one_rule():
    rows = scoreboard.effects("rolnick2017", "laptop", {None: pd.DataFrame()})
    assert [*rows.claim] == ["A13"] and rows.verdict[0] == "reproduced" and rows.rule[0] == "last"
    assert rows.error[0] == 0 and rows.low[0] == rows.effect[0] == rows.high[0] < 1e-12


def test_a_claim_is_judged_under_the_papers_rule_and_under_noisy_validation():
    run = {"key": "r", "seed": 0, "dataset": "mnist", "model": "conv_small", "alpha": 100.0}
    history = pd.DataFrame(
        [
            run | {"step": 1, "epoch": 1.0, "test_accuracy": 0.95, "noisy_validation": 0.2},
            run | {"step": 2, "epoch": 2.0, "test_accuracy": 0.15, "noisy_validation": 0.1},
        ]
    )
    claims = [claim for claim in PAPERS["rolnick2017"].CLAIMS if claim.id == "A1"]
    rows = pd.DataFrame([{"claim": "A1"} | row for claim in claims for row in scoreboard.judged(claim, history)])
    at_100 = rows[(rows.claim == "A1") & rows.what.str.contains("100")].set_index("rule")
    assert at_100.effect.round(9).to_dict() == {"last": 15.0, "noisy validation": 95.0}
    assert at_100.own_rule.to_dict() == {"last": True, "noisy validation": False}
    assert set(at_100.verdict) == {"inconclusive"}  # of one seed


def test_a_claim_is_judged_on_seeds_with_all_runs_of_the_experiment():
    """What is least among some rates is another number than what is least among all, or among these and others."""
    runs = papers.runs("rolnick2017.uniform", "smoke", models=["mlp1"], alphas=[0, 5], seeds=2)
    more = papers.runs("rolnick2017.uniform", "smoke", models=["mlp1"], alphas=[0, 5, 7], seeds=3)

    def kept(there):
        history = pd.DataFrame([{"key": run.key, "seed": run.seed} for run in there], columns=["key", "seed"])
        rows, part = scoreboard.of_whole_seeds(runs, history)
        return {*rows.key}, part

    keys = {seed: {run.key for run in more if run.seed == seed and run.noise != more[-1].noise} for seed in range(3)}
    assert kept(runs) == (keys[0] | keys[1], "")
    assert kept(more) == (keys[0] | keys[1] | keys[2], "")  # without the other alpha, with the other seed
    assert kept(runs[:0]) == (set(), "")
    assert kept([run for run in runs if run.noise == runs[0].noise]) == (set(), "2 of 4 runs")
    assert kept([run for run in runs if run.seed == 0]) == (keys[0], "2 of 4 runs")
    assert kept([run for run in runs if run != runs[-1]]) == (keys[runs[0].seed], "3 of 4 runs")
    (claim,) = [claim for claim in PAPERS["zhang2018"].CLAIMS if claim.id == "C1"]
    own = {run.key for run in claim.experiment("laptop")}
    history = frame_of([record for key, record in store.load_published("zhang2018").items() if key in own])
    (told,) = {(row["verdict"], row["evidence"]) for row in scoreboard.judged(claim, history[:0], "3 of 4 runs")}
    assert told == ("not run", "run in part: 3 of 4 runs")
    few = history[history.key.isin(sorted(own)[:9])]
    of_page = scoreboard.effects("zhang2018", "laptop", {claim.experiment.name: few})
    assert of_page.evidence.str.endswith(f"9 of {len(own)} runs on this page").all()
    (row, *_) = scoreboard.judged(claim, history, "3 of 4 runs")
    assert row["verdict"] != "not run" and row["evidence"].endswith("those with all runs: there are 3 of 4 runs")


def test_a_claim_that_was_run_in_part_is_not_reproduced_by_what_was_run():
    told = {"paper": "p", "rule": "last", "own_rule": True, "where": "", "sentence": ""}
    verdicts = [("A", "smoke", "one", "reproduced"), ("A", "smoke", "two", "not run"), ("A", "gpu", "one", "not run")]
    verdicts += [("B", "smoke", "one", "not run"), ("B", "gpu", "one", "not run")]
    rows = pd.DataFrame([told | dict(zip(("claim", "tier", "what", "verdict"), v, strict=True)) for v in verdicts])
    kept = scoreboard.of_tiers_that_ran(rows, "smoke, gpu")
    assert kept[["claim", "tier", "what"]].to_numpy().tolist() == [
        ["A", "smoke", "one"],
        ["A", "smoke", "two"],
        ["B", "smoke, gpu", "one"],
    ]
    assert scoreboard.verdicts(kept).verdict.tolist() == ["not run", "not run"]


def test_seeds_whose_runs_gave_no_number_are_counted_and_take_the_interval_away():
    """Which seeds those are depends on the outcome, so the others are no random sample."""
    (claim,) = [claim for claim in PAPERS["field"].CLAIMS if claim.id == "F5"]
    made = {"noise": "symmetric_exclusive", "rate": 0.5, "dataset": "fashion", "model": "conv_small"}
    gains = {0: (0.02, 0.02), 1: (0.01, -0.05), 2: (0.02, 0.02)}  # of one network and of two, by seed
    rows = [
        made | {"seed": seed, "method": method, "test_accuracy": 0.7 + gain}
        for seed, (one, two) in gains.items()
        for method, gain in (("ce", 0.0), ("small_loss", one), ("co_teaching", two))
    ]
    row = scoreboard.measured(claim, claim.effects[0], pd.DataFrame(rows), "")
    assert row["verdict"] == "inconclusive" and (row["seeds"], row["lacking"]) == (2, 1) and math.isinf(row["low"])
    told = scoreboard.found_in_words(pd.Series(row | {"most": math.inf}))
    assert told == "1 in 2 of 3 seeds, the others having no such number"
    whole = scoreboard.measured(claim, claim.effects[0], pd.DataFrame([r for r in rows if r["seed"] != 1]), "")
    assert whole["lacking"] == 0 and math.isfinite(whole["low"])


def test_the_scoreboard_has_every_claim():
    table = scoreboard.scoreboard(("smoke", "laptop"))
    assert set(table.verdict) <= VERDICTS
    assert set(table.claim) == {c.id for paper in PAPERS.values() for c in paper.CLAIMS}


@pytest.mark.parametrize("paper", PAPERS)
def test_every_effect_has_a_bound_a_reason_and_a_unit(paper):
    for claim in PAPERS[paper].CLAIMS:
        assert claim.effects and (claim.needs or claim.experiment is None), claim.id
        for effect in claim.effects:
            assert effect.why and effect.least < effect.most, (claim.id, effect.what)
            assert math.isfinite(effect.least) or math.isfinite(effect.most), (claim.id, effect.what)


def test_published_numbers_say_how_exact_they_are():
    table = tables.published("rolnick2017")
    figure = table[table["where"] == "Fig. 1"]
    assert len(figure) == 55 and not figure.duplicated(["model", "at"]).any()
    assert (figure.tag == "R").all() and (figure.plusminus == 0.3).all() and figure.value.between(10, 100).all()
    assert table[table.tag.isna()].empty
    counts = {
        "Fig. 2": 33,
        "Fig. 3": 12,
        "Fig. 7": 10,
        "Fig. 8": 52,
        "Fig. 9": 16,
        "Fig. 10": 10,
        "Fig. 11": 36,
        "Fig. 12": 44,
    }
    assert table.groupby("where").size().to_dict() == counts | {"Fig. 1": 55, "abstract": 1}
    assert not table.duplicated(["where", "model", "series", "at", "metric"]).any()


@pytest.mark.parametrize("paper", PAPERS)
def test_experiments_have_runs_at_every_tier(paper):
    for experiment in PAPERS[paper].EXPERIMENTS:
        for tier in ("smoke", "laptop", "gpu", "paper"):
            runs = experiment(tier)
            assert runs and all(isinstance(r, Run) for r in runs) and len({r.key for r in runs}) == len(runs)


def test_experiments_take_the_knobs_they_have_and_no_others():
    runs = papers.runs("rolnick2017.batch_size", "laptop", alphas=[0, 20], dataset="fashion")
    assert {r.dataset for r in runs} == {"fashion"} and len(runs) == 3 * 2 * (5 + 1) * 2
    for knob in (
        {"deltas": [0.5]},
        {"alphas": 3},
        {"batches": [1.5]},
        {"batches": []},
        {"batches": [0]},
        {"floor": 3},
        {"seeds": 0},
    ):
        with pytest.raises(UserError):
            papers.runs("rolnick2017.batch_size", "laptop", **knob)
    with pytest.raises(UserError, match="lrs"):
        papers.runs("rolnick2017.learning_rate", "laptop", lr=0.3)
    with pytest.raises(UserError, match="white"):
        papers.runs("rolnick2017.source", "laptop", carriers=["whit"], alphas=[0])
    with pytest.raises(UserError, match="confusing"):
        papers.runs("rolnick2017.structured", "laptop", orders=["confused"], deltas=[0])
    with pytest.raises(UserError, match="images to train on"):
        papers.runs("rolnick2017.data_size", "laptop", examples=[58_001])


def test_points_that_experiments_share_are_the_same_runs():
    at = {e.name: {r.key for r in e("laptop")} for e in rolnick2017.EXPERIMENTS}
    shared = [r for r in rolnick2017.uniform("laptop") if r.model == "conv_small"]
    assert {r.key for r in shared if r.noise.alpha in (0, 10, 20)} <= at["source"]
    assert {r.key for r in shared if r.noise.alpha == 50} <= at["data_size"]


def test_nothing_is_foreign_to_itself():
    runs = papers.runs("rolnick2017.source", "laptop", dataset="fashion")
    assert {r.carrier for r in runs} == {"same", "white", "photos"}


def test_h_alpha_is_trained_on_clean_labels_with_the_updates_of_the_largest_batch():
    limit = [r for r in rolnick2017.batch_size("laptop") if isinstance(r.method, HAlpha)]
    assert {r.budget.batch for r in limit} == {256} and all(isinstance(r.noise, Clean) for r in limit)
    steps = {
        r.noise.alpha: r.budget.steps
        for r in rolnick2017.batch_size("laptop")
        if r.budget.batch == 256 and r not in limit
    }
    assert {r.budget.steps for r in limit} == {max(steps.values())} and len({r.method.alpha for r in limit}) == 4


def test_a_pass_at_alpha_100_sees_every_pair():
    run = next(r for r in rolnick2017.uniform("laptop") if r.noise.alpha == 100)
    assert run.budget.steps * run.budget.batch >= 58_000 * 101 - 128


def shipped(name: str, **overrides) -> pd.DataFrame:
    """The published records of an experiment at `laptop`, one row per run."""
    found = sweep.find(papers.runs(f"rolnick2017.{name}", "laptop", **overrides), "rolnick2017")
    return frame_of([record for _, record in found.values() if record]).groupby("key").last().reset_index()


def test_structured_noise_without_structure_meets_the_uniform_curve():
    """On the shipped records: means at alpha = 20 differ by no more than the spread over seeds."""
    one = shipped("structured", deltas=[0.0]).test_accuracy
    other = shipped("uniform", alphas=[20.0], models=["conv_small"]).test_accuracy
    assert len(one) >= 3 <= len(other)
    assert abs(one.mean() - other.mean()) <= max(one.std(), other.std())


@pytest.mark.parametrize("name", sorted(papers.experiments()))
def test_every_laptop_experiment_ships_whole_and_current(name):
    states = {state for state, _ in sweep.find(papers.runs(name, "laptop"), name.partition(".")[0]).values()}
    assert states == {"done"}
