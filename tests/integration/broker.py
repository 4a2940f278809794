"""A real mosquitto for tests, with the configuration that punchd ships.

    with Broker() as broker:
        ... broker.port ...
        broker.kill()      # -9: what was not saved is gone
        broker.start()

It listens on a port of the loopback that nobody else has, keeps its memory in a folder of its own, and ends
no process but its own.
"""
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from overheard import Overheard
from ports import free_port

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHIPPED = ROOT / "etc/mosquitto/punchd.conf"
MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def _many_files():
    """Thousands of terminals need as many descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Broker:
    """shipped: the configuration file to use, None for mosquitto's defaults. passwords: a dict of
    user names; without it anybody may come. extra: more configuration lines. saves: no: it saves
    at its end only, since the shipped configuration saves at every change and is slow under load.
    under: the folder for its own folder. listens: what goes over it is held to the contract; punches:
    what terminals send, too."""

    def __init__(self, shipped=SHIPPED, passwords=None, extra=(), saves=True, under=None,
                 start=True, punches=False, listens=True):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="broker-", dir=under))
        self.shipped = shipped
        self.passwords = passwords
        self.extra = list(extra)
        self.saves = saves
        self.port = free_port()
        self.process = None
        self.listens, self.punches = listens, punches
        self.overheard = None
        self.log = self.dir / "log"
        self.memory = self.dir / "memory"
        if start:
            self.start()

    # ---- configuration

    def _configuration(self):
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"user {pwd.getpwuid(os.geteuid()).pw_name}",
            # These two stand in Debian's own mosquitto.conf, too.
            "persistence true",
            f"persistence_location {self.memory}/",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            "log_type notice",
        ]
        if self.shipped is not None:
            text = pathlib.Path(self.shipped).read_text()
            if not self.saves:
                text = re.sub(r"(?m)^autosave_.*", "", text) + "\nautosave_interval 0\n"
            lines.append(text)
        if self.passwords is None:
            lines.append("allow_anonymous true")
        else:
            lines += ["allow_anonymous false", f"password_file {self._password_file()}"]
        return "\n".join(lines + self.extra) + "\n"

    def _password_file(self):
        path = self.dir / "passwords"
        path.write_text("".join(f"{u}:{p}\n" for u, p in self.passwords.items()))
        path.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True)
        return path

    # ---- life

    def start(self):
        """Start it and wait until it accepts connections."""
        assert self.process is None
        self.memory.mkdir(exist_ok=True)
        path = self.dir / "mosquitto.conf"
        for _ in range(5):
            path.write_text(self._configuration())
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    [MOSQUITTO, "-c", str(path)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    preexec_fn=_many_files)
            if self._wait_accepting():
                if Overheard.on and self.listens and self.passwords is None:
                    self.overheard = Overheard(self.port, self.dir, self.punches)
                return self
            self.process = None
            if "Address already in use" not in self.log.read_text(errors="replace"):
                break
            self.port = free_port()
        raise RuntimeError(f"mosquitto does not start:\n{self.log.read_text(errors='replace')}")

    def _wait_accepting(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True
            except OSError:
                time.sleep(0.01)
        self._end(signal.SIGKILL)
        return False

    def _end(self, signo):
        if self.overheard:
            overheard, self.overheard = self.overheard, None
            overheard.end()
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signo)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def stop(self):
        """In order: it saves what it has."""
        self._end(signal.SIGTERM)

    def kill(self):
        """kill -9: what it has not saved is gone."""
        self._end(signal.SIGKILL)

    def wipe(self):
        """Stop it and take its memory away: no session, no message, nothing retained."""
        self.stop()
        shutil.rmtree(self.memory)

    def restart(self):
        self.stop()
        return self.start()

    def pause(self):
        """It stands still, and its connections with it, until resume."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def done(self):
        if self.process is not None and self.process.poll() is None:
            self.resume()
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    # ---- looking at it

    def saved(self):
        """The file it persists to."""
        return self.memory / "mosquitto.db"

    def written_bytes(self):
        """What it has handed to write() since it started."""
        text = pathlib.Path(f"/proc/{self.process.pid}/io").read_text()
        return int(text.split("wchar: ")[1].split()[0])

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.done()
