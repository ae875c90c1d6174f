"""Chapters: typed parameters are checked before a kernel starts, execution is papermill's, the result is normalised."""

import ast
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache
from importlib.metadata import distributions
from itertools import groupby
from pathlib import Path

from .. import data, home, papers
from ..files import DAY, check_writable, free, sha256, write_whole
from ..inputs import UserError, conform, lookup, require
from ..measures.evaluate import RULES
from ..runs import store
from ..runs.run import content_hash, text_hash
from ..sweep import TRAIN
from . import show

CHOICES = {"tier": papers.TIERS, "train": TRAIN, "device": ("auto", "cpu", "cuda"), "rule": RULES}
UNKNOWN = "-"  # in place of the digest of what a result depends on, if it may lack something
USED = "used"  # the file in a kernel's folder that is locked while somebody uses it
TYPES = {"int": int, "float": float, "str": str, "bool": bool, "list": list}


def names() -> list[str]:
    """All chapters, by name, the front page among them; a `UserError` where there is no book."""
    found = sorted(p.stem for p in (home() / "book").glob("*.ipynb"))
    require(bool(found), f"{home() / 'book'} has no chapters; go to a checkout, or set NLCORE_HOME to one")
    return found


def parameters(name: str) -> dict[str, tuple[type, object]]:
    """Type and default of each parameter of a chapter: `name: type = literal  # comment`, a line each."""
    lookup("chapter", name, names())
    path = home() / "book" / f"{name}.ipynb"
    tagged = [cell for cell in read(path).cells if "parameters" in cell.metadata.get("tags", ())]
    require(len(tagged) == 1, f"{path} must have one cell with the tag `parameters`, not {len(tagged)}")
    try:
        lines = ast.parse(tagged[0].source).body
        return {line.target.id: (TYPES[line.annotation.id], ast.literal_eval(line.value)) for line in lines}
    except (SyntaxError, ValueError, AttributeError, KeyError, TypeError) as error:
        form = "`name: type = value`, of type int, float, str, bool or list with a plain value"
        raise UserError(f"{path}: a line of the cell of parameters is not of the form {form} ({error})") from None


def read(path: Path):
    """A notebook; a `UserError` if a file is none."""
    import nbformat

    try:
        return nbformat.read(path, 4)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:  # what damage makes of reading it
        told = f"{path} is no whole notebook ({type(error).__name__}); `git checkout` brings a chapter back"
        raise UserError(told) from None


def check(**values) -> None:
    """Refuse a value that the common parameters cannot take; a chapter calls this first, whoever executes it."""
    for name, options in CHOICES.items():
        if name in values:
            lookup(name, conform(name, values[name], str), options)
    for name in {"models", "methods"} & values.keys():
        conform(name, values[name], list[str])
    for name in {"seeds", "seed"} & values.keys():
        require(conform(name, values[name], int) >= 0, f"{name} must be 0 or more, not {values[name]}")
    if "look" in values:
        require(conform("look", values["look"], int) > 0, f"look must be 1 or more, not {values['look']}")


def committed(name: str, values: dict) -> bool:
    """Whether parameters (among other `values` by name) are those of the committed edition of a chapter. On what device
    it ran and whether missing runs were trained may differ. A page with others says so here and under each exhibit."""
    any_will_do = ("device", "train")
    usual = {key: default for key, (_, default) in parameters(name).items() if key not in any_will_do}
    others = [f"{key} = {values[key]!r}" for key, default in usual.items() if values[key] != default]
    show.EDITION["other"] = ", ".join(others)
    if others:
        show.say(
            f"**This page has other parameters than the committed edition: {show.EDITION['other']}.** Numbers below "
            "are its own. Sentences and captions were written for the committed page, so a data set, a network, a "
            "rate or a setting that they name may be that page's."
        )
    return not others


def validate(name: str, values: dict) -> dict:
    """`values` for a chapter, names and types checked; a `UserError` says which cannot be."""
    known, checked = parameters(name), {}
    for key, value in values.items():
        kind, _ = lookup(f"parameter of {name}", key, known)
        checked[key] = conform(key, value, kind)
    check(**checked)
    return checked


