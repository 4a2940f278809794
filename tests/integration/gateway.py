"""punchd itself for tests: a folder with its settings, its store and its socket.

    with Gateway(broker_port=…, base_url=…, ca=…, key=…) as g:
        g.status()["queue"]["queued"]
        g.kill()          # -9
        g.start()

Every answer that comes this way is held to docs/api/control.yaml.
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

import contract
from conftest import BUILD
from relay import Relay
from waiting import wait_for

DEFAULTS = {
    "api.retry_min": "50ms",
    "api.retry_max": "500ms",
    "api.auth_retry": "2s",
    "site.name": "test",
    "site.time_zone": "UTC",
    "store.min_free": "1M",
    "mqtt.client_id": "punchd-test",
    "log.level": "debug",
}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=30):
        super().__init__("punchd", timeout=timeout)
        self.unix_path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.unix_path)


class Gateway:
    """settings: {"section.key": value} beside the defaults. under: the folder for its own folder.
    store: where the database lies, default in its own folder. wrap: a command to run it under."""

    def __init__(self, broker_port=1, base_url="https://127.0.0.1:1/v1", ca=None, key="test-key",
                 settings=None, under=None, store=None, wrap=(), env=None, build=BUILD, start=True):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="gateway-", dir=under))
        self.program = pathlib.Path(build) / "punchd"
        self.store = pathlib.Path(store) if store else self.dir / "punchd.db"
        self.socket = self.dir / "punchd.sock"
        self.config = self.dir / "punchd.conf"
        self.key_file = self.dir / "api.key"
        self.log = self.dir / "log"
        self.wrap = [str(w) for w in wrap]
        self.env = dict(os.environ, **(env or {}))
        self.process = None
        self.relay = None
        self.settings = dict(DEFAULTS)
        self.settings.update({
            "api.base_url": base_url,
            "api.key_file": self.key_file,
            "mqtt.port": broker_port,
            "store.path": self.store,
            "control.socket": self.socket,
            "control.group": "",
        })
        if ca:
            self.settings["api.ca_file"] = ca
        self.settings.update(settings or {})
        self.write_key(key)
        if start:
            self.start()

    # ---- settings

    def write_key(self, key):
        if key is None:
            self.key_file.unlink(missing_ok=True)
            return
        fresh = self.key_file.with_suffix(".new")
        fresh.write_text(key + "\n")
        fresh.chmod(0o600)
        fresh.rename(self.key_file)

    def write_config(self):
        sections = {}
        for name, value in self.settings.items():
            section, key = name.split(".")
            sections.setdefault(section, []).append(f"{key} = {value}")
        self.config.write_text(
            "".join(f"[{s}]\n" + "\n".join(lines) + "\n" for s, lines in sections.items()))

    # ---- life

    def spawn(self):
        self.write_config()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.wrap + [str(self.program), "-c", str(self.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env)

    def start(self):
        """Start it and wait until it answers."""
        assert self.process is None
        self.spawn()
        return self.wait_started()

    def wait_started(self):
        wait_for(self._answers, "punchd answers on its socket\n" + self.messages()[-4000:])
        return self

    def _answers(self):
        assert self.process.poll() is None, self.messages()[-4000:]
        try:
            return self.status()
        except OSError:
            return None

    def end(self, signo=signal.SIGTERM, timeout=30):
        """Signal it and wait. Returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signo)
        return self.wait(timeout)

    def wait(self, timeout=30):
        code = self.process.wait(timeout)
        self.process = None
        return code

    def stop(self):
        code = self.end()
        assert code == 0, f"exit {code}\n{self.messages()[-4000:]}"

    def kill(self):
        self.end(signal.SIGKILL)

    def done(self):
        if self.process is not None:
            self.kill()
        if self.relay:
            self.relay.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.done()

    # ---- asking it

    def relayed(self):
        """A socket for others to ask by, whose answers are looked at, too."""
        if self.relay is None:
            self.relay = Relay(self.dir / "relay", self.socket)
        return self.relay.path

    def request(self, method, path, body=None, timeout=30):
        """(status, document)"""
        connection = UnixConnection(self.socket, timeout)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            text = answer.read()
            contract.CONTROL.check_answer(method, path, answer.status, answer.headers, text)
            if answer.getheader("Content-Type", "").startswith("application/json"):
                return answer.status, json.loads(text)
            return answer.status, text.decode()
        finally:
            connection.close()

    def get(self, path):
        status, document = self.request("GET", path)
        assert status == 200, (status, document)
        return document

    def status(self):
        return self.get("/v1/status")

    def punches(self, query=""):
        """All that fit a query, newest first."""
        found, before = [], ""
        while True:
            page = self.get(f"/v1/punches?limit=1000{query}{before}")
            found += page["data"]
            if page["meta"]["next"] is None:
                return found
            before = f"&before={page['meta']['next']}"

    def alarms(self):
        return {a["code"] for a in self.status()["alarms"]}

    def wait_connected(self):
        wait_for(lambda: self.status()["mqtt"]["connected"], "the broker link")

    def wait_synced(self):
        wait_for(lambda: self.status()["directory"]["pass"], "the first pass of the directory")

    def wait_status(self, condition, what, timeout=60):
        def look():
            status = self.status()
            return status if condition(status) else None

        return wait_for(look, f"{what}\n{self.log}", timeout)

    def wait_delivered(self, count, timeout=60):
        return self.wait_status(
            lambda s: s["counts"]["delivered"] >= count, f"{count} delivered", timeout)

    def messages(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def lines(self, token):
        """Its log lines of that kind."""
        return [line for line in self.messages().splitlines() if line.startswith(token + ": ")]

    def wait_line(self, token, gist, timeout=30):
        """Until a line of that kind says so."""
        return wait_for(lambda: [line for line in self.lines(token) if gist in line],
                        f"{token}: …{gist}…\n{self.messages()[-4000:]}", timeout)[0]

    def wait_alarm(self, code, stands=True, timeout=30):
        """Until it stands, or not. Its message."""
        def look():
            found = [a["message"] for a in self.status()["alarms"] if a["code"] == code]
            return (found or ["-"])[0] if bool(found) == stands else None

        return wait_for(look, f"alarm {code}: {stands}\n{self.messages()[-4000:]}", timeout)


def adds_up(status):
    """The law of conservation, as the status document shows it."""
    counts, queue = status["counts"], status["queue"]
    assert counts["received"] == counts["stored"] + counts["duplicate"], status
    assert counts["stored"] == queue["queued"] + queue["held"] + queue["parked"] + \
        counts["suppressed"] + counts["delivered"] + counts["discarded"], status
