"""Golden runs: an edit that changes numbers is seen, and tells which records may have moved."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from nlcore import papers
from nlcore.methods import CE, GCE, METHODS, Forward, HAlpha, MentorNet, Truncated
from nlcore.models import FAMILIES, MODELS
from nlcore.noise import NOISES, Matrix, PairFlip
from nlcore.papers import PAPERS
from nlcore.runs import golden, miniatures, store
from nlcore.training import train

KINDS = golden.golden_runs()
OF_CIFAR100 = {"asymmetric_superclass", "asymmetric_blocks", "hierarchical"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_golden_run_gives_what_it_gave(kind):
    record = train.train(KINDS[kind], "cpu")
    assert golden.changed(kind, golden.outcome(record.card, record.history, record.cost)) == ""


def test_no_two_golden_runs_are_of_one_kind_and_none_is_left_over():
    assert max(Counter(map(golden.kind, miniatures.all_runs())).values()) == 1
    assert golden.committed().keys() == KINDS.keys()


def test_every_part_has_a_golden_run():
    """Three noises have none: they need CIFAR-100's classes, and test_noise holds them."""
    of = {name for run in KINDS.values() for name in (run.spec()["noise"]["name"], run.spec()["method"]["name"])}
    assert {*METHODS, *NOISES} - of == OF_CIFAR100 and {*FAMILIES} == {*MODELS}
    assert {*FAMILIES.values()} - {FAMILIES[run.model] for run in KINDS.values()} == {"resnet50"}  # only streamed


@pytest.mark.parametrize("name", papers.experiments())
def test_the_golden_runs_of_an_experiment_have_all_its_features(name):
    for tier in papers.TIERS:
        for run in papers.runs(name, tier):
            guarded = {feature for kind in golden.rests_on(run) for feature in golden.features(KINDS[kind])}
            assert golden.features(run) - guarded <= {f"noise={name}" for name in OF_CIFAR100}


def test_a_run_rests_on_what_it_is_made_of_and_on_nothing_else():
    plain = replace(miniatures.PLAIN, method=CE())
    assert golden.rests_on(plain) == ("plain",)
    one = replace(plain, method=Truncated(pruner="current"), noise=PairFlip(0.2))
    assert {*golden.rests_on(one)} == {
        "plain",
        "method=truncated",
        "method=truncated, pruner=current",
        "noise=pair_flip",
    }
    sizes = replace(plain, dataset="mnist", seed=3, examples=500, budget=replace(plain.budget, steps=9, lr=0.5))
    assert golden.features(sizes) == golden.features(plain)
    assert "method=gce" in golden.rests_on(replace(plain, method=GCE(0.3)))
    assert "T=given, method=forward" in golden.rests_on(replace(plain, method=Forward(miniatures.LAW)))
    assert "kind=data, method=mentornet" in golden.rests_on(replace(plain, method=MentorNet("data"), trusted=10))
    assert golden.features(replace(plain, noise=Matrix(((1.0, 0.0), (0.0, 1.0))))) == golden.features(plain)


OLD = golden.Outcome("a", [{"step": 1, "loss": 1.0, "test_accuracy": 0.5, "seen": None}])


@pytest.mark.parametrize(
    "told, new",
    [
        ("", {"loss": 1.0001, "test_accuracy": 0.505}),
        ("loss 1.001 instead of 1.0", {"loss": 1.001}),
        ("test_accuracy 0.52", {"test_accuracy": 0.52}),
        ("seen 1.0 instead of None", {"seen": 1.0}),
        ("more is measured as well", {"more": 1.0}),
    ],
)
def test_what_other_processors_cause_is_no_difference_and_what_an_edit_causes_is(told, new):
    found = golden.difference(OLD, golden.Outcome("a", [OLD.history[0] | new]))
    assert (found == "") == (told == "") and told in found


