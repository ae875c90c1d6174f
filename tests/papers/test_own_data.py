"""One's own data fit every experiment: as many images as there are, in place of numbers chosen for other data."""

import numpy as np
import pytest

from nlcore import papers
from nlcore.inputs import UserError
from nlcore.training.split import check

# their point is in images of another data set, whose shape has to be the same
CARRIED = ("rolnick2017.source", "rolnick2017.cifar_source")
# their labels were given to images of a known data set, and fit no others
GIVEN = tuple(f"wei2022.{made.name}" for made in papers.PAPERS["wei2022"].EXPERIMENTS)
EXPERIMENTS = {name: made for name, made in papers.experiments().items() if name not in CARRIED + GIVEN}


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


@pytest.mark.parametrize("name", GIVEN)
def test_labels_that_people_gave_to_other_images_are_refused(own, name):
    with pytest.raises(UserError, match="stand_in: labels of"):
        for run in papers.runs(name, "smoke", dataset=own):
            check(run)
