"""nlcore: the core under the executable book on learning with noisy labels."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path

__version__ = "0.1.0"

# rooms that compute no number of a record
BYSTANDERS = ("cli", "book", "audit", "papers", "figures.py", "words.py")


def code_of(package: Path) -> str:
    """A hash of the files of this package that numbers of records depend on, as they are on disk now."""
    files = [path for path in sorted(package.rglob("[!.]*.py")) if path.is_file()]  # editors lock by .#names
    paths = [path for path in files if path.relative_to(package).parts[0] not in BYSTANDERS]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()


AT_IMPORT = code_of(Path(__file__).parent)  # before any other file of it is read: what this process will obey


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
