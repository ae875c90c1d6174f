"""Golden runs are repeated before anything is trained: code that gives other numbers makes no record."""

import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from nlcore import cli, losses, models, sweep, vouch
from nlcore.inputs import UserError
from nlcore.methods import CE, GCE, Distillation, gce
from nlcore.papers import verification
from nlcore.runs import golden, miniatures, store

RUN = replace(miniatures.PLAIN, method=GCE(), seed=9)


@pytest.fixture(autouse=True)
def honest(monkeypatch, vouched):
    monkeypatch.setattr(vouch, "vouch", vouched)


def collect(runs) -> list[str]:
    said = []
    sweep.collect(runs, "nopaper", jobs=1, echo=said.append)
    return said


def test_golden_runs_come_first_and_once():
    assert "first 2 golden runs" in collect([RUN])[0]
    assert not any("golden" in line for line in collect([replace(RUN, seed=8)]))


def test_what_no_golden_run_has_is_said(monkeypatch):
    """Of a new option an edit would move records, and nothing would notice."""
    said = []
    monkeypatch.setattr(golden, "known", lambda: frozenset(golden.USUAL))
    vouch.vouch([RUN], said.append)
    assert "no golden run has method=gce" in said[0] and "nothing will notice" in said[0]


def test_other_code_is_held_again(monkeypatch):
    collect([RUN])
    monkeypatch.setattr(vouch, "code", lambda: "other")
    assert "first 2 golden runs" in collect([replace(RUN, seed=8)])[0]


def test_code_that_was_edited_since_the_process_began_makes_no_record(monkeypatch, tmp_path):
    """What is in memory would be vouched for, and remembered as what is on disk now, which the workers would obey."""
    monkeypatch.setattr(vouch, "__file__", str(tmp_path / "vouch.py"))
    (tmp_path / "losses.py").write_text("edited")
    with pytest.raises(UserError, match="edited since this process began"):
        collect([RUN])
    assert not [*store.working().glob("*.json")]


def test_a_worker_that_began_with_other_code_trains_nothing():
    with pytest.raises(UserError, match="edited while workers started"):
        sweep._work_here(RUN, True, "other")
    assert not [*store.working().glob("*.json")]


def test_code_that_gives_other_numbers_makes_no_record(monkeypatch):
    monkeypatch.setattr(gce, "lq", lambda logits, y, q: -losses.lq(logits, y, q))
    with pytest.raises(UserError, match="method=gce.*nlcore golden --update"):
        collect([RUN])
    assert not [*store.working().glob("*.json")]


@pytest.mark.parametrize(
    "run", [replace(RUN, method=CE(), model="mlp2"), replace(RUN, method=Distillation(teacher="mlp2"))]
)
def test_an_edited_network_makes_no_record_even_where_others_of_its_family_are_as_they_were(monkeypatch, run):
    """Also where it is the teacher alone."""
    monkeypatch.setitem(models.MODELS, "mlp2", partial(models.mlp, depth=3))
    with pytest.raises(UserError, match="golden run of '.*mlp2|golden run of '.*teacher"):
        collect([run])
    assert not [*store.working().glob("*.json")]


def test_a_kind_that_is_not_committed_is_named(monkeypatch, tmp_path):
    known = golden.committed()
    monkeypatch.setattr(golden, "place", lambda: tmp_path / "golden.json")
    golden.write({name: told for name, told in known.items() if name != "method=gce"})
    with pytest.raises(UserError, match="method=gce"):
        collect([RUN])


@pytest.mark.parametrize("library", ["numpy", "scipy", "scikit-learn", "torch"])
def test_other_libraries_are_held_again(library, monkeypatch):
    before, installed = vouch.code_now(), vouch.version
    if library in ("numpy", "torch"):
        monkeypatch.setattr(f"{library}.__version__", "0.0")
    else:
        monkeypatch.setattr(vouch, "version", lambda name: "0.0" if name == library else installed(name))
    assert vouch.code_now() != before == vouch.code()


def test_code_that_trains_nothing_is_not_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(vouch, "__file__", str(tmp_path / "vouch.py"))
    before = vouch.code_now()
    for name, counts in (("book/show.py", False), ("papers/base.py", False), ("training/step.py", True)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("edited")
        assert (vouch.code_now() != before) == counts


def test_code_that_gives_other_numbers_verifies_nothing(monkeypatch, capsys):
    monkeypatch.setattr(vouch, "remembered", set)
    monkeypatch.setattr(golden, "changed", lambda kind, outcome: "other labels")
    monkeypatch.setattr(verification, "check", lambda run: None)  # the data are not here
    monkeypatch.setattr("sys.argv", ["nlcore", "verify", "rolnick2017.uniform", "--device", "cpu"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "other labels; undo the edit" in capsys.readouterr().err


def test_the_code_is_hashed_before_any_of_it_is_read(tmp_path):
    """An edit while the package is imported would else be taken for what this process obeys."""
    shutil.copytree(Path(vouch.__file__).parent, tmp_path / "nlcore", ignore=shutil.ignore_patterns("__pycache__"))
    script = "import nlcore, pathlib; place = pathlib.Path(nlcore.__file__).parent / 'losses.py'"
    script += "; place.write_text(place.read_text() + '# edited'); from nlcore import vouch; vouch.unedited()"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert "edited since this process began" in done.stderr


def test_a_worker_that_read_edited_code_trains_nothing(monkeypatch):
    monkeypatch.setattr(sweep, "_code", ["edited"])
    with pytest.raises(UserError, match="edited while workers started"):
        sweep._work_here(RUN, True, vouch.code())


def test_a_golden_run_holds_the_card_too():
    """A record says how many labels are wrong; code that counts otherwise makes no record."""
    (told,) = [told for name, told in golden.committed().items() if name == "method=gce"]
    other = told._replace(card=told.card | {"realised_rate": 1 - told.card["realised_rate"]})
    assert golden.difference(told, told) == "" and "realised_rate is" in golden.difference(told, other)
