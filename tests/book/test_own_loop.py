"""The lines that a reader may take into a training loop of his own run as they are printed."""

import re

import nbformat
import torch
from torch import nn

from nlcore import home


def printed(text: str) -> list[str]:
    """The blocks of Python in a Markdown text."""
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def reader() -> dict:
    """What a reader has: images, noisy labels, some trusted ones, two networks, a loop."""
    torch.manual_seed(0)
    x, y = torch.randn(40, 5), torch.arange(40) % 3
    mine = {"x": x, "y": y, "K": 3, "epochs": 2, "trusted_x": x[:9], "trusted_y": y[:9]}
    return mine | {"net": nn.Linear(5, 3), "first": nn.Linear(5, 3), "train": lambda net, x, y: None}


def test_what_helps():
    cells = nbformat.read(home() / "book" / "09_what_helps.ipynb", 4).cells
    names = reader()
    blocks = printed("\n".join(cell.source for cell in cells if cell.cell_type == "markdown"))
    for block in blocks:
        exec(block, names)
    assert len(blocks) == 3 and names["loss"].isfinite() and names["held"].numel() == 4
    torch.testing.assert_close(names["T"].sum(1), torch.ones(3))


def test_the_reference():
    [block] = printed((home() / "book" / "api.md").read_text())
    exec(block, reader())
