"""Chapters: typed parameters are checked before a kernel starts, execution is papermill's, the result is normalised."""

import ast
import os
import shutil
import tempfile
from pathlib import Path

from .. import home, papers
from ..inputs import UserError, conform, lookup, require
from ..measures.evaluate import RULES
from ..sweep import TRAIN

CHOICES = {"tier": papers.TIERS, "train": TRAIN, "device": ("auto", "cpu", "cuda"), "rule": RULES}
TYPES = {"int": int, "float": float, "str": str, "bool": bool, "list": list}


def names() -> list[str]:
    """All chapters, in the order of the book."""
    return sorted(p.stem for p in (home() / "book").glob("[0-9]*.ipynb"))


def parameters(name: str) -> dict[str, tuple[type, object]]:
    """Type and default of each parameter of a chapter: `name: type = literal  # comment`, a line each."""
    import nbformat

    lookup("chapter", name, names())
    cells = nbformat.read(home() / "book" / f"{name}.ipynb", 4).cells
    tagged = next(cell for cell in cells if "parameters" in cell.metadata.get("tags", ()))
    lines = ast.parse(tagged.source).body
    return {line.target.id: (TYPES[line.annotation.id], ast.literal_eval(line.value)) for line in lines}


def check(**values) -> None:
    """Refuse a value that the common parameters cannot take; a chapter calls this first, whoever executes it."""
    for name, options in CHOICES.items():
        if name in values:
            lookup(name, values[name], options)
    for name in {"seeds", "seed"} & values.keys():
        require(values[name] >= 0, f"{name} must be 0 or more, not {values[name]}")


def validate(name: str, values: dict) -> dict:
    """`values` for a chapter, names and types checked; a `UserError` says which cannot be."""
    known, checked = parameters(name), {}
    for key, value in values.items():
        kind, _ = lookup(f"parameter of {name}", key, known)
        checked[key] = conform(key, value, kind)
    check(**checked)
    return checked


def execute(name: str, out: Path, values: dict) -> Path:
    """Run a chapter from top to bottom with `values` for its parameters, and write the normalised result to `out`.

    A `UserError` says which cell's error stopped it; what was executed until then is kept for a look.
    """
    import nbformat

    values = validate(name, values)
    work = Path(tempfile.mkdtemp(prefix="nlcore-"))
    draft = _executed(name, work, values)  # `out` may be the chapter itself
    notebook = nbformat.read(draft, 4)
    normalise(notebook)
    out.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, out)
    shutil.rmtree(work)
    return out


def _executed(name: str, work: Path, values: dict) -> Path:
    """The chapter as papermill executes it, in the folder `work`."""
    import papermill
    from traitlets.config import Config

    # kernels that run side by side must not race for TCP ports, nor for one socket's name
    ipc = Config({"KernelManager": {"transport": "ipc", "ip": str(work / "kernel")}})
    draft = work / f"{name}.ipynb"
    os.environ.setdefault("TQDM_DISABLE", "1")  # bars of the kernel would end up in the pages
    try:
        papermill.execute_notebook(home() / "book" / f"{name}.ipynb", draft, values, kernel_name="python3", config=ipc)
    except papermill.PapermillExecutionError as error:
        if error.ename == "UserError":  # bad input that only the chapter could see
            shutil.rmtree(work)
            raise UserError(f"{name}: {error.evalue}") from None
        raise UserError(f"{name} stopped at {error.ename}: {error.evalue}; see {draft}") from None
    return draft


def normalise(notebook) -> None:
    """Drop what differs from run to run or machine to machine, in place."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook.nbformat_minor = 5
    for i, cell in enumerate(notebook.cells):
        cell.id = f"cell-{i:02d}"
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in ("tags", "mystnb") and v}
        for output in cell.get("outputs", ()):
            output.get("metadata", {}).pop("execution", None)