def test_other_labels_and_missing_evaluations_are_differences():
    assert "labels" in golden.difference(OLD, OLD._replace(labels="b"))
    assert "0 evaluations" in golden.difference(OLD, OLD._replace(history=[]))


@pytest.mark.parametrize("moved, stale", [("method=gce", GCE()), ("T=given, method=forward", Forward(miniatures.LAW))])
def test_updating_a_kind_makes_stale_what_rests_on_it_and_nothing_else(monkeypatch, tmp_path, moved, stale):
    """Also where another kind has the same outcome, as cross entropy without T and forward correction without one."""
    methods = (CE(), Truncated(), GCE(), Forward(miniatures.LAW), HAlpha(0.0))
    records = [train.train(replace(miniatures.PLAIN, method=method), "cpu") for method in methods]
    known = golden.committed()
    monkeypatch.setattr(golden, "place", lambda: tmp_path / "golden.json")
    golden.write(known)
    assert json.loads(golden.place().read_text()).keys() == known.keys()
    assert not any(record.stale for record in records)
    golden.write(known | {moved: known[moved]._replace(labels="moved")})
    assert [record.stale for record in records] == [method == stale for method in methods]


def test_a_kind_that_was_added_later_says_nothing_of_a_record_until_it_moves(monkeypatch, tmp_path):
    record, known = train.train(replace(miniatures.PLAIN, method=GCE()), "cpu"), golden.committed()
    old = golden.digest("method=gce", known["method=gce"])
    before = replace(record, golden=record.golden.replace(old, "").strip())  # made when there was no such kind
    monkeypatch.setattr(golden, "place", lambda: tmp_path / "golden.json")
    golden.write(known)
    assert not before.stale
    golden.write(known | golden.accepted({"method=gce": known["method=gce"]._replace(labels="moved")}))
    assert golden.committed()["method=gce"].moved and before.stale and record.stale
    assert not replace(before, run=replace(record.run, method=CE())).stale


def test_what_a_card_says_is_part_of_a_change_that_was_accepted(monkeypatch, tmp_path):
    """Records by code that counted labels or passes otherwise are no longer current, nor those made meanwhile later."""
    record, known = train.train(miniatures.PLAIN, "cpu"), golden.committed()
    monkeypatch.setattr(golden, "place", lambda: tmp_path / "golden.json")
    plain = known["plain"]
    golden.write(known | golden.accepted({"plain": plain._replace(card=plain.card | {"forward_passes": 99})}))
    assert record.stale
    golden.at_start.cache_clear()
    meanwhile = replace(record, golden=golden.digests_of(miniatures.PLAIN))
    assert not meanwhile.stale
    golden.write(known)
    golden.at_start.cache_clear()
    assert meanwhile.stale and not record.stale


def test_no_two_kinds_share_a_digest():
    assert len(golden.today().digests) == len(KINDS)


def test_a_record_knows_the_golden_runs_of_the_code_that_made_it(monkeypatch, tmp_path):
    """What another change writes while a process runs is not what that process did."""
    known, before = golden.committed(), golden.digests_of(miniatures.PLAIN)
    copy = tmp_path / "golden.json"
    monkeypatch.setattr(golden, "place", lambda: copy)
    golden.write(known)
    assert golden.digests_of(miniatures.PLAIN) == before
    golden.write(known | {"plain": known["plain"]._replace(labels="moved")})
    record = train.train(miniatures.PLAIN, "cpu")
    assert record.golden == before and record.stale


@pytest.mark.parametrize("paper", PAPERS)
def test_published_records_are_current_and_know_what_they_rest_on(paper):
    found = store.load_published(paper).values()
    assert not [record.run.key for record in found if record.stale]
    known = golden.at_start(golden.place())
    later = {known[name] for name in KINDS if "model=" in name}  # committed when most records were there
    for record in found:
        own, today = {*record.golden.split()}, {*golden.digests_of(record.run).split()}
        assert own <= today and today - own <= later
