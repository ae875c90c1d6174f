"""nlcore: the core under the executable book on learning with noisy labels."""

import os
from functools import lru_cache
from pathlib import Path

__version__ = "0.1.0"


def home() -> Path:
    """The folder that holds `book/`: $NLCORE_HOME, else the checkout of this package, else the current folder."""
    return place("NLCORE_HOME", _checkout() or Path.cwd())


def place(variable: str, otherwise: Path) -> Path:
    """The folder that an environment variable names, as a shell reads it: ~ is one's home, empty is not set."""
    named = os.environ.get(variable, "")
    return Path(os.path.expanduser(named)) if named else otherwise


@lru_cache
def _checkout() -> Path | None:
    """The checkout of this package, if it is used from one."""
    found = Path(__file__).resolve().parent.parent
    return found if (found / "book").is_dir() else None
