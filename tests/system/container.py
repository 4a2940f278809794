"""A machine of a test's own: systemd in a container, on an overlay over a bare tree.

    with Container([tree]) as machine:
        machine.run("apt-get", "install", "-y", "/root/punchd.deb")
        machine.reboot()

It has a network of its own with nothing in it but the loopback, and no power over this machine: but
what is entered by nsenter keeps this machine's rights over clocks and kernel, so commands are run by
the container's own systemd, and nothing here sets a clock.
"""
import contextlib
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

HIERARCHIES = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup")
numbers = itertools.count(1)


def why_not():
    """Why there can be no container on this machine; None: there can."""
    if os.geteuid() != 0:
        return "it takes root"
    for program in ("systemd-nspawn", "mmdebstrap", "nsenter"):
        if not shutil.which(program):
            return f"there is no {program}"
    found = [g for g in cgroups("probe")]
    if not found:
        return "there is no cgroup hierarchy that could be written"
    try:
        for folder in found:
            folder.mkdir(exist_ok=True)
            folder.rmdir()
    except OSError as error:
        return f"no control group can be made: {error}"
    return None


def cgroups(name):
    """Where a container's processes must be: a group of its own in each hierarchy of systemd's."""
    mounts = {line.split()[1]: line.split()[2] for line in open("/proc/mounts")}
    return [pathlib.Path(path) / name for path in HIERARCHIES
            if mounts.get(path) == "cgroup2" or (path.endswith("/systemd") and path in mounts)]


class Failed(AssertionError):
    pass


class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


class Container:
    """layers: what its file system begins as, the uppermost first."""

    def __init__(self, layers):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="punchd-system-"))
        self.name = f"punchd-{os.getpid()}-{next(numbers)}"
        self.root = self.work / "root"
        # An overlay cannot lie on an overlay.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1G,mode=755", "punchd-system", self.work],
                       check=True)
        for part in ("upper", "work", "root"):
            (self.work / part).mkdir()
        subprocess.run(["mount", "-t", "overlay", "-o",
                        f"lowerdir={':'.join(map(str, layers))},upperdir={self.work}/upper,workdir={self.work}/work",
                        "overlay", self.root], check=True)
        self.process, self.leader = None, None
        self.put("/etc/hostname", "gateway\n")
        (self.root / "etc/machine-id").write_text("")

    # ---- power

    def boot(self):
        groups = cgroups(self.name)

        def enter():
            os.setsid()
            for folder in groups:
                folder.mkdir(exist_ok=True)
                (folder / "cgroup.procs").write_text(str(os.getpid()))

        self.console = open(self.work / "console", "ab")
        self.process = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "-D", self.root, "--boot", "--register=no", "--keep-unit",
             f"--machine={self.name}", "--console=read-only", "--private-network"],
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console, preexec_fn=enter,
            env=dict(os.environ, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1"))
        self.leader = self.wait(self._leader, "the container's systemd")
        self.wait(self._is_up, "the end of booting", 60)
        return self

    def _leader(self):
        assert self.process.poll() is None, (self.work / "console").read_text()[-3000:]
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in children.read_text().split():
            try:
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                    return int(pid)
            except OSError:
                pass
        return None

    def _is_up(self):
        done = subprocess.run(["nsenter", "-t", str(self.leader), "-a", "systemctl",
                               "is-system-running"], stdin=subprocess.DEVNULL, text=True,
                              capture_output=True)
        return done.stdout.strip() in ("running", "degraded")

    def shut_down(self):
        """In order, as a person does it."""
        self.run("systemctl", "poweroff", check=False)
        self._ended()

    def reboot(self):
        self.run("systemctl", "reboot", check=False)
        self._ended()
        return self.boot()

    def pull_the_plug(self):
        """Everything in it ends at once; what was written and not synced is kept, as by a kill."""
        os.kill(self.leader, signal.SIGKILL)
        self._ended()

    def _ended(self):
        self.process.wait(60)
        self.console.close()
        self.process = self.leader = None
        for folder in cgroups(self.name):
            self.wait(lambda folder=folder: remove_group(folder), f"{folder} is empty")

    def __enter__(self):
        return self.boot()

    @contextlib.contextmanager
    def keep_layer(self):
        """What was changed on it, for other machines to begin with, while this one is off."""
        assert self.process is None
        (self.work / "upper/etc/machine-id").write_text("")
        yield self.work / "upper"

    def __exit__(self, *exc):
        if self.process is not None:
            self.pull_the_plug()
        subprocess.run(["umount", self.root], check=True)
        subprocess.run(["umount", self.work], check=True)
        shutil.rmtree(self.work, ignore_errors=True)

    # ---- work in it

    def run(self, *command, check=True, stdin=None, user=None, timeout=120):
        """As a service of its own, since that is how its systemd knows it."""
        how = ["--wait", "--pipe", "--quiet", "--setenv=DEBIAN_FRONTEND=noninteractive"]
        if user:
            how.append(f"--property=User={user}")
        done = subprocess.run(
            ["nsenter", "-t", str(self.leader), "-a", "systemd-run", *how, "--", *map(str, command)],
            input=stdin if stdin is not None else "", text=True, capture_output=True,
            timeout=timeout)
        if check and done.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}"
                         f"{done.stderr}\n{self.journal()[-3000:]}")
        return Done(done.returncode, done.stdout, done.stderr)

    def shell(self, script, **how):
        return self.run("bash", "-euo", "pipefail", "-c", script, **how)

    def journal(self, unit="punchd"):
        done = subprocess.run(["nsenter", "-t", str(self.leader), "-a", "journalctl", "--no-pager",
                               "-o", "short-monotonic", "-u", unit], text=True, capture_output=True)
        return done.stdout

    def show(self, unit, *properties):
        """{property: value} of a unit."""
        out = self.run("systemctl", "show", unit, "--property=" + ",".join(properties)).out
        return dict(line.split("=", 1) for line in out.splitlines())

    # ---- its files

    def path(self, name):
        return self.root / name.lstrip("/")

    def put(self, name, content, mode=0o644):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(mode)

    def bring(self, source, name):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, path)

    # ---- waiting

    @staticmethod
    def wait(condition, what, timeout=60):
        """what: a text, or what makes one when it was in vain."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.05)
        raise Failed(f"waited in vain: {what() if callable(what) else what}")


def remove_group(folder):
    """An empty control group is removed from its leaves on; those of a dying process are not empty."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            try:
                path.rmdir()
            except OSError:
                return False
    try:
        folder.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


def install(machine, debs):
    """As a person does it with files that were brought."""
    names = []
    for deb in debs:
        machine.bring(deb, f"/root/{deb.name}")
        names.append(f"/root/{deb.name}")
    machine.run("apt-get", "install", "-y", "--no-install-recommends", *names)
