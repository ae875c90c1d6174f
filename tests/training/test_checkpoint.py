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


def test_a_state_of_another_run_or_process_is_said_and_is_no_checkpoint(tmp_path, capsys):
    here = Process(torch.device("cpu"))
    Checkpoints(tmp_path, here, "run", "golden").save({"depth": 0, "done": 7})
    Checkpoints(tmp_path, here, "state", "golden", of="settings").save({"depth": 0, "done": 7})
    (tmp_path / "run-1-000000007.0.safetensors").rename(tmp_path / "other-1-000000007.0.safetensors")
    for name, of, rank in (("other", "", 0), ("state", "other settings", 0), ("state", "settings", 1)):
        file = tmp_path / f"{name}-1-000000007.0.safetensors"
        keep = Checkpoints(tmp_path, here._replace(rank=rank), name, "golden", of=of)
        assert keep.load(file) is None and file.with_suffix(".damaged").exists()
        (told,) = capsys.readouterr().err.splitlines()
        assert f"{file} does not say that it is of this run" in told
        file.with_suffix(".damaged").rename(file)
    assert Checkpoints(tmp_path, here, "state", "golden", of="settings").newest()["done"] == 7


def test_what_a_killed_process_left_goes_with_the_run(tmp_path):
    keep = Checkpoints(tmp_path, Process(torch.device("cpu")), "run", "golden")
    keep.save({"depth": 0, "done": 7})
    (tmp_path / ".run-1-000000008.0.safetensors.0123.part").touch()
    keep.clear()
    assert not [*tmp_path.iterdir()]
