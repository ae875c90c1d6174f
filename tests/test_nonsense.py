"""Nonsense for every parameter: one sentence and nothing written, or a value that a run can be made of."""

import inspect
import json
import os
import signal
import subprocess
import sys
import time
import typing
from dataclasses import fields
from functools import cache, partial
from pathlib import Path

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_cli import nlcore

from nlcore import cli, data, files, inputs, papers, sweep
from nlcore.book import chapters
from nlcore.inputs import LONGEST, UserError, lookup
from nlcore.methods import METHODS
from nlcore.noise import NOISES, Clean, Noise
from nlcore.papers import verification
from nlcore.runs import Budget, Run, store
from nlcore.training import processes

NUMBERS = [0, -1, 1, 7, 10**9, 2**63, 10**400, 0.5, -0.1, 1.5, 1e-300, 1e300, float("nan"), float("inf"), -float("inf")]
TEXTS = ["", " ", "1e-1", ".5", "3", "nan", "mnits", "digits", "ü∞\n", "\x00", "/", "~nobody/x", "a/b.npz", "x" * 9999]
PLAIN = st.sampled_from([*NUMBERS, *TEXTS, None, True, {}])
ANYTHING = st.one_of(PLAIN, st.lists(PLAIN, max_size=3), st.just([[0.5, 0.5], [1, 0]]), st.just([[1e-1, "x"]]))
QUICK = settings(max_examples=30, suppress_health_check=list(HealthCheck))


parameters = cache(chapters.parameters)  # of notebooks that take a while to read


def sentence(make) -> None:
    """`make` gives something, or a `UserError` of one line that is not too long."""
    try:
        made = make()
    except UserError as error:
        told = str(error)
        assert told and len(told.splitlines()) == 1 and len(told) <= LONGEST
    else:
        assert made is not None


def run_of(noise=None, method=None) -> str:
    """The key of a run with this noise or method, which the file of its record is called by."""
    noise, method = noise or Clean(), method or METHODS["ce"]()
    return Run("digits", "mlp1", Budget(5), noise, method).key


@pytest.fixture(autouse=True)
def nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    left = [
        path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".golden"
    ]  # what held, not a result
    assert not left, left


@QUICK
@given(st.data())
def test_methods(draw):
    kind = METHODS[draw.draw(st.sampled_from(sorted(METHODS)))]
    values = {field.name: draw.draw(ANYTHING) for field in fields(kind) if draw.draw(st.booleans())}
    sentence(lambda: run_of(method=kind(**values)))


@pytest.mark.parametrize("name", sorted(METHODS))
def test_each_parameter_of_a_method(name):
    for field in fields(METHODS[name]):
        for value in [*NUMBERS, *TEXTS, None, True, {}, [], ["x"], [float("nan")]]:
            sentence(lambda field=field, value=value: run_of(method=METHODS[name](**{field.name: value})))


@pytest.mark.parametrize("name", sorted(NOISES))
def test_each_parameter_of_a_noise(name):
    usual = {field.name: 1.0 for field in fields(NOISES[name]) if field.name in ("alpha", "rate")}
    for field in fields(NOISES[name]):
        for value in [*NUMBERS, *TEXTS, None, True, {}, [], ["x"], [[0.5, float("nan")], [1, 0]]]:
            sentence(lambda field=field, value=value: run_of(NOISES[name](**(usual | {field.name: value}))))


@pytest.mark.parametrize("kind", [Budget, Run])
def test_each_field_of_a_run(kind):
    usual = {"steps": 5} if kind is Budget else {"dataset": "digits", "model": "mlp1", "budget": Budget(5)}
    for field in fields(kind):
        for value in [*NUMBERS, *TEXTS, None, True, {}, [], ["x"], Noise]:
            sentence(lambda field=field, value=value: kind(**(usual | {field.name: value})))


@pytest.mark.parametrize("name", sorted(papers.experiments()))
def test_each_parameter_of_an_experiment(name):
    experiment = papers.experiments()[name]
    for parameter, kind in experiment.knobs("smoke").items():
        for value in [*NUMBERS, *TEXTS, None, {}]:
            for own in (value, [value]) if str(kind).startswith("list") else (value,):
                sentence(lambda parameter=parameter, own=own: experiment("smoke", **{parameter: own}))


@settings(QUICK, max_examples=10)
@given(st.text(max_size=20), ANYTHING, st.sampled_from(sorted(papers.experiments())))
def test_names_of_parameters(name, value, experiment):
    for each in (name, "name", "tier", "self"):
        sentence(lambda each=each: papers.runs(experiment, "smoke", **{each: value}))
    sentence(lambda: papers.runs(name, "smoke"))
    sentence(lambda: papers.runs(experiment, name))


