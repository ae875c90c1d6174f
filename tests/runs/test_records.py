"""Records: whole or not at all, by value, and honest about the code that made them."""

import errno
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlcore import runs, sweep
from nlcore.files import write_whole
from nlcore.inputs import UserError
from nlcore.methods import CE, HAlpha
from nlcore.noise import Clean, Matrix, SymmetricExclusive, Uniform
from nlcore.papers import PAPERS
from nlcore.runs import Budget, Run, store
from nlcore.runs.run import content_hash
from nlcore.training import train

RUN = Run("digits", "perceptron", Budget(steps=5, evaluations=1), Uniform(1.0), validation=50)


@pytest.fixture(scope="module")
def record():
    return train.train(RUN, "cpu")


def test_a_record_survives_a_round_trip(record):
    assert runs.parse_record(record.dump(), "here") == record and not record.stale


@pytest.mark.parametrize(
    "run",
    [
        RUN,
        replace(RUN, noise=SymmetricExclusive(0.4), method=HAlpha(3.0), seed=7, examples=10),
        replace(
            RUN, noise=Matrix(((0.5, 0.5), (0.25, 0.75))), budget=Budget(9, schedule="steps", milestones=(0.5, 0.9))
        ),
    ],
)
def test_a_run_is_its_spec(run):
    again = runs.parse_run(json.loads(json.dumps(run.spec())))
    assert again == run and again.key == run.key


def test_keys_are_pinned_and_forget_defaults():
    # published records are found by these keys: a change here orphans all of them
    assert RUN.key == PINNED
    assert replace(RUN, budget=Budget(steps=5, evaluations=1, batch=128, lr=1e-3)).key == RUN.key
    assert replace(RUN, seed=1).key != RUN.key


def test_defaults_never_change():
    # keys leave them out, so another default would give old records another meaning; new fields are welcome
    budget = {
        "batch": 128,
        "optimiser": "adam",
        "lr": 1e-3,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "schedule": "constant",
    }
    budget |= {"milestones": (), "precision": "fp32", "channels_last": False, "evaluations": 10}
    assert budget.items() <= vars(Budget(steps=1)).items()
    run = {"noise": Clean(), "method": CE(), "examples": 0, "validation": 0, "seed": 0}
    assert run.items() <= vars(Run("digits", "mlp1", Budget(1))).items() and vars(HAlpha()).items() >= {("alpha", 20.0)}


PINNED = "3f3d3fa866601ae9"


def test_an_edited_digit_is_found(record):
    line = record.dump()
    value = str(record.history[-1]["test_accuracy"])
    changed = line.replace(value, value[:-1] + ("1" if value[-1] != "1" else "2"))
    assert changed != line
    with pytest.raises(UserError, match="checksum"):
        runs.parse_record(changed, "line 1")


def test_no_edit_of_one_character_is_taken_for_a_whole_line(record):
    """Lines are first judged by their text alone."""
    line = record.dump()
    assert vars(runs.parse_record(line, "here")).keys() == {"line", "key", "golden", "diverged"}  # nothing else is read
    for i, old in enumerate(line):
        for new in ("", "0" if old != "0" else "1", old + '"'):
            with pytest.raises(UserError, match="here"):
                runs.parse_record(line[:i] + new + line[i + 1 :], "here")


def test_a_whole_line_in_another_form_is_a_record(record):
    content = json.loads(record.dump())
    assert runs.parse_record(json.dumps(content, indent=1), "here") == record
    moved = {"digest": content.pop("digest")} | content
    assert runs.parse_record(json.dumps(moved), "here") == record


def test_a_checksum_inside_of_another_part_is_none(record):
    line = record.dump()
    mark = f',"digest":"{json.loads(line)["digest"]}"'
    inside = line.replace(mark, "").replace('},"cost"', mark + '},"cost"')
    with pytest.raises(UserError, match="whole"):
        runs.parse_record(inside, "here")


