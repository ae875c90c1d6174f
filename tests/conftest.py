"""Every test works in its own store, on the embedded digits."""

import hypothesis
import pytest
import torch

hypothesis.settings.register_profile("quiet", deadline=None, max_examples=50)  # no clock decides a test
hypothesis.settings.load_profile("quiet")
torch.set_num_threads(1)  # tests run side by side


@pytest.fixture(autouse=True)
def stores(tmp_path, monkeypatch):
    monkeypatch.setenv("NLCORE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("NLCORE_DATA", str(tmp_path / "data"))
    return tmp_path
