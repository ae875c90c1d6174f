"""The texts of cells for a reader that knows no MyST, as plain Jupyter and GitHub: HTML in which roles are words."""

import html
import re
from functools import cache

from .. import home

ROLE = re.compile(r"\{(\w+)(?::\w)?\}`([^`<]*?)(?: *<([^>`]*)>)?`")  # {role}`target` or {role}`words <target>`
PLACE = re.compile(r"^((?:\([^()\n]+\)=\n+)+)#+ (.+)", re.MULTILINE)  # labels, then the heading that they name
SENTENCE = re.compile(r"(?:^|[.:!?] +|\n\n|^ *[-*] )$")  # what stands before the first word of a sentence


def as_html(text: str) -> str:
    """A text in MyST's Markdown as HTML; formulas stay as they are, between dollars."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    markdown = MarkdownIt().enable("table")
    dollarmath_plugin(markdown, renderer=lambda formula, _: html.escape(f"${formula}$"))
    return markdown.render(without_roles(text)).strip()


def without_roles(text: str) -> str:
    """A text in which the words of a role stand in its place, or what its target is called."""
    return ROLE.sub(_in_words, text)


def _in_words(match: re.Match) -> str:
    role, target, words = match[1], match[3] or match[2], match[2] if match[3] else ""
    kind, _, rest = target.partition("-")
    if words or role not in ("numref", "ref", "eq"):
        return words or target
    if role == "ref":
        return f"*{titles().get(target, target)}*"
    called = {"fig": "the figure", "tab": "the table", "alg": "the algorithm"}.get(kind) if role == "numref" else None
    said = f"{called} *{rest}*" if called else f"the equation *{target}*"
    return said[0].upper() + said[1:] if SENTENCE.search(match.string[: match.start()]) else said


@cache
def titles() -> dict[str, str]:
    """The headings of all pages by their labels."""
    import nbformat

    pages = [path.read_text() for path in sorted((home() / "book").glob("*.md"))]
    for path in sorted((home() / "book").glob("*.ipynb")):
        pages += [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown"]
    named = [found for page in pages for found in PLACE.findall(page)]
    return {label: title for labels, title in named for label in re.findall(r"\(([^()\n]+)\)=", labels)}