def test_a_record_of_another_run_is_named_and_set_aside(record, capsys):
    other = replace(RUN, seed=9).key
    store.save(record).rename(store.working() / f"{other}.json")
    assert store.load_working(other) is None and f"another run, {RUN.key}" in capsys.readouterr().err


def test_a_stored_record_is_the_one_that_was_saved(record):
    store.save(record)
    found = store.load_working(RUN.key)
    assert found.dump() == record.dump() and replace(found, diverged=True).diverged and found == record
    assert not hasattr(found, "nothing")


def test_a_key_that_is_not_its_contents_is_found(record):
    content = json.loads(record.dump())
    content["key"] = "0" * 16
    with pytest.raises(UserError, match="line 3.*key"):
        runs.parse_record(json.dumps(content), "line 3")


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-30], lambda b: b"\xff\xfe", lambda b: b"[" * 100_000, lambda b: b.replace(b'"key":', b'"kay":')],
)
def test_a_damaged_record_is_named_set_aside_and_missing(record, damage, capsys):
    path = store.save(record)
    path.write_bytes(damage(path.read_bytes()))
    assert store.load_working(RUN.key) is None
    assert path.name in capsys.readouterr().err and not path.exists() and path.with_suffix(".damaged").exists()


def test_saving_leaves_no_temporary_file(record):
    path = store.save(record)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_publishing_merges_and_sorts(record, monkeypatch, tmp_path):
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    other = train.train(replace(RUN, seed=1), "cpu")
    store.publish("some2020", [record])
    store.publish("some2020", [other, record])
    assert list(store.load_published("some2020")) == sorted([record.run.key, other.run.key])


def test_a_published_record_stays_where_it_rests_on_more_of_todays_golden_runs(record, monkeypatch, tmp_path):
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    first, *others = record.golden.split()
    assert others, "the golden runs of this run are too few for the test"
    fewer, other = replace(record, golden=first), replace(record, golden=f"{record.golden} 00000000")
    for old, new, taken in [
        (record, fewer, False),
        (record, other, False),  # not current
        (fewer, record, True),
        (other, fewer, True),
        (record, replace(record, diverged=True), True),
    ]:
        store.published("some2020").unlink(missing_ok=True)
        store.publish("some2020", [old])
        told = store.publish("some2020", [new])
        assert (told.replaced, told.kept) == ((1, 0) if taken else (0, 1))
        (found,) = store.load_published("some2020").values()
        assert found == (new if taken else old)


def test_of_two_records_of_one_code_the_older_one_does_not_replace_the_newer(record, monkeypatch, tmp_path):
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    older, newer = (replace(record, environment=record.environment | {"made": day}) for day in ("2026-01", "2026-02"))
    store.publish("some2020", [newer])
    assert store.publish("some2020", [older]).kept == 1
    store.publish("some2020", [older])
    assert [*store.load_published("some2020").values()] == [newer]
    dateless = replace(record, environment={k: v for k, v in record.environment.items() if k != "made"})
    assert store.publish("some2020", [dateless]).kept == 1


PUBLISH = """
import sys
from nlcore.runs import store
store.publish("some2020", [store.load_working(key) for key in sys.argv[1:]])
"""


def test_several_that_publish_at_once_lose_nothing(record, monkeypatch, tmp_path):
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    keys = [store.save(replace(record, run=replace(RUN, seed=seed))).stem for seed in range(12)]
    started = [subprocess.Popen([sys.executable, "-c", PUBLISH, *keys[i::3]]) for i in range(3)]
    assert [process.wait() for process in started] == [0, 0, 0]
    assert [*store.load_published("some2020")] == sorted(keys)


