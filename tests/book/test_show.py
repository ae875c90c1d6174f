"""What a cell shows: live numbers in sentences, numbered tables and figures, in every form that a reader may see."""

import IPython.display
import matplotlib
import numpy as np
import pandas as pd
import pytest

from nlcore.book import chapters, show
from nlcore.inputs import UserError

matplotlib.use("agg")


@pytest.fixture
def shown(monkeypatch):
    """The outputs that are shown, as (forms, metadata)."""
    found = []
    monkeypatch.setattr(IPython.display, "display", lambda forms, raw, metadata: found.append((forms, metadata)))
    return found


def test_numbers_stand_in_place_of_their_names(shown):
    show.say("  It gains {{gain}} points, $T^{-1}$.", {"gain": "3.1", "other": 1})
    assert shown[0][0]["text/markdown"] == "It gains 3.1 points, $T^{-1}$."
    with pytest.raises(UserError, match="gain"):
        show.say("It gains {{gain}} points.", {})


def test_a_line_that_the_pages_would_lose_is_refused(shown):
    with pytest.raises(UserError, match="begins with %"):
        show.say("It reaches 84.9\n% of the images.", {})


def test_an_index_without_a_name_is_shown_if_it_says_something(shown):
    show.table(pd.DataFrame({"x": [1]}, index=["first"]), "t", "c")
    show.table(pd.DataFrame({"x": [1]}, index=[3]), "t", "c")
    assert "first" in shown[0][0]["text/markdown"] and "3" not in shown[1][0]["text/markdown"]


def test_findings_are_told_of_the_committed_edition_alone(shown):
    show.findings("It gains {{gain}}.", {"gain": 3}, True)
    show.findings("It gains {{gain}}.", {"gain": 3}, False)
    assert [forms["text/markdown"] for forms, _ in shown][0] == "It gains 3."
    assert "gains" not in shown[1][0]["text/markdown"]
    with pytest.raises(UserError):
        show.findings("It gains {{gain}}.", {}, False)  # a name that is missing is found at every tier


def test_a_table_has_its_index_its_best_and_its_spreads(shown):
    index = pd.MultiIndex.from_tuples([("a", "ce"), ("a", "mae")], names=["recipe", "method"])
    frame = pd.DataFrame({("last", 0.4): ["96.1 ± 0.2", "3.2 ± 1"], ("last", 0.8): ["-1.0 (-2.0 to 0.1)", ""]}, index)
    show.table(frame, "tab-x", "What is seen", "max")
    lines = shown[0][0]["text/markdown"].splitlines()
    assert lines[:2] == [":::{table} What is seen", ":name: tab-x"]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert cells[0] == ["recipe", "method", "last, 0.4", "last, 0.8"]
    assert cells[2] == ["a", "ce", "**96.1** <small>± 0.2</small>", "**-1.0** <small>(-2.0 to 0.1)</small>"]
    assert cells[3] == ["", "mae", "3.2 <small>± 1</small>", ""]
    assert cells[1][2].endswith(":") and not cells[1][1].endswith(":")  # numbers to the right, words to the left
    assert "What is seen" in shown[0][0]["text/html"] and "**" not in shown[0][0]["text/html"]


def test_what_a_name_has_in_brackets_is_no_spread(shown):
    show.table(pd.DataFrame({"method": ["learning to reweight (L2RW)"], "mean": ["3 % (n = 3)"]}), "t", "c")
    assert "reweight (L2RW)" in shown[0][0]["text/markdown"] and "<small>(n = 3)" in shown[0][0]["text/markdown"]


def test_what_an_index_repeats_is_left_out_at_every_level():
    index = pd.MultiIndex.from_tuples(
        [("a", "x", 1), ("a", "x", 2), ("a", "y", 3), ("b", "y", 4)], names=["p", "q", "n"]
    )
    cells = show.flat(pd.DataFrame({"v": list("1234")}, index))
    assert cells.to_numpy().tolist() == [
        ["a", "x", "1", "1"],
        ["", "", "2", "2"],
        ["", "y", "3", "3"],
        ["b", "y", "4", "4"],
    ]


