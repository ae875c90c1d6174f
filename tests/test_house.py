"""The house: imports run downward only and without a circle; functions and files stay small.

`python tests/test_house.py` draws it: a floor a line, and below each room those that it imports.
"""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "nlcore"
FILES = sorted(HOUSE.rglob("*.py"))

# every room may import those in rows below its own, and within itself
FLOORS = [
    {"__main__"},
    {"cli"},
    {"book", "audit"},
    {"papers"},
    {"sweep"},
    {"vouch"},
    {"training"},
    {"runs"},
    {"methods"},
    {"models", "measures", "noise"},
    {"data"},
    {"files", "machine", "losses", "figures"},
    {"inputs", "words", "__init__"},
]
FLOOR = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}


def module(path: Path) -> tuple[str, ...]:
    """`nlcore/data/own.py` -> ("data", "own"); a package is called after its folder."""
    parts = path.relative_to(HOUSE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts


MODULES = {module(path) for path in FILES}


def imported(path: Path) -> set[tuple[str, ...]]:
    """The modules of this package that a file imports, wherever in the file."""
    found, here = set(), path.relative_to(HOUSE).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - (node.level - 1)] + tuple((node.module or "").split(".") if node.module else ())
            for name in (alias.name for alias in node.names):
                found.add((*base, name) if (*base, name) in MODULES else base or ("__init__",))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            assert not any(name.split(".")[0] == "nlcore" for name in names), f"{path.name} imports itself by name"
    return found - {module(path)}


GRAPH = {module(path): imported(path) for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_run_downward(path):
    room = module(path)[0]
    above = {other[0] for other in GRAPH[module(path)] if other[0] != room and FLOOR[other[0]] <= FLOOR[room]}
    assert not above, f"{'/'.join(module(path))} imports {above}, which is not below {room}"


def test_there_is_no_circle():
    """Not between rooms, nor between the files of a room; a package stands for what its `__init__` imports."""
    assert len([*TopologicalSorter(GRAPH).static_order()]) >= len(FILES)


def test_figures_see_frames_and_methods_see_no_record():
    assert GRAPH[("figures",)] <= {("words",)}
    assert not any(
        other[0] in ("runs", "training") for path, seen in GRAPH.items() if path[0] == "methods" for other in seen
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_functions_and_files_stay_small(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    long = {
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > 60
    }
    assert not long


def drawing() -> str:
    """The floors, the highest first, with what each room imports."""
    lines = []
    for rooms in FLOORS:
        lines.append("  ".join(sorted(rooms)))
        for room in sorted(rooms):
            below = {other[0] for path, seen in GRAPH.items() if path[0] == room for other in seen} - {room}
            lines.append(f"    {room} -> {', '.join(sorted(below, key=FLOOR.get)) or 'nothing'}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(drawing())
