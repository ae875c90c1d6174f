"""The page that follows a number: each stop shows what the one before it has made."""

import re

from nlcore.book import front, made
from nlcore.measures.evaluate import select
from nlcore.runs import frame, store


def test_the_line_that_is_named_has_the_record():
    run = made.followed()[0]
    place = made.told_of(made.record_of(run)).loc["where it stands", "its record"]
    line = int(re.fullmatch(r"book/records/rolnick2017.jsonl, line (\d+)", place)[1])
    text = store.published("rolnick2017").read_text().splitlines()[line - 1]
    assert f'"seed":{run.seed}' in text and made.record_of(run).dump() == text


def test_every_rule_is_seen_and_the_last_evaluation_is_the_last_row():
    table = made.evaluations(made.record_of(made.followed()[0]))
    assert "last" in table["chosen by"].iloc[-1] and "noisy validation" in ", ".join(table["chosen by"])


def test_the_effect_is_the_mean_of_the_seeds_and_stands_on_the_front_page():
    values, said = made.over_seeds()["test accuracy, %"], made.judged()
    assert float(said["effect"].split(" ")[0]) == float(f"{values.mean():.1f}")
    rows = select(frame([made.record_of(run) for run in made.followed()]))
    assert front.outvoted(rows)["outvoted"] == f"{values.mean():.1f}"
