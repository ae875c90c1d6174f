"""Verification: what is drawn, what fits, which verdict, and that a second start trains nothing twice."""

from dataclasses import replace

import pytest

from nlcore import papers, vouch
from nlcore.inputs import UserError
from nlcore.methods import Truncated
from nlcore.noise import Structured, Uniform
from nlcore.papers import verification
from nlcore.papers.verification import Picked, Tolerances
from nlcore.runs import Budget, Run, miniatures
from nlcore.runs.record import parse_record
from nlcore.training import train

RUN = Run("digits", "perceptron", Budget(20, 32, evaluations=2), Uniform(1.0))


@pytest.fixture(scope="module")
def made():
    return train.train(RUN, "cpu")


@pytest.fixture(scope="module")
def public():
    return verification.published({name: papers.runs(name, "laptop") for name in papers.experiments()})


def paper(picked: Picked) -> str:
    return picked.experiment.partition(".")[0]


def test_a_share_of_every_experiment_is_drawn_by_the_seed(public):
    drawn = verification.drawn(public, 0.05, 1)
    assert {each.experiment for each in drawn} == {each.experiment for each in public}
    assert len({each.record.run.key for each in drawn}) == len(drawn) < 0.1 * len(public)
    keys = [[each.record.run.key for each in verification.drawn(public, 0.05, seed)] for seed in (1, 1, 2)]
    assert keys[0] == keys[1] != keys[2]
    assert len(verification.drawn(public, 1.0, 1)) == len(public)


def test_a_stale_record_is_not_verified(monkeypatch, made):
    monkeypatch.setattr(verification.store, "load_published", lambda paper: {RUN.key: replace(made, golden="old")})
    assert verification.published({"rolnick2017.uniform": [RUN]}) == []


def test_the_spread_is_that_of_runs_that_differ_in_the_seed_alone(made):
    records = [replace(other(made, accuracy=0.02 * i), run=replace(RUN, seed=i)) for i in range(3)]
    alone = replace(made, run=replace(RUN, model="mlp1"))
    assert verification.between_seeds([*records, alone]) == {RUN: pytest.approx(0.02)}


def test_a_budget_has_every_paper_before_a_second_of_any(public):
    drawn = verification.drawn(public, 0.05, 1)
    shortest = {}
    for each in verification.shortest_first(drawn):
        shortest.setdefault(paper(each), each.record.cost["seconds"])
    for seconds in (sum(shortest.values()) + 0.01, 600):
        found = verification.affordable(drawn, seconds / 60)
        assert {*map(paper, found)} == {*papers.PAPERS}
        assert sum(each.record.cost["seconds"] for each in found) <= seconds
    with pytest.raises(UserError, match="took longer than 0.001 minutes"):
        verification.affordable(drawn, 0.001)
    assert len(verification.affordable(drawn, None)) == len(drawn)


def other(record, accuracy=0.0, torch=None, labels=None, rate=0.0):
    """A record with its last test accuracy and its labels moved, of another torch."""
    last = record.history[-1] | {"test_accuracy": record.history[-1]["test_accuracy"] + accuracy}
    card = record.card | {"realised_rate": record.card["realised_rate"] + rate}
    card |= {"labels_sha256": labels} if labels else {}
    environment = record.environment | ({"torch": torch} if torch else {})
    return replace(record, history=[*record.history[:-1], last], card=card, environment=environment)


VERDICTS = [
    ({}, "exact"),
    ({"torch": "3.0"}, "exact"),
    ({"accuracy": 0.0099}, "near"),
    ({"accuracy": -0.0101}, "differs"),
    ({"labels": "others"}, "differs"),  # one seed, one torch: the same labels
    ({"rate": 0.001}, "near"),  # the card counts otherwise
    ({"rate": 0.5}, "differs"),
    ({"torch": "3.0", "accuracy": 0.0199}, "within"),
    ({"torch": "3.0", "accuracy": 0.0201}, "differs"),
    ({"torch": "3.0", "labels": "others", "rate": 0.019}, "within"),
    ({"torch": "3.0", "labels": "others", "rate": 0.021}, "differs"),
]


