"""What chapters show beside their own cells."""

import inspect
import textwrap

import pandas as pd


def source(*things) -> object:
    """The source of classes or functions, for display in a chapter."""
    from IPython.display import Code

    return Code("\n\n".join(textwrap.dedent(inspect.getsource(t)).rstrip() for t in things), language="python")


def put(values: dict[str, object]) -> None:
    """Glue values under their names, for `{glue:text}` in the prose; nothing is displayed."""
    from myst_nb import glue

    for name, value in values.items():
        glue(name, value, display=False)


def verdict_table(verdicts: pd.DataFrame) -> None:
    """Display claims with their verdicts and the evidence at full width."""
    from IPython.display import display

    with pd.option_context("display.max_colwidth", None):
        display(verdicts[["claim", "sentence", "tier", "verdict", "evidence"]].set_index("claim"))
