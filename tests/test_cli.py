"""The command line: results as JSON, bad input as one sentence and exit code 2 with nothing written."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import typer

from nlcore import cli, home, sweep
from nlcore.book import chapters
from nlcore.cli.base import runs_of
from nlcore.papers import verification
from nlcore.runs import golden, store
from nlcore.training import device, stream, train


def nlcore(capsys, *words) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command, in this process."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr(sys, "argv", ["nlcore", *words])
        cli.main()
    out = capsys.readouterr()
    return stop.value.code or 0, out.out, out.err


FIELDS = {"claim", "paper", "tier", "rule", "effect", "error", "interval", "bound", "papers_effect", "verdict", "where"}
QUICK = [
    "--set",
    "models=['perceptron']".replace("'", '"'),
    "--set",
    "alphas=[1]",
    "--set",
    "steps=5",
    "--set",
    "seeds=2",
]

BAD = {
    "alpha": ["run", "rolnick2017.uniform", "--set", "alphas=[-1]"],
    "finite": ["run", "rolnick2017.uniform", "--set", "alphas=[Infinity]"],
    "alphas\\[0\\] must be of type float": ["run", "rolnick2017.uniform", "--set", 'alphas=["ten"]'],
    "must be a list": ["run", "rolnick2017.uniform", "--set", "alphas=3"],
    "unknown parameter of uniform 'tier'": ["run", "rolnick2017.uniform", "--set", "tier=laptop"],
    "did you mean alphas": ["run", "rolnick2017.uniform", "--set", "alpha=[3]"],
    "name=value": ["run", "rolnick2017.uniform", "--set", "alphas"],
    "rolnick2017.uniform": ["run", "rolnick2017.unifrom"],
    "laptop": ["run", "rolnick2017.uniform", "--tier", "labtop"],
    "conv4": ["run", "rolnick2017.uniform", "--set", 'models=["conv_4"]'],
    "digits": ["run", "rolnick2017.uniform", "--set", "dataset=digit"],
    "seeds": ["run", "rolnick2017.uniform", "--set", "seeds=-1"],
    "budget": ["run", "rolnick2017.uniform", *QUICK, "--budget", "0"],
    "jobs": ["run", "rolnick2017.uniform", *QUICK, "--jobs", "0"],
    "finite and more than 0 minutes, not nan": ["run", "rolnick2017.uniform", *QUICK, "--budget", "nan", "--dry-run"],
    "jobs must be 1 or more": ["run", "rolnick2017.uniform", *QUICK, "--jobs", "-1", "--dry-run"],
    "alphas is set more than once": ["run", "rolnick2017.uniform", *QUICK, "--set", "alphas=[2]"],
    "tier is set more than once": ["chapter", "02_massive_label_noise", "-p", "tier=smoke", "-p", "tier=laptop"],
    "has the key 'kkkk": ["run", "rolnick2017.uniform", "--keys", ",".join(["k" * 16] * 16)],
    "device": ["run", "rolnick2017.uniform", *QUICK, "--device", "gpu"],
    "no run of rolnick2017.uniform at smoke has the key 'abc'; one": ["run", "rolnick2017.uniform", "--keys", "abc"],
    "no run of rolnick2017.uniform at smoke has the key '.x00": [
        *("run", "rolnick2017.uniform", "--keys"),
        str(home() / "book" / "_static" / "wrong_labels.png"),
    ],
    "no file 'plan/9.keys' of keys": ["run", "rolnick2017.uniform", "--keys", "plan/9.keys"],
    "--keys is empty": ["run", "rolnick2017.uniform", "--keys", ""],
    "batches must be 1 or more": ["plan", "rolnick2017.uniform", "--batches", "0", "--out", "plan"],
    "not frobnicate": ["data", "frobnicate"],
    "did you mean fashion": ["data", "get", "fashoin"],
    "did you mean 02_massive_label_noise": ["chapter", "02_massive_labels"],
    "'alfas': did you mean alphas": ["chapter", "02_massive_label_noise", "-p", "alfas=[1]"],
    "seeds must be of type int": ["chapter", "02_massive_label_noise", "-p", "seeds=many"],
    "unknown tier 'tiny'": ["chapter", "02_massive_label_noise", "-p", "tier=tiny"],
    "unknown train": ["chapter", "02_massive_label_noise", "-p", "train=always"],
    "seed must be 0 or more": ["chapter", "01_noise_models", "-p", "seed=-1"],
    "in part, such as with --share": ["verify"],
    "--share is between 0 and 1": ["verify", "--share", "2"],
    "--tolerance shares between 0 and 1": ["verify", "rolnick2017.uniform", "--tolerance", "inf"],
    "--budget must be finite and more than 0": ["verify", "--share", "0.1", "--budget", "0"],
    "more than 0 minutes, not inf": ["verify", "rolnick2017.uniform", "--share", "0.1", "--budget", "inf"],
    "took longer than": ["verify", "rolnick2017.uniform", "--share", "0.1", "--budget", "0.001"],
    "no published record": ["verify", "rolnick2017.uniform", "--tier", "smoke"],
    "`nlcore run` makes them": ["publish", "rolnick2017.uniform", "--tier", "smoke"],
    "unknown kind 'method=gse': did you mean method=gce": ["golden", "--update", "method=gse"],
}


@pytest.mark.parametrize("sentence", BAD)
def test_bad_input(capsys, sentence):
    code, out, err = nlcore(capsys, *BAD[sentence])
    assert code == 2 and out == "" and len(err.strip().splitlines()) == 1
    assert re.search(sentence, err), err
    assert not store.working().exists() or not list(store.working().iterdir())


def test_what_only_a_chapter_can_refuse_is_one_sentence_too(capsys, tmp_path):
    code, out, err = nlcore(capsys, "chapter", "01_noise_models", "-p", "rate=1.5", "--out", str(tmp_path / "out"))
    assert code == 2 and out == "" and "rate is a share" in err.splitlines()[-1] and "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_run_then_status_then_scoreboard(capsys):
    code, out, _ = nlcore(capsys, "run", "rolnick2017.uniform", *QUICK, "--jobs", "1")
    assert code == 0 and "2 of 2 runs have a record" in out and str(store.working()) in out
    code, out, _ = nlcore(capsys, "run", "rolnick2017.uniform", *QUICK)
    assert code == 0 and "[1/" not in out  # nothing left to train
    code, out, _ = nlcore(capsys, "status", "--json")
    rows = json.loads(out)
    assert code == 0 and {"experiment", "tier", "done", "stale", "failed", "missing", "stale_keys"} <= set(rows[0])
    code, out, _ = nlcore(capsys, "scoreboard", "--tier", "smoke", "--json")
    assert code == 0 and all(FIELDS <= set(row) for row in json.loads(out))


def test_records_that_vanish_during_a_sweep_are_told(capsys, monkeypatch):
    train = sweep.train_missing

    def emptied(wanted, *how, **options):
        train(wanted, *how, **options)
        shutil.rmtree(store.working())
        return sweep.states_of(wanted)

    monkeypatch.setattr(sweep, "train_missing", emptied)
    code, out, err = nlcore(capsys, "run", "rolnick2017.uniform", *QUICK, "--jobs", "1")
    assert code == 2 and "0 of 2 runs have a record" in out
    assert "2 of these runs have no record: it could not be written, or" in err and str(store.working()) in err


def test_a_dry_run_says_what_would_be_trained_and_trains_nothing(capsys):
    dry = ["run", "rolnick2017.uniform", *QUICK, "--jobs", "1", "--dry-run"]
    code, out, _ = nlcore(capsys, *dry)
    assert code == 0 and "at smoke: 2 runs to train, 1 side by side; how long they take is not known yet" in out
    assert not store.working().exists()
    assert "2 runs to train, 1 side by side" in nlcore(capsys, *dry[:-3], "--dry-run")[1]  # they are brief
    first, second = (run.key for run in runs_of("rolnick2017.uniform", "smoke", [*QUICK[1::2]])[1])
    nlcore(capsys, *dry[:-1], "--keys", first)
    out = nlcore(capsys, *dry, "--keys", second)[1]
    assert "one run to train; about a minute" in out  # as the record of the other one has it
    nlcore(capsys, *dry[:-1])
    out = nlcore(capsys, *dry, "--device", "cpu")[1]
    assert re.fullmatch(r"device: CPU \(\S+, one thread\)\nrolnick2017.uniform at smoke: nothing to train\n", out)


def test_an_executed_chapter_is_opened_as_a_page(capsys, monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(chapters, "execute_all", lambda values, folder, jobs, again: iter(["executed: it"]))
    monkeypatch.setattr(chapters, "rendered", lambda folder, names: folder / "pages")
    monkeypatch.setattr(typer, "launch", opened.append)
    code, out, _ = nlcore(capsys, "chapter", "01_noise_models", "--out", str(tmp_path), "--open")
    assert code == 0 and opened == [str(tmp_path / "pages" / "01_noise_models.html")] and opened[0] in out


def test_a_plan_names_what_is_missing_and_a_file_of_keys_is_run(capsys, tmp_path):
    plan = ["plan", "rolnick2017.uniform", *QUICK, "--batches", "2", "--out", str(tmp_path / "plan")]
    code, out, _ = nlcore(capsys, *plan)
    first, second = out.split()
    assert code == 0 and not store.working().exists()
    code, out, _ = nlcore(capsys, "run", "rolnick2017.uniform", *QUICK, "--keys", first)
    assert code == 0 and "1 of 1 runs have a record" in out
    keys = [path.stem for path in store.working().glob("*.json")]
    assert (tmp_path / "plan" / "1.keys").read_text().split() == keys
    (tmp_path / "other.keys").write_text("\ufeff" + "\r\n".join(keys), encoding="utf-8")  # as Windows writes it
    for same in (str(tmp_path / "other.keys"), ", ".join(keys)):
        code, out, _ = nlcore(capsys, "run", "rolnick2017.uniform", *QUICK, "--keys", same)
        assert code == 0 and "1 of 1 runs have a record" in out
    _, out, err = nlcore(capsys, *plan)
    assert "has keys of an earlier plan as well: 2.keys" in err
    assert len(out.split()) == 1 and (tmp_path / "plan" / "1.keys").read_text().split() not in ([], keys)
    (tmp_path / "plan" / "1.keys").write_text("of the front door: 1234\n")
    code, _, err = nlcore(capsys, *plan)
    assert code == 2 and "has a file 1.keys that no plan has written" in err


def test_golden_repeats_a_kind_and_writes_nothing_but_what_moved(capsys, monkeypatch, tmp_path):
    known = golden.committed()
    monkeypatch.setattr(golden, "place", lambda: tmp_path / "golden.json")
    golden.write(known | {"plain": known["plain"]._replace(labels="moved")})
    for change in ("other labels were drawn", "none"):
        code, out, _ = nlcore(capsys, "golden", "--update", "plain", "--json")
        [row] = json.loads(out)
        assert code == 0 and row["kind"] == "plain" and row["change"] == change
    assert golden.committed().keys() == known.keys()
    assert golden.difference(known["plain"], golden.committed()["plain"]) == ""


def test_a_record_of_a_gpu_is_told_where_there_is_none(capsys, monkeypatch):
    paper = store.load_published("rolnick2017")
    made = {key: replace(record, cost=record.cost | {"device": "NVIDIA H100"}) for key, record in paper.items()}
    monkeypatch.setattr(store, "load_published", lambda paper: made)
    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: False)
    code, out, err = nlcore(capsys, "verify", "rolnick2017.uniform")
    assert code == 2 and out == "" and len(err.splitlines()) == 1
    assert "was made on NVIDIA H100, and torch sees no GPU here; --device cpu" in err
    tried = []
    monkeypatch.setattr(verification, "check", lambda run: None)  # the data are not here
    monkeypatch.setattr(train, "train", lambda run, place, progress: tried.append(place) or made[run.key])
    assert nlcore(capsys, "verify", "rolnick2017.uniform", "--device", "cpu")[0] == 0 and tried == ["cpu"]


def test_a_place_without_the_book_is_told(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    for words in (["scoreboard"], ["chapter", "01_noise_models"]):
        code, out, err = nlcore(capsys, *words)
        assert code == 2 and out == "" and "NLCORE_HOME" in err and len(err.splitlines()) == 1


def test_a_share_is_verified_once_a_day_and_its_result_is_written(capsys, monkeypatch, tmp_path):
    made, tried = store.load_published("rolnick2017"), []
    monkeypatch.setattr(verification, "file", lambda tier, of: tmp_path / f"{tier} {of}.json")
    monkeypatch.setattr(verification, "check", lambda run: None)
    monkeypatch.setattr(train, "train", lambda run, place, progress, keep: tried.append(run.key) or made[run.key])
    for _ in range(2):
        code, out, _ = nlcore(capsys, "verify", "rolnick2017.uniform", "--share", "0.05", "--seed", "7")
        assert code == 0 and "4 of 75 published runs are chosen\n4 are trained again" in out and len(tried) == 4
    found = json.loads((tmp_path / "laptop rolnick2017.uniform.json").read_text())
    assert sorted(row["key"] for row in found["rows"]) == sorted(tried) and found["seed"] == 7
    assert {row["verdict"] for row in found["rows"]} == {"exact"} and "cpu" in found["machine"]


def test_data_lists_what_is_there(capsys):
    code, out, _ = nlcore(capsys, "data", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0 and rows["digits"]["state"] == "ready" and rows["mnist"]["state"] == "missing"


def test_an_edited_published_record_is_told(capsys, monkeypatch, tmp_path):
    nlcore(capsys, "run", "rolnick2017.uniform", *QUICK, "--jobs", "1")
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    (tmp_path / "book").mkdir()
    assert nlcore(capsys, "publish", "rolnick2017.uniform", "--tier", "smoke", *QUICK)[0] == 0
    path = store.published("rolnick2017")
    path.write_text(path.read_text().replace('"seed":1', '"seed":2'))
    code, _, err = nlcore(capsys, "status")
    assert code == 2 and "rolnick2017.jsonl, line" in err


HELP = [[], ["--help"], ["run", "--help"], ["mentor", "learn", "--help"], ["stream", "--help"]]
HEAVY = "{'torch', 'numpy', 'scipy', 'pandas', 'sklearn'} & {*sys.modules}"


@pytest.mark.parametrize("words", HELP, ids=" ".join)
def test_help_does_not_wait_for_heavy_imports(words):
    script = f"import sys; sys.argv = {['nlcore', *words]}\nfrom nlcore import cli\ntry: cli.main()\n"
    script += f"finally: print('heavy:', {HEAVY})"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout
    assert "Usage: nlcore" in said and said.splitlines()[-1] == "heavy: set()"


def test_an_audit_has_no_student(capsys):
    assert "student" in nlcore(capsys, "mentor", "learn", "--help")[1]
    assert "student" not in nlcore(capsys, "audit", "--help")[1]


def test_the_package_itself_imports_nothing_heavy():
    said = subprocess.check_output([sys.executable, "-c", f"import sys, nlcore; print({HEAVY})"], text=True)
    assert said == "set()\n"


def test_what_another_state_of_the_code_has_set_aside_is_published(capsys, monkeypatch, tmp_path):
    words = ["rolnick2017.uniform", "--tier", "smoke", *QUICK]
    nlcore(capsys, "run", *words, "--jobs", "1")
    for path in store.working().glob("*.json"):
        store.save(replace(store.load_working(path.stem), golden="00000000"))  # as another checkout does
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path))
    (tmp_path / "book").mkdir()
    count = len({*store.working().glob("*.old")})
    assert f"{count} new" in nlcore(capsys, "publish", *words)[1] and count
    assert "0 new, 0 replaced" in nlcore(capsys, "publish", *words)[1]


def test_a_home_that_is_not_there_is_refused_by_every_command(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("NLCORE_HOME", str(tmp_path / "typo"))
    code, out, err = nlcore(capsys, "run", "rolnick2017.uniform", "--tier", "laptop", "--dry-run")
    assert code == 2 and out == "" and "typo, and there is no such folder" in err


def test_keys_without_a_key_are_refused(capsys, tmp_path):
    (tmp_path / "none.txt").touch()
    code, _, err = nlcore(capsys, "run", "rolnick2017.uniform", "--keys", str(tmp_path / "none.txt"))
    assert code == 2 and "none.txt names no key" in err


def test_stream_asks_golden_runs_first(capsys, monkeypatch, tmp_path):
    from nlcore import vouch
    from nlcore.data import archive

    asked = SimpleNamespace(name="a#0123456789ab", train=SimpleNamespace(file=[b""] * 9))
    asked.trusted = SimpleNamespace(file=[])
    monkeypatch.setattr(archive, "read", lambda *given: asked)
    monkeypatch.setattr(stream, "check", lambda *given: None)
    monkeypatch.setattr(vouch, "vouch", lambda runs, echo: pytest.fail(f"asked for {runs[0].method}"))
    with pytest.raises(pytest.fail.Exception, match="asked for CE"):
        nlcore(capsys, "stream", str(tmp_path), "--out", str(tmp_path / "out"), "--device", "cpu", "--batch", "3")


def test_standard_error_may_be_closed(tmp_path):
    """Some services start what they start without one, where a bar of progress would have nowhere to go."""
    given = ["run", "kye2022.heads", "--set", "seeds=1", "--set", "steps=2", "--jobs", "1"]
    command = " ".join([sys.executable, "-m", "nlcore", *given])
    told = subprocess.run(["sh", "-c", f"{command} 2>&-"], capture_output=True, text=True, cwd=tmp_path)
    assert told.returncode == 0 and "failed" not in told.stdout and "%" in told.stdout
