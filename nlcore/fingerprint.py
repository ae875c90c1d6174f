"""Which code made a number: a hash of every definition in nlcore that a run can reach.

Names are followed from the run's method, noise model, network and the training loop. Comments, docstrings, annotations
and layout do not count, so editing a loss makes stale exactly the records that use it.
"""

import ast
import hashlib
import inspect
import sys
import textwrap
from functools import cache, partial

# registries reach everything; checks of input, and capturing a step (equal to the eager one by test), change no number;
# what is resident is data, which a record has the hash of
STOP = {"METHODS", "NOISES", "MODELS", "ANALYSES", "lookup", "require", "describe", "card", "capture", "resident"}


@cache
def fingerprint(*roots) -> str:
    """16 hex digits for all definitions that the classes, functions and partials `roots` can reach inside nlcore."""
    seen, todo = {}, list(roots)
    while todo:
        thing = todo.pop()
        if isinstance(thing, partial):
            seen[f"partial {thing.func.__qualname__} {sorted(thing.keywords.items())}"], thing = "", thing.func
        name = f"{thing.__module__}.{thing.__qualname__}"
        if name in seen:
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
        words, local = set(), set()
        seen[name] = _read(tree, words, local)
        space = vars(sys.modules[thing.__module__])
        for word in words & space.keys() - local - STOP:
            values = space[word].values() if isinstance(space[word], dict) else [space[word]]
            for value in map(inspect.unwrap, values):
                if inspect.isfunction(value) or inspect.isclass(value):
                    todo += [value] if value.__module__.startswith("nlcore") else []
                elif isinstance(value, tuple | int | float | str | dict):
                    seen[f"{thing.__module__}.{word}"] = repr(space[word])
    return hashlib.sha256("\n".join(f"{k} {v}" for k, v in sorted(seen.items())).encode()).hexdigest()[:16]


def _read(node, words: set[str], local: set[str]) -> str:
    """A syntax tree as text, without what computes nothing or differs by version; collects names and assigned names."""
    if isinstance(node, list):
        return "[" + ",".join(_read(n, words, local) for n in node) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, ast.Name):
        (words if isinstance(node.ctx, ast.Load) else local).add(node.id)
    skip = {"ctx", "annotation", "returns"}
    fields = {k: v for k, v in ast.iter_fields(node) if v not in (None, []) and k not in skip}
    body = fields.get("body")
    if isinstance(body, list) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        fields["body"] = body[1:]
    return f"{type(node).__name__}({','.join(f'{k}={_read(v, words, local)}' for k, v in fields.items())})"
