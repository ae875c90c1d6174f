"""Keys name published runs: no change of code may change one."""

import hashlib
import json
from pathlib import Path

import pytest

from nlcore import papers

KNOWN = json.loads((Path(__file__).parent / "keys.json").read_text())


@pytest.mark.parametrize("name", papers.experiments())
def test_the_keys_of_an_experiment_are_what_they_were(name):
    """Number and hash of all keys at a tier; an experiment that gains or loses a run says so in keys.json."""
    for tier in papers.TIERS:
        keys = sorted(run.key for run in papers.runs(name, tier))
        assert [len(keys), hashlib.sha256(" ".join(keys).encode()).hexdigest()[:16]] == KNOWN[f"{name} {tier}"], tier
