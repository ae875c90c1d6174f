"""The page on many machines says what the file of the benchmark says."""

from nlcore.book import scale

TIMES = {"status": 0.5, "collect": 0.1, "start and collect": 3.0, "scoreboard": 4.0}
ROWS = [
    {"records": count, "engine_ms": 2.0 + count, "store": store, "asked": asked}
    | {name: asked * own for name, own in TIMES.items()}
    for count in (1, 10, 25)
    for store in ("working", "published")
    for asked in {1, count}
]
FOUND = {"machine": {"cpu": "C", "cores": 2, "torch": "2", "python": "3"}, "date": "2026-01-01", "rows": ROWS}


def test_a_row_for_each_command_and_store():
    table = scale.readers(FOUND, whole=True)
    assert table.loc[("scoreboard", "working")].to_list() == [4.0, 40.0, 100.0, "2.5"]
    assert [*table.columns] == ["1 records", "10 records", "25 records", "25 over 10"] and len(table) == 8


def test_a_store_may_grow_while_an_experiment_does_not():
    table = scale.readers(FOUND)
    assert table.loc[("scoreboard", "working")].to_list() == [4.0, 4.0, 4.0, "1.0"] and len(table) == 8


def test_the_prose_says_what_the_slowest_store_takes():
    said = scale.findings(FOUND)
    assert said["collect"] == "0.1 seconds" and said["collect_of_all"] == "2.5 seconds"
    assert said["records"] == "25" and said["engine"] == "3.0 to 27.0"
    assert scale.engine(FOUND)["milliseconds a run"].to_list() == [3.0, 12.0, 27.0]


def test_short_times_are_in_milliseconds():
    assert (scale.in_time(1.06), scale.in_time(0.00099)) == ("1.1 seconds", "1.0 milliseconds")
