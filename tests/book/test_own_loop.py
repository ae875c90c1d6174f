"""The lines that a reader may take into a training loop of his own run as they are printed."""

import re

import nbformat
import torch
from torch import nn

from nlcore import home
from nlcore.book import loops


def printed(text: str) -> list[str]:
    """The blocks of Python in a Markdown text."""
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def prose(name: str) -> str:
    """All Markdown of a chapter."""
    cells = nbformat.read(home() / "book" / f"{name}.ipynb", 4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def reader() -> dict:
    """What a reader has: images, noisy labels, some trusted ones, networks, a loop."""
    torch.manual_seed(0)
    x, y = torch.randn(40, 5), torch.arange(40) % 3
    mine = {"x": x, "y": y, "K": 3, "M": 40, "epochs": 2, "trusted_x": x[:9], "trusted_y": y[:9]}
    networks = {name: nn.Linear(5, 3) for name in ("net", "first", "another_net")}
    return mine | networks | {"train": lambda net, x, y, *trusted: None, "loader": range(4)}


def test_what_helps():
    names = reader()
    blocks = printed(prose("09_what_helps"))
    for block in blocks:
        exec(block, names)
    assert len(blocks) == 4 and names["loss"].isfinite() and names["held"].numel() == 4
    torch.testing.assert_close(names["T"].sum(1), torch.ones(3))


def test_the_reference():
    names = reader()
    loss_of_one_line, attached = printed((home() / "book" / "api.md").read_text())
    exec(loss_of_one_line, names)
    exec(attached, names)
    assert names["learner"].steps == names["learner"].epochs == 2


def test_your_loop(tmp_path, monkeypatch):
    """All blocks but that of Lightning, on which nothing here depends; of that one the syntax."""
    monkeypatch.chdir(tmp_path)
    first_stage, checkpoint, lightning = printed(prose("12_your_loop"))
    names = reader()
    exec(first_stage, names)
    assert names["second"].transition().shape == (3, 3)
    exec(checkpoint, names)
    assert names["saved"]["learner"]["steps"] == 0
    assert compile(lightning, "chapter", "exec") and "import pytorch_lightning" in lightning


def test_the_readme():
    """FasTEN learns in the loop of the README."""
    torch.manual_seed(0)
    [block] = printed((home() / "README.md").read_text())
    mine = loops.digits(images=500)
    names = {"net": loops.SmallNet(10), "labels": mine.y, "data": loops.Indexed(mine.pairs), "epochs": 3}
    names |= {"trusted_x": mine.trusted_x, "trusted_y": mine.trusted_y}
    exec(block, names)
    learned = names["learner"].predict(mine.test_x).argmax(1) == mine.test_y
    assert learned.float().mean() > 0.6