def test_a_nought_in_place_of_a_list_is_refused_in_a_chapter_too():
    """Under plain papermill nobody looks at types; 0 stands for what is not set where a number is meant."""
    assert papers.given(seeds=0, steps=0, alphas=[], dataset="auto", rates=[0.2]) == {"rates": [0.2]}
    with pytest.raises(UserError, match="alphas must be a list"):
        papers.runs("rolnick2017.uniform", "smoke", **papers.given(alphas=0))


def test_what_has_no_parameter_says_so():
    with pytest.raises(UserError, match="unknown parameter of ce 'q': there is none"):
        lookup("parameter of ce", "q", {})


def test_a_size_that_would_fill_the_memory_is_refused():
    with pytest.raises(UserError, match="100000 runs are the most"):
        papers.runs("rolnick2017.uniform", "smoke", seeds=10**9)


@pytest.mark.parametrize("name", chapters.names())
def test_each_parameter_of_a_chapter(name, monkeypatch):
    monkeypatch.setattr(chapters, "parameters", parameters)
    for parameter in chapters.parameters(name):
        for value in [*NUMBERS, *TEXTS, None, {}, ["x"]]:
            sentence(lambda parameter=parameter, value=value: chapters.validate(name, {parameter: value}))
            if parameter in (*chapters.CHOICES, "seeds", "seed"):
                sentence(lambda parameter=parameter, value=value: chapters.check(**{parameter: value}) or "fine")


@QUICK
@given(st.text(max_size=50))
def test_assignments(text):
    sentence(lambda: inputs.parse(text))
    sentence(lambda: inputs.parse(f"x={text}"))


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 5000, "[1e-1, .5]", "NaN", "-Infinity", ""])
def test_odd_values_of_assignments(text):
    for hint in (int, float, str, bool, list[float], tuple[tuple[float, ...], ...]):
        sentence(lambda hint=hint: inputs.conform("x", inputs.parse(f"x={text}")[1], hint))


def test_a_text_that_says_a_number_is_one(capsys):
    assert str(inputs.conform("alpha", -0.0, float)) == "0.0"  # the same run as 0.0
    assert inputs.conform("rate", "1e-1", float) == 0.1 and inputs.conform("seeds", "3", int) == 3
    assert papers.runs("jiang2018.students", "smoke", rates=["4e-1"]) == papers.runs(
        "jiang2018.students", "smoke", rates=[0.4]
    )
    with pytest.raises(UserError, match="rate must be of type float, a number such as 0.1, not 'much'"):
        inputs.conform("rate", "much", float)
    with pytest.raises(UserError, match="rate must be a number, not '1e-1'"):
        NOISES["pair_flip"](rate="1e-1")


OPTIONS = {int: ["-1", "x", "", "1e3", "nan", "9" * 5000, "ü"], float: ["-1", "nan", "inf", "1e999", "x", "", "ü"]}
OPTIONS[str] = ["\x00", "mnits", "x" * 9999, "ü∞"]
NEEDED = {"run": ["rolnick2017.uniform"], "publish": ["rolnick2017.uniform"], "verify": ["rolnick2017.uniform"]}
NEEDED |= {"chapter": ["01_noise_models"], "learn": ["digits", "--checked", "no.csv"], "apply": ["digits"]}
NEEDED |= {"plan": ["rolnick2017.uniform", "--out", "out"]}
NEEDED |= {"audit": ["nowhere"], "relabel": ["nowhere", "no.csv"]}
NEEDED |= {"stream": [".", "--out", "out"], "data": [], "status": [], "scoreboard": [], "golden": []}


def wrong_options():
    """Words, name and type of every option of every command that takes a value, from the functions behind them."""
    found = [((), command) for command in cli.app.registered_commands]
    found += [(("mentor",), command) for command in cli.mentor.registered_commands]
    for before, command in found:
        words = (*before, command.name or command.callback.__name__)
        for name, parameter in inspect.signature(command.callback).parameters.items():
            kind, *about = typing.get_args(parameter.annotation) or (parameter.annotation,)
            if about and isinstance(about[0], typer.models.OptionInfo) and kind is not bool:
                flag = next(iter(about[0].param_decls or ()), f"--{name}")
                yield words, flag, next((type for type in (int, float) if type in (kind, *typing.get_args(kind))), str)