def execute_all(values: dict[str, dict], folder: Path, jobs: int, again: bool = False) -> Iterator[str]:
    """Execute chapters into `folder`, `jobs` side by side, each in a kernel of its own; yields a line for each."""
    pool, wait = ThreadPoolExecutor(jobs), True
    started = [pool.submit(_in_thread, name, folder / f"{name}.ipynb", own, again) for name, own in values.items()]
    try:
        for done in as_completed(started):
            yield done.result()
    except (KeyboardInterrupt, GeneratorExit):
        wait = False  # kernels end with this process
        raise
    finally:  # of an error: no chapter more begins
        pool.shutdown(wait, cancel_futures=True)


def _in_thread(*given) -> str:
    """The same as `execute`, in a thread of its own, which leaves no event loop of the kernel's client behind."""
    from jupyter_core.utils import ensure_event_loop

    try:
        return execute(*given)
    finally:
        ensure_event_loop().close()


def execute(name: str, out: Path, values: dict, again: bool = True) -> str:
    """Run a chapter from top to bottom with `values` for its parameters, and write the normalised result to `out`;
    returns what to tell. Unless `again`, a result that is there is kept if nothing that it depends on has changed.

    A `UserError` says which cell's error stopped it; what was executed until then is kept for a look.
    """
    import nbformat

    values, there = validate(name, values), records()
    of_book = out.resolve() == (home() / "book" / f"{name}.ipynb").resolve()  # has no stamp: git tells
    begun = sha256(out) if of_book else ""
    stamp, before = out.parent / f".{name}.inputs", inputs(name, values, there)
    stamped = stamp.read_bytes().decode(errors="replace") if stamp.is_file() else ""
    if not again and out.exists() and stamped == before + sha256(out):
        return f"unchanged: {out}"
    check_writable(out.parent, "choose another folder")
    with work_folder() as work:
        draft = _executed(name, work, values)  # `out` may be the chapter itself
        notebook = nbformat.read(draft, 4)
        normalise(notebook)
        text = nbformat.writes(notebook) + "\n"
        kept = _kept(out, begun or stamped)  # a chapter of the book may have been saved meanwhile
        write_whole(out, text)
        shutil.rmtree(work)
    if not of_book:
        whole = not again and inputs(name, values, there) == before and has_all(name, values, there)
        of = inputs(name, values, records()) if whole else UNKNOWN
        write_whole(stamp, of + text_hash(text))  # another execution may have written `out` meanwhile
    return f"executed: {out}{kept}"


def _kept(out: Path, stamped: str) -> str:
    """Move a notebook aside that is not as this command has left it, as its stamp tells, and say so."""
    if not out.exists() or stamped.endswith(sha256(out)):
        return ""
    aside = free(out.with_stem(f"{out.stem}-edited"))
    out.rename(aside)
    return f"; what was there was not as this command leaves it, and is kept as {aside.name}"


@contextlib.contextmanager
def work_folder() -> Iterator[Path]:
    """A temporary folder for a kernel's sockets and draft; those that were left a day ago or longer go, but none that a
    process still uses, however long. It is not in the folder of the results, whose path may be too long for a socket.
    """
    mine = f"nlcore-kernel-{os.getpid()}-"
    for old in Path(tempfile.gettempdir()).glob("nlcore-kernel-*-*"):
        if old.name.startswith(mine):  # of another thread, whose lock would be ours as well
            continue
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > DAY:
                with store.locked(old / USED, wait=False) as left:
                    if left:
                        shutil.rmtree(old)
    work = Path(tempfile.mkdtemp(prefix=mine))
    with store.locked(work / USED):
        yield work


def records() -> list[str]:
    """Names and times of the records in the working store, also of those that were set aside."""
    files = [path for kind in ("json", "old", "damaged") for path in store.working().glob(f"*.{kind}")]
    return sorted(f"{path.name} {path.stat().st_mtime_ns}" for path in files)


def has_all(name: str, values: dict, before: list[str]) -> bool:
    """Whether a chapter that has just ended has seen every record that it could show, given those of `before`. One that
    trains what it lacks has; what was added meanwhile is its own, or of no interest to it. Of none while a run that has
    failed is in the store: it may be one that the chapter lacks, and may succeed the next time."""
    if any(store.working().glob("*.failed")):
        return False
    now, train = records(), values.get("train", parameters(name).get("train", (str, "never"))[1])
    return now == before or (train != "never" and set(before) <= set(now))


