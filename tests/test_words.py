"""Names that people read."""

from nlcore import words
from nlcore.methods import METHODS


def test_every_method_has_a_name_and_a_look_of_its_own():
    assert METHODS.keys() <= words.METHODS.keys()
    looks = {name: tuple(words.look(name).values()) for name in words.METHODS}
    assert len({*looks.values()}) == len(looks)
    assert len({words.method(name) for name in words.METHODS}) == len(words.METHODS)