@pytest.mark.parametrize("words, option, kind", [*wrong_options()], ids=str)
def test_each_option_of_a_command(words, option, kind, capsys, monkeypatch, tmp_path):
    """What is valid after all would train: that is left out."""
    monkeypatch.setattr(sweep, "_train", lambda *a: iter(()))
    monkeypatch.setattr(chapters, "execute_all", lambda *a: iter(()))
    monkeypatch.setattr(sweep, "batches", lambda *a: [])
    monkeypatch.setattr(verification, "published", lambda wanted: [])
    monkeypatch.setattr(processes, "joined", lambda device: processes.Process(device))
    for value in OPTIONS[kind]:
        code, _, err = nlcore(capsys, *words, *NEEDED[words[-1]], option, value)
        told = [line for line in err.splitlines() if "about ten seconds" not in line]
        assert code in (0, 2), err
        assert code == 0 or (len(told) == 1 and len(told[0]) <= LONGEST + 8 and "Traceback" not in err), err


@pytest.mark.parametrize(
    "words", [["frob"], ["run"], ["run", "x", "--tierr", "x"], ["mentor", "learn"], ["data", "get"]]
)
def test_commands_that_are_none(capsys, words):
    code, _, err = nlcore(capsys, *words)
    assert code == 2 and len(err.splitlines()) == 1


def test_a_budget_is_finite(capsys):
    for value in ("inf", "nan", "1e999"):
        code, _, err = nlcore(capsys, "run", "rolnick2017.uniform", "--budget", value)
        assert code == 2 and "must be finite" in err


def test_the_module_and_the_version():
    told = subprocess.check_output([sys.executable, "-m", "nlcore", "--version"], text=True)
    assert told.startswith("nlcore ") and len(told.split()) == 2


def test_a_terminal_that_knows_ascii_alone():
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", "print('≤')"]
    assert subprocess.run(command, env=environment, capture_output=True).returncode == 1
    script = "from nlcore.cli import base; base.app = lambda **k: print('≤'); base.main()"
    assert subprocess.check_output([sys.executable, "-c", script], env=environment) == b"\\u2264\n"


def test_variables_mean_what_they_mean_in_a_shell(monkeypatch):
    for variable, read in (("NLCORE_RUNS", store.working), ("NLCORE_DATA", data.root)):
        monkeypatch.delenv(variable)
        usual = read()
        monkeypatch.setenv(variable, "")
        assert read() == usual
        monkeypatch.setenv(variable, "~/somewhere")
        assert read() == Path.home() / "somewhere"


def test_a_share_of_wrong_labels_is_not_astronomic(capsys):
    code, out, err = nlcore(capsys, "run", "rolnick2017.uniform", "--set", "alphas=[1e308]", "--dry-run")
    assert code == 2 and "alphas are wrong labels per clean one, and 1e+308 is more than 1,000,000" in err


def test_a_full_disk_is_told_with_its_path(monkeypatch, tmp_path):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="record.json"):
        files.write_whole(tmp_path / "record.json", "{}")


UNGUARDED = """
from nlcore import sweep
from nlcore.runs import Budget, Run
runs = [Run("digits", "perceptron", Budget(5), seed=s) for s in range(2)]
try:
    sweep.collect(runs, "nopaper", jobs=2)
except Exception as error:
    print(error)
"""


def test_a_script_without_a_guard_is_told_so(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(UNGUARDED)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=300)
    path.unlink()
    assert '`if __name__ == "__main__":`' in done.stdout and "Traceback" not in done.stderr


def test_ctrl_c_is_one_line(tmp_path):
    """In the middle of the start of a pool, of which the terminal tells every process."""
    words = ["run", "rolnick2017.uniform", "--jobs", "2", "--set", "seeds=5"]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # what a shell runs in the background ignores Ctrl-C
    options["preexec_fn"] = heard
    process = subprocess.Popen([sys.executable, "-m", "nlcore", *words], **options)
    assert any("to train" in line for line in process.stdout)  # until then torch is imported, which it does not survive
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err.splitlines() == ["nlcore: stopped; start it again to go on"], err
    for path in tmp_path.rglob("*.json"):
        json.loads(path.read_text())
        path.unlink()


def test_a_chapter_that_cannot_be_written_is_not_executed(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(chapters, "_executed", lambda *a: pytest.fail("it was executed"))
    code, _, err = nlcore(capsys, "chapter", "01_noise_models", "--out", "/proc/nowhere")
    assert code == 2 and "cannot write to /proc/nowhere" in err
