"""What chapters show beside their own cells."""

import inspect
import textwrap


def source(*things) -> object:
    """The source of classes or functions, for display in a chapter."""
    from IPython.display import Code

    return Code("\n\n".join(textwrap.dedent(inspect.getsource(t)).rstrip() for t in things), language="python")


def put(values: dict[str, object]) -> None:
    """Glue values under their names, for `{glue:text}` in the prose; nothing is displayed."""
    from myst_nb import glue

    for name, value in values.items():
        glue(name, value, display=False)
