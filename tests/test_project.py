"""One source for dependencies; the rest agrees with it."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name(requirement: str) -> str:
    return re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower().replace("_", "-")


def test_every_dependency_is_pinned_exactly():
    files = ("constraints.txt", "constraints.lab.txt", "workflow/constraints.txt")
    lines = [line for file in files for line in (ROOT / file).read_text().splitlines()]
    pins = {name(line) for line in lines if re.fullmatch(r"[A-Za-z0-9_.\[\]-]+==[^=+]+", line)}
    assert len(pins) == len({*lines})  # what two files pin, they pin alike
    wanted = PROJECT["dependencies"] + sum(PROJECT["optional-dependencies"].values(), [])
    assert {name(r) for r in wanted} <= pins


def test_every_pin_has_its_hashes_and_a_licence():
    """But torch and torchvision, whose files differ from one index to the next; `make lock` writes both lists."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {name(line): line.partition("==")[2] for line in lines}
    blocks = re.split(r"^(?=[A-Za-z])", (ROOT / "constraints.hashes.txt").read_text(), flags=re.M)[1:]
    hashed = {name(block): block.split()[0].partition("==")[2] for block in blocks if "--hash=sha256:" in block}
    assert hashed | {other: pins[other] for other in ("torch", "torchvision")} == pins
    rows = [line.split("|")[1:3] for line in (ROOT / "LICENSES.md").read_text().splitlines()[2:]]
    assert {name(package.strip()) for package, _ in rows} == pins.keys()
    assert not [package for package, licence in rows if licence.strip() in ("", "UNKNOWN")]


def test_pins_are_for_the_oldest_python_that_is_promised():
    """A pin that needs a later patch release cannot be installed with the Python of some distributions."""
    from importlib.metadata import distributions

    from packaging.specifiers import SpecifierSet

    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    wanted = {name(d.metadata["Name"]): d.metadata["Requires-Python"] or "" for d in distributions()}
    pins = {name(line) for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert not {pin: wanted[pin] for pin in pins & wanted.keys() if not SpecifierSet(wanted[pin]).contains(oldest)}


def test_environment_yml_installs_what_pyproject_declares():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, packages = environment["dependencies"]
    low = PROJECT["requires-python"].removeprefix(">=")
    assert tuple(map(int, python.removeprefix("python=").split("."))) >= tuple(map(int, low.split(".")))
    assert pip == "pip" and environment["channels"] == ["conda-forge"]
    extras = ",".join(sorted({*PROJECT["optional-dependencies"]} - {"cluster", "lab"}))  # not everybody needs them
    assert packages == {"pip": ["-c constraints.txt", f"-e .[{extras}]"]}


def test_version_is_said_once_and_again():
    import nlcore

    assert nlcore.__version__ == PROJECT["version"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == PROJECT["version"]


def test_ci_calls_the_readmes_test_command():
    assert "make test" in (ROOT / ".ci" / "run").read_text() and "make test" in (ROOT / "README.md").read_text()


TARGETS = ["reproduce", "test", "book", "lint", "refresh", "lab", "bench", "gpu", "torture", "lock", "audit"]


@pytest.mark.parametrize("target", TARGETS)
def test_the_makefile_has_what_the_readme_promises(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)


def test_the_example_of_how_to_add_a_method_works_and_is_short():
    import torch

    from nlcore.methods import Batch, Unhinged

    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.S)
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    assert len(lines) < 30
    space = {"__name__": "example"}
    exec(blocks[0].replace("from .base", "from nlcore.methods.base").replace("from ..", "from nlcore."), space)
    logits, y = torch.randn(8, 5), torch.arange(8) % 5
    batch, methods = Batch(torch.arange(8), logits, y), (space["TaylorCE"](1), Unhinged(), space["TaylorCE"](2))
    one_term, unhinged, two_terms = (method.loss(lambda x: x, batch, None) for method in methods)
    torch.testing.assert_close(one_term, unhinged)
    assert two_terms > one_term


def test_the_training_path_imports_without_the_book():
    """A GPU node needs torch, safetensors, numpy, pandas, scikit-learn, tqdm and typer alone."""
    import subprocess
    import sys

    absent = ["papermill", "jupyter_book", "matplotlib", "seaborn", "torchvision", "nbformat", "IPython", "PIL"]
    script = f"import sys; sys.modules |= dict.fromkeys({absent}); import nlcore.cli, nlcore.papers; "
    script += "from nlcore.papers import rolnick2017 as r\n"
    script += "from nlcore.training.train import train; train(r.uniform('smoke', steps=3)[0])"
    subprocess.run([sys.executable, "-c", script], check=True)
