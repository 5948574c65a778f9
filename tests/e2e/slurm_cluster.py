"""A private Slurm cluster on this machine: munge, slurmctld and a slurmd for each "node"."""

import getpass
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

DEADLINE = 240  # seconds
PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "squeue", "scancel", "sinfo"]

# No cgroups, no accounting: neither is there in a container. config_overrides: as many cores as
# the test asks for, however many the machine has.
CONFIGURATION = """
ClusterName=gorila
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
SlurmctldPort={port}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
TmpFS={folder}/tmp-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=bf_interval=1,batch_sched_delay=0,sched_min_interval=100000
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
KillWait=3
MinJobAge=3600
JobRequeue=1
PropagateResourceLimits=NONE
SlurmdParameters=config_overrides
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=8 RealMemory=4000\n"


def missing_program():
    """The name of one of Slurm's programs that is not installed, or None."""
    path = os.environ["PATH"] + ":/usr/sbin"
    return next((name for name in PROGRAMS if not shutil.which(name, path=path)), None)


class Cluster:
    """Running from start() to stop(); `environment` is what Slurm's commands need to find it."""

    def __init__(self, nodes):
        # A socket's path must be short.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gorila-slurm-"))
        self.environment = {
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": os.environ["PATH"] + ":/usr/sbin",
        }
        self._names = [f"n{i}" for i in range(nodes)]
        self._daemons = {}

    def start(self):
        self._watch()
        self._configure()
        munge = self.folder / "munge"
        self._start(
            "munged", "--foreground", "--force", f"--key-file={self.folder}/key/key",
            f"--socket={munge}/socket", f"--pid-file={munge}/pid", f"--log-file={munge}/log",
            f"--seed-file={munge}/seed",
        )  # fmt: skip
        self._wait_until((munge / "socket").exists)
        self._start("slurmctld", "-D")
        for name in self._names:
            self.start_node(name)
        self._wait_until(lambda: self.states() == {name: "idle" for name in self._names})

    def start_node(self, name):
        self._daemons.pop(name, None)
        self._start("slurmd", "-D", "-N", name, key=name)

    def crash_node(self, name):
        """Kills its slurmd and all it started, as a machine does that loses power."""
        self._daemons[name].kill()
        self._daemons[name].wait()
        tasks = processes_with(f"{self.folder}/", f"SLURMD_NODENAME={name}")
        # slurmstepd first, which would tell slurmctld how its tasks ended.
        for pid in sorted(set(map(parent_of, tasks)) - set(tasks)) + tasks:
            kill(pid)

    def stop(self):
        """Ends all jobs, then the daemons."""
        if "slurmctld" in self._daemons:
            self.command("scancel", "--signal=KILL", "--full", "--user", getpass.getuser(), check=False)
            self.command("scancel", "--user", getpass.getuser(), check=False)
        for daemon in reversed(self._daemons.values()):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        clean_up(self.folder)
        self._watcher.stdin.close()
        self._watcher.wait()

    def command(self, *arguments, check=True):
        """What the command prints."""
        done = subprocess.run(
            arguments, env={**os.environ, **self.environment}, capture_output=True, text=True,
            timeout=DEADLINE, check=False,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise AssertionError(f"{arguments}: {done.stdout}{done.stderr}\n{self.logs()}")
        return done.stdout

    def states(self):
        lines = self.command("sinfo", "-h", "-N", "-o", "%N %T", check=False).split("\n")
        return dict(line.split() for line in lines if line)

    def job(self, job):
        """The fields of the job's first component."""
        text = self.command("scontrol", "show", "job", job).split("\n\n")[0]
        return dict(re.findall(r"(\S+?)=(\S*)", text))

    def wait_for_job(self, job, *states):
        """Until every component of the job is in one of the states; the first component's fields."""

        def reached():
            text = self.command("scontrol", "show", "job", job)
            return set(re.findall(r"JobState=(\w+)", text)) <= set(states)

        self._wait_until(reached, lambda: self.command("scontrol", "show", "job", job))
        return self.job(job)

    def logs(self):
        return "\n".join(
            f"{path.name}: {path.read_text(errors='replace')[-3000:]}"
            for path in sorted(self.folder.glob("*.log"))
        )

    def _watch(self):
        """Whoever kills this process with its children, as CTest does for its time limit, leaves
        jobs and their daemons. So one that is nobody's child cleans up when it is gone."""
        self._watcher = subprocess.Popen(
            ["setsid", "--fork", sys.executable, "-B", __file__, self.folder],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _configure(self):
        host = socket.gethostname().split(".")[0]
        of_nodes = [f"{kind}-{name}" for kind in ["tmp", "spool"] for name in self._names]
        for name in ["munge", "key", "state", *of_nodes]:
            (self.folder / name).mkdir(mode=0o700 if name == "key" else 0o755)
        self.folder.chmod(0o755)
        key = self.folder / "key" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        ports = free_ports(len(self._names) + 1)
        text = CONFIGURATION.format(
            host=host, user=getpass.getuser(), folder=self.folder, port=ports[0]
        )
        nodes = "".join(
            NODE.format(name=name, host=host, port=port)
            for name, port in zip(self._names, ports[1:])
        )
        (self.folder / "slurm.conf").write_text(text.replace("PartitionName", nodes + "PartitionName"))
        # The automatic choice needs /sys/fs/cgroup.
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")

    def _start(self, name, *arguments, key=None):
        key = key or name
        with open(self.folder / f"{key}.log", "ab") as log:
            self._daemons[key] = subprocess.Popen(
                [name, *arguments], env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def _wait_until(self, condition, describe=lambda: ""):
        deadline = time.monotonic() + DEADLINE
        while not condition():
            for name, daemon in self._daemons.items():
                if name == "slurmctld" and daemon.poll() is not None:
                    raise AssertionError(f"slurmctld ended\n{self.logs()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"not in time: {describe()}\n{self.states()}\n{self.logs()}")
            time.sleep(0.05)


def processes_with(*marks):
    """Other processes with those words in their environment or arguments."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "environ").read_bytes() + (path / "cmdline").read_bytes()
        except OSError:
            continue
        if all(mark.encode() in words for mark in marks) and int(path.name) != os.getpid():
            found.append(int(path.name))
    return found


def clean_up(folder):
    """Kills what a cluster has left, with what that starts meanwhile, and removes its folder."""
    deadline = time.monotonic() + 20
    while (left := processes_with(f"{folder}/")) and time.monotonic() < deadline:
        for pid in left:
            kill(pid)
        time.sleep(0.01)
    shutil.rmtree(folder, ignore_errors=True)


def parent_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


if __name__ == "__main__":
    sys.stdin.read()  # until the test's process is gone
    clean_up(sys.argv[1])
