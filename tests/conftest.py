"""Every test works in its own store, on the embedded digits."""

import hypothesis
import pytest
import torch

hypothesis.settings.register_profile("quiet", deadline=None, max_examples=50)  # no clock decides a test
hypothesis.settings.load_profile("quiet")
torch.set_num_threads(1)  # tests run side by side


def pytest_collection_modifyitems(items):
    """Groups first: one process has a whole group, and should not be left alone with a long one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.fixture(autouse=True)
def vouched(monkeypatch):
    """No test but those of it repeats golden runs before it trains; `tests/runs/test_golden.py` repeats all."""
    from nlcore import vouch

    honest = vouch.vouch
    monkeypatch.setattr(vouch, "vouch", lambda runs, echo: None)
    return honest


@pytest.fixture(autouse=True)
def stores(tmp_path, monkeypatch):
    monkeypatch.setenv("NLCORE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("NLCORE_DATA", str(tmp_path / "data"))
    return tmp_path
