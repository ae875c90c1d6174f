"""nlcore: the core under the executable book on learning with noisy labels."""

import os
from functools import lru_cache
from pathlib import Path

__version__ = "0.1.0"


def home() -> Path:
    """The folder that holds `book/`: $NLCORE_HOME, else the checkout of this package, else the current folder."""
    if "NLCORE_HOME" in os.environ:
        return Path(os.environ["NLCORE_HOME"])
    return _checkout() or Path.cwd()


@lru_cache
def _checkout() -> Path | None:
    """The checkout of this package, if it is used from one."""
    found = Path(__file__).resolve().parent.parent
    return found if (found / "book").is_dir() else None
