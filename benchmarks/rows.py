"""How a benchmark shows its rows."""

import json


def show(rows: list[dict], as_json: bool) -> None:
    """Rows as JSON, or a line each."""
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        told = (f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in row.items())
        print("  ".join(told))
