"""A Slurm of one node in a folder: its configuration, its three daemons, and their end.

Needs root and the programs of `apt-get install slurm-wlm munge`. Jobs run on this machine, as root; nothing outside the
folder is written, but for munge's socket and the files that Slurm itself keeps under /run.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")

CONFIGURATION = """
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MinJobAge=300
KillWait=1
SlurmdTimeout=30
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=8000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=60 State=UP
"""


def missing() -> str:
    """Why there can be no Slurm here; "" if there can."""
    absent = [name for name in PROGRAMS if not shutil.which(name)]
    if absent:
        return f"no {', '.join(absent)}; they are in Debian's packages slurm-wlm and munge"
    return "" if os.geteuid() == 0 else "the daemons need root"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Slurm:
    """The daemons, as a context; `environment` is that of its clients."""

    def __init__(self, folder: Path, cpus: int = 2):
        self.folder, self.daemons = folder, {}
        self.host = socket.gethostname().partition(".")[0]
        for name in ("state", "spool", "bin"):
            (folder / name).mkdir(parents=True)
        where = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
        self.environment = os.environ | where
        srun = folder / "bin" / "srun"  # Snakemake's jobs forget SLURM_CONF
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={where["SLURM_CONF"]} exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        ports = free_port(), free_port()
        text = CONFIGURATION.format(host=self.host, folder=folder, ports=ports, cpus=cpus)
        (folder / "slurm.conf").write_text(text)
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)

    def __enter__(self):
        try:
            files = {"key-file": "munge.key", "socket": "munge.socket", "log-file": "munge.log"}
            files |= {"pid-file": "munge.pid", "seed-file": "munge.seed"}
            options = [f"--{name}={self.folder / file}" for name, file in files.items()]
            self.start("munged", "--foreground", "--force", *options)
            self.wait(lambda: (self.folder / "munge.socket").exists(), "munged")
            self.start("slurmctld", "-D", "-i")
            self.start("slurmd", "-D", "-N", self.host)
            self.wait(lambda: "idle" in self.say("sinfo", "-h", "-o", "%t"), "the node")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        subprocess.run(["scancel", "--user=root"], env=self.environment, capture_output=True)
        for daemon in reversed(self.daemons.values()):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def start(self, name: str, *options: str) -> None:
        with open(self.folder / f"{name}.out", "ab") as out:
            told = {"stdout": out, "stderr": subprocess.STDOUT}
            self.daemons[name] = subprocess.Popen([name, *options], env=self.environment, **told)

    def wait(self, ready, what: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < deadline, f"{what} is not ready after {seconds} s; see {self.folder}"
            time.sleep(0.2)

    def say(self, *command: str) -> str:
        """What a program of Slurm says, whether it fails or not."""
        told = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return told.stdout + told.stderr
