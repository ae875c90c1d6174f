"""Equal images are found, and named where their labels differ."""

import torch

from nlcore import data
from nlcore.data import Dataset, Images
from nlcore.data.duplicates import contradictions, duplicates, of_parts


def test_equal_images_are_counted_and_named_where_their_labels_differ():
    a, b, c = (torch.full((1, 2, 2), v, dtype=torch.uint8) for v in (1, 2, 3))
    train = Images(torch.stack([a, b, a, c, b, b]), torch.tensor([0, 1, 0, 1, 1, 0]))
    test = Images(torch.stack([c]), torch.tensor([0]))
    own = Dataset("own", ("cat", "dog"), 2, train, test, "")
    assert duplicates(own) == {"name": "own", "in_test": 1, "equal": 2, "differ": [["cat", "dog", "dog"]]}
    assert contradictions(own, *of_parts(own)) == [["cat", "dog"], ["cat", "dog", "dog"]]  # one of them is a test image


def test_the_digits_have_no_image_twice():
    assert duplicates(data.load("digits")) == {"name": "digits", "in_test": 0, "equal": 0, "differ": []}
