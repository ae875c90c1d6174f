"""Where numbers come from, and the command that repeats them."""

import json
import shlex

import pandas as pd

from nlcore.papers.provenance import provenance
from nlcore.papers.texts import seeds


def test_the_command_that_repeats_a_table_means_the_same_in_a_shell():
    row = {"dataset": "digits", "device": "CPU", "stale": False, "train_seconds": 60.0}
    knobs = {"alphas": [0, 5], "models": ["mlp1"], "seeds": 1}
    told = provenance(pd.DataFrame([row, row]), "rolnick2017.uniform", "smoke", knobs)
    assert "2 of 2 runs at tier smoke on digits;\n2.0 minutes of training in all on CPU" in told
    words = shlex.split(told.partition("Repeat: ")[2])
    assert words[:5] == ["nlcore", "run", "rolnick2017.uniform", "--tier", "smoke"] and words[5::2] == ["--set"] * 3
    given = dict(word.split("=", 1) for word in words[6::2])
    assert {name: json.loads(value) for name, value in given.items()} == knobs


def test_a_caption_says_how_many_seeds_there_are_of_each_setting():
    whole = pd.DataFrame({"seed": [0, 0, 1, 1, 2, 2], "method": ["ce", "gce"] * 3, "rate": [0.2, None] * 3})
    assert seeds(whole) == "3 seeds" and seeds(whole[:5]) == "up to 3 seeds" and seeds(whole[:2]) == "one seed"
    assert seeds(pd.concat([whole, whole[:1]])) == "3 seeds"  # one of them chose another setting
