"""Names that people read."""

from nlcore import words
from nlcore.methods import METHODS


def test_every_method_has_a_name_and_a_look_of_its_own():
    assert METHODS.keys() <= words.METHODS.keys()
    colours = {words.look(name)["color"] for name in words.METHODS}
    assert len(colours) == len(words.METHODS)
    assert len({words.method(name) for name in words.METHODS}) == len(words.METHODS)


def test_methods_of_a_family_have_different_markers():
    for family in words.FAMILIES:
        kin = [name for name, (_, of) in words.METHODS.items() if of == family]
        assert len({words.look(name)["marker"] for name in kin}) == len(kin) > 0


def test_shades():
    assert words.shaded("#804000", 0.0) == "#804000"
    assert words.shaded("#804000", 1.0) == "#ffffff" and words.shaded("#804000", -0.5) == "#402000"
