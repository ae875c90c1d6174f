"""Records: whole or not at all, by value, and honest about the code that made them."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import nlcore
from nlcore import records, train
from nlcore.inputs import UserError
from nlcore.methods import CE, HAlpha
from nlcore.noise import Clean, Matrix, SymmetricExclusive, Uniform
from nlcore.papers import PAPERS
from nlcore.records import Budget, Run

RUN = Run("digits", "perceptron", Budget(steps=5, evaluations=1), Uniform(1.0), validation=50)


@pytest.fixture(scope="module")
def record():
    return train.train(RUN, "cpu")


def test_a_record_survives_a_round_trip(record):
    assert records.parse_record(record.dump(), "here") == record and not record.stale


@pytest.mark.parametrize(
    "run",
    [
        RUN,
        replace(RUN, noise=SymmetricExclusive(0.4), method=HAlpha(3.0), seed=7, examples=10),
        replace(
            RUN, noise=Matrix(((0.5, 0.5), (0.25, 0.75))), budget=Budget(9, schedule="steps", milestones=(0.5, 0.9))
        ),
    ],
)
def test_a_run_is_its_spec(run):
    again = records.parse_run(json.loads(json.dumps(run.spec())))
    assert again == run and again.key == run.key


def test_keys_are_pinned_and_forget_defaults():
    # published records are found by these keys: a change here orphans all of them
    assert RUN.key == PINNED
    assert replace(RUN, budget=Budget(steps=5, evaluations=1, batch=128, lr=1e-3)).key == RUN.key
    assert replace(RUN, seed=1).key != RUN.key


def test_defaults_never_change():
    # keys leave them out, so another default would give old records another meaning; new fields are welcome
    budget = {
        "batch": 128,
        "optimiser": "adam",
        "lr": 1e-3,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "schedule": "constant",
    }
    budget |= {"milestones": (), "precision": "fp32", "channels_last": False, "evaluations": 10}
    assert budget.items() <= vars(Budget(steps=1)).items()
    run = {"noise": Clean(), "method": CE(), "examples": 0, "validation": 0, "seed": 0}
    assert run.items() <= vars(Run("digits", "mlp1", Budget(1))).items() and vars(HAlpha()).items() >= {("alpha", 20.0)}


PINNED = "3f3d3fa866601ae9"


def test_an_edited_digit_is_found(record):
    line = record.dump()
    value = str(record.history[-1]["test_accuracy"])
    changed = line.replace(value, value[:-1] + ("1" if value[-1] != "1" else "2"))
    assert changed != line
    with pytest.raises(UserError, match="checksum"):
        records.parse_record(changed, "line 1")


def test_a_key_that_is_not_its_contents_is_found(record):
    content = json.loads(record.dump())
    content["key"] = "0" * 16
    with pytest.raises(UserError, match="line 3.*key"):
        records.parse_record(json.dumps(content), "line 3")


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-30], lambda b: b"\xff\xfe", lambda b: b.replace(b'"key":', b'"kay":')]
)
def test_a_damaged_record_is_named_set_aside_and_missing(record, damage, capsys):
    path = records.save(record)
    path.write_bytes(damage(path.read_bytes()))
    assert records.load_working(RUN.key) is None
    assert path.name in capsys.readouterr().err and not path.exists() and path.with_suffix(".damaged").exists()


def test_saving_leaves_no_temporary_file(record):
    path = records.save(record)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_publishing_merges_and_sorts(record, monkeypatch, tmp_path):
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    other = train.train(replace(RUN, seed=1), "cpu")
    records.publish("some2020", [record])
    records.publish("some2020", [other, record])
    assert list(records.load_published("some2020")) == sorted([record.run.key, other.run.key])


@pytest.mark.parametrize("paper", PAPERS)
def test_published_records_are_whole(paper):
    found = records.load_published(paper)
    assert found, f"no published record of {paper}"
    lines = records.published(paper).read_text().splitlines()
    assert list(found) == sorted(found) and len(found) == len(lines)


STATE = """
import sys
from nlcore import records
for path in sorted(records.working().glob("*.json")):
    record = records.load_working(path.stem)
    print(type(record.run.method).__name__, record.run.model, record.stale)
"""


def test_editing_code_makes_stale_exactly_what_it_touches(tmp_path, record):
    """The check runs on a copy of the package, in which definitions are edited."""
    runs = [RUN, replace(RUN, method=HAlpha()), replace(RUN, model="mlp1")]
    for run in runs:
        records.save(train.train(run, "cpu"))
    copy = tmp_path / "copy" / "nlcore"
    shutil.copytree(Path(nlcore.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def stale(file: str, old: str, new: str) -> set[str]:
        path = copy / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        out = subprocess.run([sys.executable, "-c", STATE], cwd=copy.parent, capture_output=True, text=True, check=True)
        path.write_text(text)
        rows = map(str.split, out.stdout.splitlines())
        return {f"{method} {model}" for method, model, old in rows if old == "True"}

    everything = {"CE perceptron", "CE mlp1", "HAlpha perceptron"}
    assert stale("losses.py", "-(1 - e) *", "-(1 - e) * 1.0 *") == {"HAlpha perceptron"}
    assert stale("losses.py", "-log p_y", "minus log p_y") == set()  # a docstring
    assert stale("models.py", "partial(mlp, depth=1)", "partial(mlp, depth=1, width=9)") == {"CE mlp1"}
    assert stale("noise.py", "np.full((K, K), 1 / K)", "np.full((K, K), 2 / K)") == everything
    assert stale("train.py", "total.add_(loss.detach())", "total.add_(2 * loss.detach())") == everything
    assert stale("models.py", "layers = [nn.Conv2d(shape[0], width", "layers = [nn.Conv2d(shape[0], 1 + width") == set()
