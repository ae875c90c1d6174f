"""Checkpoints: one bit that is wrong is enough not to go on from it."""

import pytest
import torch

from nlcore.training.checkpoint import Checkpoints
from nlcore.training.processes import Process


@pytest.mark.parametrize("place", [0.02, 0.3, 0.5, 0.7, 0.99])
def test_a_flipped_bit_is_found(tmp_path, capsys, place):
    keep = Checkpoints(tmp_path, Process(torch.device("cpu")), "run", "golden")
    state = {"depth": 0, "done": 7, "net": {"w": torch.arange(5000.0)}}
    keep.save(state)
    assert torch.equal(keep.newest()["net"]["w"], state["net"]["w"])
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 4
    path.write_bytes(content)
    assert keep.newest() is None and path.name in capsys.readouterr().err
    assert [left.suffix for left in tmp_path.iterdir()] == [".damaged"]


def test_what_a_killed_process_left_goes_with_the_run(tmp_path):
    keep = Checkpoints(tmp_path, Process(torch.device("cpu")), "run", "golden")
    keep.save({"depth": 0, "done": 7})
    (tmp_path / ".run-1-000000008.0.safetensors.0123.part").touch()
    keep.clear()
    assert not [*tmp_path.iterdir()]