def inputs(name: str, values: dict, records: list[str]) -> str:
    """Digest of all that the outputs of a chapter depend on: its cells, parameters, code, published files, records, and
    the content of a data set of one's own. A `UserError` says what is wrong with that."""
    cells = [(cell.cell_type, cell.source) for cell in read(home() / "book" / f"{name}.ipynb").cells]
    package = Path(papers.__file__).parents[1]
    code = [*package.rglob("*.py"), *package.rglob("*.json")]
    texts = [path for kind in ("*.csv", "*.json", "records/*.jsonl") for path in (home() / "book").glob(kind)]
    files = sorted(f"{path} {sha256(path)}" for path in code + texts)
    dataset = values.get("dataset", "auto")
    own = "" if dataset in ("auto", *data.KNOWN) else data.shared(dataset).sha256
    return content_hash([sys.version, packages(), cells, values, files, records, own])


@cache
def packages() -> dict[str, str]:
    """The versions of all packages of this Python, the optional ones too; to read them takes long."""
    return {package.name: package.version for package in distributions()}


def _executed(name: str, work: Path, values: dict) -> Path:
    """The chapter as papermill executes it, in the folder `work`."""
    import papermill
    from traitlets.config import Config

    # kernels that run side by side must not race for TCP ports, nor for one socket's name
    ipc = Config({"KernelManager": {"transport": "ipc", "ip": str(work / "kernel")}})
    ipc.NotebookClient.kernel_manager_class = f"{__name__.rpartition('.')[0]}.kernel.OurKernel"
    options = {"kernel_name": "python3", "config": ipc, "progress_bar": False}
    draft = work / f"{name}.ipynb"
    os.environ.setdefault("TQDM_DISABLE", "1")  # bars of the kernel would end up in the pages
    try:
        papermill.execute_notebook(home() / "book" / f"{name}.ipynb", draft, values, **options)
    except papermill.PapermillExecutionError as error:
        if error.ename == "UserError":  # bad input that only the chapter could see
            shutil.rmtree(work)
            raise UserError(f"{name}: {error.evalue}") from None
        raise UserError(f"{name} stopped at {error.ename}: {error.evalue}; see {draft}") from None
    return draft


def rendered(folder: Path, names: list[str]) -> Path:
    """The folder of pages of the book, in which the chapters with these names stand as they were executed into
    `folder`."""
    import subprocess

    place = home() / "_build" / "opened"
    # with the time of copying: pages are made anew of what is newer than they
    shutil.copytree(home() / "book", place / "book", dirs_exist_ok=True, copy_function=shutil.copy)
    for name in names:
        shutil.copy(folder / f"{name}.ipynb", place / "book")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(home() / name, place)
    command = [Path(sys.executable).with_name("jupyter-book"), "build", place, "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"the pages could not be built: {done.stderr.strip()[-300:]}")
    return place / "_build" / "html" / "book"


def normalise(notebook) -> None:
    """Drop what differs from run to run or machine to machine, in place."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook.nbformat_minor = 5
    for i, cell in enumerate(notebook.cells):
        cell.id = f"cell-{i:02d}"
        cell.metadata = {k: v for k, v in cell.metadata.items() if k == "tags" and v}
        if cell.cell_type == "code":
            cell.outputs = [*_printed_as_one(cell.outputs)]
        for output in cell.get("outputs", ()):
            output.get("metadata", {}).pop("execution", None)
            if shown := output.get("metadata", {}).get("exhibit"):  # as from `show.figure`
                cell.metadata["mystnb"] = {
                    "figure": {"name": shown["name"], "caption": shown["caption"]},
                    "image": {"alt": shown["alt"], "width": shown["width"]},
                }


def _printed_as_one(outputs: list) -> Iterator:
    """The outputs of a cell, in which what it printed in a row is one: chance decides how a kernel cuts it up."""
    for stream, group in groupby(outputs, lambda output: output.get("name")):  # None: no stream
        first, *others = group
        if stream:
            first["text"] += "".join(output["text"] for output in others)
            others = []
        yield from (first, *others)