def test_lines_that_a_merge_doubled(record, monkeypatch, tmp_path):
    """The current one is taken; two different current ones are for a person to decide; editors' marks do no harm."""
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    path, stale = store.published("some2020"), replace(record, golden="00000000")
    path.parent.mkdir(parents=True)
    for lines in ([record, stale], [stale, record], [record, record]):
        path.write_text("\ufeff" + "\r\n".join(r.dump() for r in lines) + "\n\n", encoding="utf-8")
        store._parsed.cache_clear()
        assert [*store.load_published("some2020").values()] == [record]
    path.write_text(record.dump() + "\n" + replace(record, diverged=True).dump() + "\n")
    store._parsed.cache_clear()
    monkeypatch.setattr(store, "MANY", 0)
    for ask in (store.load_published, lambda paper: store.shared_published(paper, [record.key])):
        with pytest.raises(UserError, match="line 2: a second record"):
            ask("some2020")


def test_a_merge_that_kept_both_sides_is_found_out_wherever_its_lines_are(record, monkeypatch, tmp_path):
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    made = sorted((replace(record, run=replace(RUN, seed=seed)) for seed in range(5)), key=lambda one: one.key)
    other = [replace(one, diverged=not one.diverged) if one is made[2] else one for one in made]
    write_whole(store.published("some2020"), "".join(f"{one.dump()}\n" for one in [*made, *other]))
    monkeypatch.setattr(store, "MANY", 0)
    with pytest.raises(UserError, match="a second record of the run"):
        store.shared_published("some2020", [made[2].key])


@given(st.data())
def test_a_record_that_is_looked_up_is_that_of_its_line(record, data):
    """In whatever order the lines are, and however often: what bisection finds is what reading all lines finds."""
    current = [replace(record, run=replace(RUN, seed=seed)) for seed in range(12)]
    stale = [replace(made, golden="00000000") for made in current[8:]]
    lines = data.draw(st.lists(st.sampled_from([made.dump() for made in current[:10] + stale]), max_size=24))
    keys = data.draw(st.lists(st.sampled_from([made.key for made in current]), unique=True, max_size=6))
    if data.draw(st.booleans()):
        lines.sort(key=lambda line: line.rpartition('"key":"')[2])
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as home:
        patch.setenv("NLCORE_HOME", home)
        write_whole(store.published("some2020"), "".join(f"{line}\n" for line in lines))
        every = store.load_published("some2020")
        patch.setattr(store, "MANY", 0)
        assert store.shared_published("some2020", keys) == {key: every[key] for key in keys if key in every}


def test_a_damaged_line_ends_nobody_else(record, monkeypatch, tmp_path):
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    records = sorted((replace(record, run=replace(RUN, seed=seed)) for seed in range(12)), key=lambda made: made.key)
    lines = [made.dump() for made in records]
    lines[4] = lines[4].replace('"diverged":false', '"diverged":true')
    write_whole(store.published("some2020"), "\n".join(lines))
    monkeypatch.setattr(store, "MANY", 0)
    for made in records[:4] + records[5:]:
        assert store.shared_published("some2020", [made.key]) == {made.key: made}
    with pytest.raises(UserError, match="line 5: its content does not match its checksum"):
        store.shared_published("some2020", [records[4].key])


def test_a_published_store_behind_a_link_stays_there(record, monkeypatch, tmp_path):
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path / "home"))
    path, shared = store.published("some2020"), tmp_path / "shared.jsonl"
    path.parent.mkdir(parents=True)
    path.symlink_to(shared)
    store.publish("some2020", [record])
    assert path.is_symlink() and record.dump() in shared.read_text()


def test_what_cannot_be_read_now_or_by_this_version_stays_where_it_is(record, capsys):
    path = store.save(record)
    content = json.loads(record.dump()) | {"host": "elsewhere"}
    del content["digest"]
    path.write_text(json.dumps(content | {"digest": content_hash(content)}))
    with pytest.raises(UserError, match="another version"):
        store.load_working(RUN.key)
    with pytest.raises(UserError, match="another version"):
        store.save(record)
    assert path.exists()
    path.unlink()
    path.mkdir()  # as unreadable as a file of somebody else's
    with pytest.raises(UserError, match="cannot be read now"):
        store.load_working(RUN.key)