@pytest.mark.parametrize("change, verdict", VERDICTS, ids=str)
def test_verdicts(made, change, verdict):
    row = verification.compared(Picked("paper.experiment", made), other(made, **change), Tolerances())
    assert row["verdict"] == verdict and row["key"] == RUN.key


def test_one_that_diverged_differs(made):
    new = replace(made, diverged=True)
    assert verification.compared(Picked("a.b", made), new, Tolerances())["verdict"] == "differs"


def test_a_second_start_trains_nothing_twice(made, tmp_path, monkeypatch):
    picked, trained, inner = [Picked("a.b", made)], [], train.train
    monkeypatch.setattr(
        train, "train", lambda run, *words, **options: trained.append(run) or inner(run, *words, **options)
    )
    for _ in range(2):
        (row,) = verification.retrain(picked, ["cpu"], Tolerances(), tmp_path)
        assert row["verdict"] == "exact" and trained == [RUN]
    (path,) = tmp_path.rglob("*.json")
    path.write_text(path.read_text()[:50])
    [*verification.retrain(picked, ["cpu"], Tolerances(), tmp_path)]
    assert trained == [RUN, RUN]
    [*verification.retrain(picked, ["cpu"], Tolerances())]
    assert trained == [RUN] * 3


def counted(monkeypatch) -> list:
    """The runs that are trained from now on."""
    trained, inner = [], train.train
    monkeypatch.setattr(
        train, "train", lambda run, *words, **options: trained.append(run) or inner(run, *words, **options)
    )
    return trained


def test_what_other_code_has_trained_is_trained_again(made, tmp_path, monkeypatch, capsys):
    trained = counted(monkeypatch)
    for text, count in (("one", 1), ("one", 1), ("two", 2), ("one", 2)):
        monkeypatch.setattr(vouch, "code", lambda text=text: text)
        [*verification.retrain([Picked("a.b", made)], ["cpu"], Tolerances(), tmp_path / "kept")]
        assert len(trained) == count
    told = "1 of 1 were trained by an earlier start with this code"
    assert capsys.readouterr().err.count(told) == 2


def test_a_kept_record_under_the_key_of_another_run_is_not_used(made, tmp_path, monkeypatch):
    trained = counted(monkeypatch)
    [*verification.retrain([Picked("a.b", made)], ["cpu"], Tolerances(), tmp_path)]
    (path,) = tmp_path.rglob("*.json")
    other_run = replace(RUN, seed=1)
    path.rename(path.with_name(f"{other_run.key}.json"))
    [*verification.retrain([Picked("a.b", replace(made, run=other_run))], ["cpu"], Tolerances(), tmp_path)]
    assert trained == [RUN, other_run]


def test_a_card_is_compared_as_a_file_gives_it_back():
    new = train.train(replace(miniatures.PLAIN, noise=Structured(5.0, 0.25, "random")), "cpu")
    picked = Picked("rolnick2017.structured", parse_record(new.dump(), ""))
    assert verification.compared(picked, new, Tolerances())["verdict"] == "exact"


def test_a_measure_that_is_gone_is_not_exact(made):
    def without(record, name):
        return replace(record, history=[{k: v for k, v in row.items() if k != name} for row in record.history])

    less = without(made, "test_loss")
    assert less != made
    assert verification.compared(Picked("a.b", made), less, Tolerances())["verdict"] == "near"
    assert verification.compared(Picked("a.b", less), made, Tolerances())["verdict"] == "exact"  # one more is no harm


def test_what_cannot_be_trained_is_said(made):
    unfit = replace(made, run=replace(RUN, method=Truncated()))
    with pytest.raises(UserError, match="noisy validation"):
        verification.places([Picked("a.b", made), Picked("a.b", unfit)])
