"""Bad input gets one clear sentence before anything starts."""

import difflib
import json
import types
import typing
from collections.abc import Iterable
from dataclasses import fields


class UserError(Exception):
    """What was wrong, where, and what would be right; the command line exits with code 2."""


def lookup(kind: str, name: str, options: dict | Iterable[str]):
    """The entry called `name`, or a `UserError` that lists the nearest valid names."""
    if name in options:
        return options[name] if isinstance(options, dict) else name
    near = difflib.get_close_matches(str(name), list(options), n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"choose from {', '.join(options)}."
    raise UserError(f"unknown {kind} {name!r}: {hint}")


def require(condition: bool, sentence: str) -> None:
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
    """`value` as `hint` (int, float, str, bool, list[...], or one of these and None), or a `UserError`."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and type(None) in options:
        return None
    hint = options[0]
    if typing.get_origin(hint) is list:
        require(isinstance(value, list), f"{name} must be a list such as [0, 20], not {value!r}")
        return [conform(f"{name}[{i}]", v, typing.get_args(hint)[0]) for i, v in enumerate(value)]
    kind = int | float if hint is float else hint
    fits = isinstance(value, kind) and not (isinstance(value, bool) and hint is not bool)
    require(fits, f"{name} must be of type {hint.__name__}, not {value!r}")
    return value


def describe(value, names: dict[str, type] | None = None) -> dict:
    """A dataclass as plain data: its name in `names`, if given, and the fields that are not at their default."""
    found = {f.name: getattr(value, f.name) for f in fields(value) if getattr(value, f.name) != f.default}
    found |= {f.name: float(found[f.name]) for f in fields(value) if f.type is float and f.name in found}  # 1 is 1.0
    return ({"name": next(n for n, cls in names.items() if type(value) is cls)} if names else {}) | found