def test_records_that_are_set_aside_do_not_replace_each_other(record, capsys):
    for _ in range(2):
        store.save(record).write_text("{")
        assert store.load_working(RUN.key) is None
    assert sorted(path.name for path in store.working().glob("*.damaged*")) == [
        f"{RUN.key}-1.damaged",
        f"{RUN.key}.damaged",
    ]


def test_a_damaged_record_in_a_store_that_cannot_be_written_stays_and_is_missing(record, monkeypatch, capsys):
    def refused(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    store.save(record).write_text("{")
    monkeypatch.setattr(Path, "rename", refused)
    assert store.load_working(RUN.key) is None
    assert "counts as missing, and stays where it is (Read-only file system)" in capsys.readouterr().err


def test_a_record_of_another_state_of_the_code_is_kept(record):
    others = [replace(record, golden=golden) for golden in ("00000000", "11111111")]
    for each in (*others, record):
        store.save(each)
    (*aside,) = store.working().glob("*.old")
    assert store.load_working(RUN.key) == record and len(aside) == 2
    assert sorted(path.read_text().strip() for path in aside) == sorted(other.dump() for other in others)


def test_going_to_and_fro_between_two_states_of_the_code_trains_nothing_twice(record):
    other = replace(record, golden="00000000")
    store.save(record)
    store.save(other)  # as another checkout does
    assert sweep.find([RUN], "rolnick2017") == {RUN.key: ("done", record)}
    (aside,) = store.working().glob("*.old")
    aside.write_text("{")  # damaged, it counts as missing
    assert sweep.find([RUN], "rolnick2017") == {RUN.key: ("stale", other)}


def test_runs_that_are_done_are_found_without_a_look_at_all_others(record, monkeypatch):
    listing = store.listing
    store.save(record)
    monkeypatch.setattr(store, "listing", lambda: pytest.fail("listed"))
    assert sweep.find([RUN], "rolnick2017") == {RUN.key: ("done", record)}
    monkeypatch.setattr(store, "listing", listing)
    (store.working() / f"{RUN.key}.json").unlink()
    (store.working() / f"{RUN.key}.failed").touch()
    assert sweep.find([RUN], "rolnick2017") == {RUN.key: ("failed", None)}


@pytest.mark.parametrize("paper", PAPERS)
def test_published_records_are_whole(paper):
    found = store.load_published(paper)
    assert found, f"no published record of {paper}"
    lines = store.published(paper).read_text().splitlines()
    assert list(found) == sorted(found) and len(found) == len(lines)


@pytest.mark.parametrize("name", ["{}.damaged", "{}-1.damaged"])
def test_a_record_that_was_set_aside_while_it_was_copied_is_found(record, name):
    path = store.working() / f"{RUN.key}.json"
    store.save(record)
    whole = path.read_text()
    path.write_text(whole[:100])
    assert sweep.find([RUN], "rolnick2017")[RUN.key][0] == "missing"
    (aside,) = store.working().glob("*.damaged")
    aside.write_text(whole)
    aside.rename(store.working() / name.format(RUN.key))
    assert sweep.find([RUN], "rolnick2017") == {RUN.key: ("done", record)}


def test_a_batch_is_as_large_as_it_was(capsys):
    small = replace(RUN, examples=40, budget=Budget(5, 256, evaluations=1))
    (record,) = sweep.collect([small], "nopaper", echo=lambda line: None)
    assert {*runs.frame([record]).batch} == {80} and runs.frame([record]).epoch.iloc[0] == 5
    assert "a batch of 256 has all of the 80 training pairs of digits" in capsys.readouterr().err


def test_a_record_is_never_written_over(record):
    """Two devices make two records of one run from one state of the code."""
    made = [
        replace(record, environment=record.environment | {"made": day}) for day in ("2026-01", "2026-02", "2026-03")
    ]
    for each in (*made, made[-1]):
        path = store.save(each)
    kept = store.load_aside(RUN.key, sorted(path.parent.glob("*.old")))
    assert store.load_working(RUN.key) == made[-1] and sorted(kept, key=str) == sorted(made[:2], key=str)
