"""A grid as jobs: on this machine and under a Slurm of one node, with jobs and submitters killed, and two submitters.

Skipped where the extra `cluster`, or Slurm, is not installed; then this file takes no time.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import one_node_slurm
import pytest

from nlcore import papers, sweep
from nlcore.runs import store

ROOT = Path(__file__).parent.parent
PROGRAMS = Path(sys.executable).parent
EXPERIMENT, RUNS = "zhang2018.fashion", len(papers.runs("zhang2018.fashion", "smoke"))

pytestmark = [
    pytest.mark.skipif(not (PROGRAMS / "snakemake").exists(), reason="needs pip install -e '.[cluster]'"),
    pytest.mark.xdist_group("workflow"),
]
needs_slurm = pytest.mark.skipif(bool(one_node_slurm.missing()), reason=f"needs Slurm: {one_node_slurm.missing()}")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    with one_node_slurm.Slurm(tmp_path_factory.mktemp("slurm")) as running:
        yield running


def submit(folder: Path, profile: str, environment: dict, *options: str, experiment=EXPERIMENT) -> subprocess.Popen:
    """Start Snakemake in a folder of its own."""
    folder.mkdir(exist_ok=True)
    command = [PROGRAMS / "snakemake", "--snakefile", ROOT / "workflow" / "Snakefile"]
    command += ["--profile", ROOT / "workflow" / "profiles" / profile, *options]
    command += ["--config", f"experiment={experiment}", "batches=4"]
    path = f"{PROGRAMS}:{environment['PATH']}"
    with open(folder / "said.txt", "ab") as said:
        told = {"stdout": said, "stderr": subprocess.STDOUT, "start_new_session": True}
        return subprocess.Popen(command, cwd=folder, env=environment | {"PATH": path}, **told)


def through_slurm(folder: Path, slurm: one_node_slurm.Slurm) -> subprocess.Popen:
    quick = ["--seconds-between-status-checks", "1", "--slurm-init-seconds-before-status-checks", "2"]
    plain = [
        "--slurm-no-account",
        "--slurm-status-command",
        "squeue",
        "--default-resources",
        "mem_mb=1000",
        "runtime=10",
    ]
    logs = ["--slurm-logdir", str(folder / "logs"), "--slurm-keep-successful-logs"]
    environment = slurm.environment | {name: os.environ[name] for name in ("NLCORE_RUNS", "NLCORE_DATA")}
    return submit(folder, "slurm", environment, *quick, *plain, *logs)


def ends_well(submitter: subprocess.Popen, folder: Path) -> None:
    assert submitter.wait(300) == 0, (folder / "said.txt").read_text()


def trained(folder: Path) -> int:
    """How many runs the jobs of a folder have trained themselves."""
    return sum(log.read_text().count("% in ") for log in folder.glob("logs/**/*.log"))


def records() -> dict[str, int]:
    """The records of the store, and when they were written."""
    return {path.name: path.stat().st_mtime_ns for path in store.working().glob("*.json")}


def wait_for_records(count: int) -> None:
    deadline = time.monotonic() + 120
    while len(records()) < count:
        assert time.monotonic() < deadline, "no job makes records"
        time.sleep(0.1)


def status() -> dict:
    out = subprocess.run([PROGRAMS / "nlcore", "status", EXPERIMENT, "--json"], capture_output=True, check=True).stdout
    return json.loads(out)[0]


def test_a_grid_as_jobs_on_this_machine(tmp_path):
    first = submit(tmp_path / "first", "local", dict(os.environ), experiment="kye2022.heads")
    ends_well(first, tmp_path / "first")
    runs = papers.runs("kye2022.heads", "smoke")
    assert {state for state, _ in sweep.find(runs, "kye2022").values()} == {"done"}
    before = records()
    again = submit(tmp_path / "first", "local", dict(os.environ), experiment="kye2022.heads")
    ends_well(again, tmp_path / "first")
    assert records() == before


def test_kubernetes_is_planned(tmp_path):
    """A dry run: which pods there would be. No cluster has seen this profile."""
    ends_well(submit(tmp_path / "dry", "kubernetes", dict(os.environ), "--dry-run"), tmp_path / "dry")
    assert "train        4" in (tmp_path / "dry" / "said.txt").read_text() and not records()


@needs_slurm
def test_a_killed_job_and_a_killed_submitter_lose_only_runs_in_progress(tmp_path, slurm):
    first = through_slurm(tmp_path / "first", slurm)
    wait_for_records(2)
    jobs = slurm.say("squeue", "-h", "-t", "running", "-o", "%i").split()
    slurm.say("scancel", "--signal=KILL", "--full", jobs[0])
    wait_for_records(4)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    slurm.say("scancel", "--user=root")
    slurm.wait(lambda: not slurm.say("squeue", "-h").strip(), "the end of all jobs")
    kept = records()
    told = status()
    assert told["done"] == len(kept) < RUNS and told["missing"] == RUNS - len(kept) and not told["failed"]
    ends_well(through_slurm(tmp_path / "first", slurm), tmp_path / "first")
    assert status()["done"] == RUNS and kept.items() <= records().items()
    assert not [*store.working().glob("*.damaged")]


@needs_slurm
def test_two_submitters_at_once_train_every_run_once(tmp_path, slurm):
    folders = tmp_path / "one", tmp_path / "two"
    submitters = [through_slurm(folder, slurm) for folder in folders]
    for submitter, folder in zip(submitters, folders, strict=True):
        ends_well(submitter, folder)
    assert status()["done"] == RUNS == sum(map(trained, folders))
