"""Bad input gets one clear sentence before anything starts."""

import difflib
import json
import math
import sys
import types
import typing
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from multiprocessing import parent_process

LONGEST = 600  # characters of a sentence; what was given may be much longer


class UserError(Exception):
    """What was wrong, where, and what would be right, in one line; the command line exits with code 2."""

    def __init__(self, sentence: str):
        super().__init__(one_line(sentence))


def one_line(text: str) -> str:
    """A text without line breaks; of a long one the beginning and the end, which says what would be right."""
    line, half = " ".join(text.split()), (LONGEST - 5) // 2
    return line if len(line) <= LONGEST else f"{line[:half]} ... {line[-half:]}"


def lookup(kind: str, name: str, options: dict | Iterable[str]):
    """The entry called `name`, or a `UserError` that lists the nearest valid names."""
    if name in options:
        return options[name] if isinstance(options, dict) else name
    require(bool(options), f"unknown {kind} {shown(name)}: there is none")
    near = difflib.get_close_matches(str(name), list(options), n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"choose from {few(list(options))}."
    raise UserError(f"unknown {kind} {shown(name)}: {hint}")


def few(names: list[str], most: int = 10, between: str = ", ") -> str:
    """Names in a row, the first ones where there are too many for a sentence."""
    left = len(names) - most
    return between.join(names[:most]) + (f" and {left} more" if left > 0 else "")


def counted(count: int, thing: str) -> str:
    """`1 label`, `2 labels`."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def tell(sentence: str) -> None:
    """Say on standard error what a user should know and need not change; workers leave that to their parent."""
    if parent_process() is None:
        print(sentence, file=sys.stderr)


def require(condition: bool, sentence: str) -> None:
    """Raise a `UserError` with this sentence unless the condition holds."""
    if not condition:
        raise UserError(sentence)


def parse(text: str) -> tuple[str, object]:
    """`alphas=[0,20]` -> ("alphas", [0, 20]); whatever is not JSON is a plain string."""
    name, sep, value = text.partition("=")
    require(bool(sep), f"{shown(text)} is not of the form name=value")
    try:
        return name.strip(), json.loads(value)
    except (ValueError, RecursionError):
        return name.strip(), value


def shown(value) -> str:
    """A value as a message shows it: the beginning of a long one."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


WRITTEN = {int: "a whole number such as 3", float: "a number such as 0.1", bool: "true or false"}
WRITTEN[str] = 'a text such as mnist, or "5" in quotes'


def conform(name: str, value, hint):
    """`value` as `hint` (int, float, str, bool, list[T], tuple[T, ...], a class, or one of these and None), or a
    `UserError`. A text that says a number becomes one: JSON and YAML do not read .5 or 1e-1 as numbers."""
    if _plainly(value, hint):
        return value + 0.0 if hint is float else value  # -0.0 is 0, and the same run
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and type(None) in options:
        return None
    kind = options[0]
    row = typing.get_origin(kind) or kind
    return _row(name, value, kind, row) if row in (list, tuple) else _single(name, value, kind)


def _row(name: str, value, hint, row: type):
    """`value` as a `row`, a list or a tuple, of what its hint says."""
    require(isinstance(value, list | row), f"{name} must be a list such as [0, 20], not {shown(value)}")
    of = (typing.get_args(hint) or (None,))[0]
    return row(conform(f"{name}[{i}]", own, of) if of else own for i, own in enumerate(value))


def _single(name: str, value, kind: type):
    """`value` as a number, a text, true or false, or an object of a class."""
    if isinstance(value, str) and kind in (int, float):
        value = _number(value, kind)
    of_kind = isinstance(value, int | float if kind is float else kind)
    how = f", {WRITTEN[kind]}," if kind in WRITTEN else ","
    told = f"{name} must be of type {kind.__name__}{how} not {shown(value)}"
    require(of_kind and isinstance(value, bool) == (kind is bool), told)  # to Python, True is an int
    if kind in (int, float):
        fits = -(2**63) <= value < 2**63 if kind is int else _finite(value)
        require(fits, f"{name} must be {'less than 2**63' if kind is int else 'finite'}, not {shown(value)}")
    return value


def _plainly(value, hint) -> bool:
    """Whether a value is surely as its hint says: quickly, as thousands of runs are made of what was checked before."""
    kind = type(value)
    if kind is hint:
        return math.isfinite(value) if kind is float else kind is not int or abs(value) < 2**63
    if kind is tuple and typing.get_origin(hint) is tuple:
        of = typing.get_args(hint)[0]
        if of is float:  # a row of a matrix
            return {*map(type, value)} <= {float} and all(map(math.isfinite, value))
        return all(_plainly(own, of) for own in value)
    return isinstance(hint, type) and hint not in WRITTEN and issubclass(kind, hint)


def _number(text: str, kind: type):
    """The number of this kind that a text says, or the text."""
    try:
        return kind(text)
    except ValueError:
        return text


def _finite(value: float) -> bool:
    """Whether a number is neither NaN nor infinite, nor an integer too large for a float."""
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 2**1000


def check_types(value) -> None:
    """A `UserError` unless every field of a dataclass is what its annotation says; a text that says a number is not."""
    for name, hint, _ in _fields(type(value)):
        own = getattr(value, name)
        if _plainly(own, hint):
            continue
        same = conform(name, own, hint)
        require(not isinstance(own, str) or same == own, f"{name} must be a number, not {shown(own)}")


@cache
def _fields(kind: type) -> tuple[tuple[str, object, object], ...]:
    """Name, type and default of each field of a dataclass."""
    return tuple((field.name, field.type, field.default) for field in fields(kind))


def describe(value, names: dict[str, type] | None = None) -> dict:
    """A dataclass as plain data: its name in `names`, if given, and the fields that are not at their default."""
    found = {}
    if names:
        own = [name for name, kind in names.items() if type(value) is kind]
        told = f"{type(value).__name__} is none of {few([*names])}"
        require(bool(own), f"{told}; one of your own is entered there first, as CONTRIBUTING.md shows")
        found["name"] = own[0]
    for name, hint, default in _fields(type(value)):
        own = getattr(value, name)
        if own != default:
            found[name] = float(own) if hint is float else own  # 1 is 1.0
    return found