def test_numbers_of_an_index_are_never_the_best(shown):
    show.table(pd.DataFrame({"x": [1.0, np.nan]}, index=pd.Index([0.1, 0.2], name="q")), "t", "c", "min")
    assert "**1**" in shown[0][0]["text/markdown"] and "**0.1**" not in shown[0][0]["text/markdown"]
    assert "nan" not in shown[0][0]["text/markdown"]


def test_a_name_in_brackets_is_no_spread(shown):
    show.table(pd.DataFrame({"method": ["learning to reweight (L2RW)"]}), "t", "c")
    assert "<small>" not in shown[0][0]["text/markdown"]


def test_a_bar_in_a_cell_does_not_end_it(shown):
    show.table(pd.DataFrame({"what": ["P(a | b)"]}), "t", "c")
    assert "P(a \\| b)" in shown[0][0]["text/markdown"]


def test_a_figure_hands_its_caption_to_the_book(shown):
    import matplotlib.pyplot as plt
    import nbformat

    show.figure(plt.subplots(figsize=(5, 2))[1], "fig-x", "A line.", "a line that rises")
    forms, metadata = shown[0]
    assert forms["text/plain"] == "a line that rises" and forms["image/png"].startswith(b"\x89PNG")
    assert not plt.get_fignums()
    output = nbformat.v4.new_output("display_data", {"text/plain": ""}, metadata=metadata)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=[output])])
    chapters.normalise(notebook)
    told = notebook.cells[0].metadata["mystnb"]
    assert told["figure"] == {"name": "fig-x", "caption": "A line."}
    assert told["image"] == {"alt": "a line that rises", "width": "480px"}


def test_what_a_figure_shows_is_said_of_the_committed_edition_alone(shown, monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.setitem(show.EDITION, "other", "")
    defaults = {name: default for name, (_, default) in chapters.parameters("01_noise_models").items()}
    for seed in (0, 1):
        chapters.committed("01_noise_models", defaults | {"seed": seed})
        show.figure(plt.subplots()[1], "fig-x", "A line.", "a line that rises")
        show.table(pd.DataFrame({"x": [1]}), "tab-x", "A number of MNIST.")
    (figure, captioned), (table, _), (warning, _), (other_figure, other_captioned), (other_table, _) = shown
    assert figure["text/plain"] == "a line that rises" and captioned["exhibit"]["caption"] == "A line."
    assert "A number of MNIST.\n" in table["text/markdown"]
    assert "seed = 1" in warning["text/markdown"] and "captions were written for the committed page" in str(warning)
    assert other_figure["text/plain"] == "in the committed edition, which has other parameters: a line that rises"
    for caption in (other_captioned["exhibit"]["caption"], other_table["text/markdown"], other_table["text/html"]):
        assert "This page has seed = 1; names of data" in caption


def test_source_is_without_the_indentation_of_its_class(shown):
    from nlcore import noise

    show.source(noise.Flip.law, noise.SymmetricInclusive)
    assert shown[0][0]["text/plain"].startswith("def law(self, K):\n    return")
    assert shown[0][0]["text/markdown"].startswith("```python\ndef law")


def test_a_reader_without_myst_sees_words_in_place_of_roles(shown):
    show.say("{numref}`tab-x-y` and {eq}`a-b` show $a_1 < b_2$, *as* {ref}`here <ch:x>` and {ref}`ch:helps` do.")
    assert shown[0][0]["text/html"] == (
        "<p>The table <em>x-y</em> and the equation <em>a-b</em> show "
        '<span class="math inline">$a_1 &lt; b_2$</span>, <em>as</em> here and <em>What helps, and when</em> do.</p>'
    )
    assert "{numref}`tab-x-y`" in shown[0][0]["text/markdown"]


def test_a_diff_shows_all_lines_and_which_change(shown):
    def old(x):
        y = x + 1
        return y

    def new(x):
        y = x + 2
        return y

    show.diff(old, new)
    lines = shown[0][0]["text/plain"].splitlines()
    assert lines == ["-def old(x):", "-    y = x + 1", "+def new(x):", "+    y = x + 2", "     return y"]
    assert shown[0][0]["text/markdown"].startswith("```diff\n-def old")
