"""One's own data fit every experiment: as many images as there are, in place of numbers chosen for other data."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_cli import nlcore

from nlcore import data, papers, sweep
from nlcore.inputs import UserError
from nlcore.methods import MentorNet
from nlcore.noise import Uniform
from nlcore.runs import Budget, Run
from nlcore.training.split import check

# their point is in images of another data set, whose shape has to be the same
CARRIED = ("rolnick2017.source", "rolnick2017.cifar_source")
# their labels were given to images of a known data set, and fit no others
GIVEN = tuple(f"wei2022.{made.name}" for made in papers.PAPERS["wei2022"].EXPERIMENTS)
AMONG_OTHERS = ("field.cifar10",)  # such labels are among its noises
EXPERIMENTS = {name: made for name, made in papers.experiments().items() if name not in CARRIED + GIVEN + AMONG_OTHERS}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """150 images of three classes."""
    draw, y, path = np.random.default_rng(0), np.arange(150) % 3, tmp_path_factory.mktemp("own") / "own.npz"
    x = draw.integers(0, 255, (190, 12, 12, 3), dtype=np.uint8)
    np.savez(path, train_images=x[:150], train_labels=y, test_images=x[150:], test_labels=y[:40])
    return str(path)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_users_own_data_fit(own, name):
    for tier in ("smoke", "laptop"):
        runs = papers.runs(name, tier, dataset=own)
        for run in {(run.method, run.noise, run.examples, run.carrier): run for run in runs}.values():
            check(run)


def test_the_same_data_elsewhere_are_the_same(own, tmp_path, monkeypatch, capsys):
    """A move, a copy, a link or a relative path: nothing is trained again, and what is shown names today's place."""
    sizes = {"models": ["perceptron"], "alphas": [1.0], "steps": 5, "seeds": 1}
    words = [word for name, value in sizes.items() for word in ("--set", f"{name}={json.dumps(value)}")]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()

    def run(place: str):
        """What `nlcore run` says, and the record of one run."""
        code, told, _ = nlcore(capsys, "run", "rolnick2017.uniform", *words, "--set", f"dataset={place}")
        (run,) = papers.runs("rolnick2017.uniform", "smoke", **sizes, dataset=place)
        (state, record) = sweep.find([run], "rolnick2017")[run.key]
        assert code == 0 and state == "done" and record.run == run
        return told, record

    told, first = run(own)
    assert "one run to train" in told
    (tmp_path / "Fotos ü").mkdir()
    moved = shutil.copy(own, tmp_path / "Fotos ü" / "b.npz")
    (tmp_path / "link").symlink_to("Fotos ü")
    for place in (moved, "Fotos ü/b.npz", "link/b.npz"):
        told, record = run(str(place))
        assert "to train" not in told and record.history == first.history and record.key == first.key
        assert record.run.dataset == data.pin(str(moved)) != first.run.dataset
    assert (
        nlcore(capsys, "publish", "rolnick2017.uniform", "--tier", "smoke", *words, "--set", f"dataset={moved}")[0] == 0
    )
    Path(own).rename(tmp_path / "away.npz")  # where the record was made nothing is any more
    code, told, _ = nlcore(
        capsys, "verify", "rolnick2017.uniform", "--tier", "smoke", *words, "--set", f"dataset={moved}"
    )
    assert code == 0 and "exact" in told
    (tmp_path / "away.npz").rename(own)


def test_a_key_has_the_content_of_ones_own_data_wherever_they_stand():
    """As the data set, as carriers, as the source of a mentor; other content is another run."""
    run, one, other, changed = (
        Run("digits", "mlp1", Budget(5)),
        "/a#0123456789ab",
        "b/c#0123456789ab",
        "/a#0123456789ac",
    )
    ways = [
        lambda name: replace(run, dataset=name),
        lambda name: replace(run, noise=Uniform(1.0), carrier=name),
        lambda name: replace(run, method=MentorNet("data", source=name)),
    ]
    for way in ways:
        assert way(one).key == way(other).key != way(changed).key
        assert way("#0123456789ab").key != way("/a").key != run.key


@pytest.mark.parametrize("name", GIVEN)
def test_labels_that_people_gave_to_other_images_are_refused(own, name):
    with pytest.raises(UserError, match="stand_in: labels of"):
        for run in papers.runs(name, "smoke", dataset=own):
            check(run)
