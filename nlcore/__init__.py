"""nlcore: the core under the executable book on learning with noisy labels."""

import os
from pathlib import Path

__version__ = "0.1.0"


def home() -> Path:
    """The folder that holds `book/`: $NLCORE_HOME, else the checkout of this package, else the current folder."""
    if "NLCORE_HOME" in os.environ:
        return Path(os.environ["NLCORE_HOME"])
    checkout = Path(__file__).resolve().parent.parent
    return checkout if (checkout / "book").is_dir() else Path.cwd()
