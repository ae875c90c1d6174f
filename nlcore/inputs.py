"""Bad input gets one clear sentence before anything starts."""

import difflib
import json
import sys
import types
import typing
from collections.abc import Iterable
from dataclasses import fields
from multiprocessing import parent_process


class UserError(Exception):
    """What was wrong, where, and what would be right; the command line exits with code 2."""


def lookup(kind: str, name: str, options: dict | Iterable[str]):
    """The entry called `name`, or a `UserError` that lists the nearest valid names."""
    if name in options:
        return options[name] if isinstance(options, dict) else name
    near = difflib.get_close_matches(str(name), list(options), n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"choose from {few(list(options))}."
    raise UserError(f"unknown {kind} {short(name)}: {hint}")


def short(value, most: int = 100) -> str:
    """A value as it is written in Python, cut off where it is too long for a sentence."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]} …"


def few(names: list[str], most: int = 10, between: str = ", ") -> str:
    """Names in a row, the first ones where there are too many for a sentence."""
    left = len(names) - most
    return between.join(names[:most]) + (f" and {left} more" if left > 0 else "")


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
    require(bool(sep), f"{text!r} is not of the form name=value")
    try:
        return name.strip(), json.loads(value)
    except json.JSONDecodeError:
        return name.strip(), value


def conform(name: str, value, hint):
    """`value` as `hint` (int, float, str, bool, list[T], tuple[T, ...], or one of these and None), or a `UserError`."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and type(None) in options:
        return None
    hint = options[0]
    row = typing.get_origin(hint)
    if row in (list, tuple):
        require(isinstance(value, list | row), f"{name} must be a list such as [0, 20], not {value!r}")
        return row(conform(f"{name}[{i}]", v, typing.get_args(hint)[0]) for i, v in enumerate(value))
    kind = int | float if hint is float else hint
    fits = isinstance(value, bool) == (hint is bool) and isinstance(value, kind)  # to Python, True is an int
    require(fits, f"{name} must be of type {hint.__name__}, not {value!r}")
    return value


def describe(value, names: dict[str, type] | None = None) -> dict:
    """A dataclass as plain data: its name in `names`, if given, and the fields that are not at their default."""
    found = {}
    if names:
        found["name"] = next(name for name, kind in names.items() if type(value) is kind)
    for field in fields(value):
        own = getattr(value, field.name)
        if own != field.default:
            found[field.name] = float(own) if field.type is float else own  # 1 is 1.0
    return found
