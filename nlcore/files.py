"""Files are whole or not there."""

import uuid
from pathlib import Path


def write_whole(path: Path, text: str) -> Path:
    """Write a text under a name of its own, then rename it: all of the file or nothing, whoever else writes it too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    temporary.write_text(text)
    return temporary.rename(path)
