"""A punch-sandbox of a test's own: on a free port, in a folder of its own, ended by its pid.

    with Sandbox(build, tmp_path / "cloud", "--plan", "basic", users=5) as cloud:
        cloud.post_attendance(user="usr_000001", key="k1")
        assert [r["user_id"] for r in cloud.records()] == ["usr_000001"]

The port stays the same over restarts, so that clients find it again.

Every answer of the API that comes this way is held to docs/api/openapi.yaml, but while a fault spoils
answers; and when the process ends, so is whatever it exchanged with others: punchd, curl, proxies.
"""
import http.client
import json
import re
import select
import signal
import ssl
import subprocess
import urllib.parse

import contract
from ports import free_port
from waiting import wait_for

START_S = 30
API_KEY = "sandbox-key"
# Faults after which an answer is not the API's, on purpose.
SPOILS = re.compile("(garbage|html|cut|empty|no-headers|status)")


class Answer:
    """A whole answer: status, headers (a case-blind mapping), body (bytes)."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        return self.json["data"]

    @property
    def error(self):
        return self.json["error"]

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


class Sandbox:
    """One punch-sandbox process, started anew by start() after stop() or kill().

    ca is the path of the CA to trust, base_url ends in /v1, key is the API key.
    args are further options; plan is `none` unless they say otherwise.
    """

    def __init__(self, build, directory, *args, users=10, devices="BIO-FP-001", key=API_KEY,
                 key_option=True):
        self.program = str(build / "punch-sandbox")
        self.directory = directory
        self.args = list(args)
        self.users, self.devices = users, devices
        self.key, self.key_option = key, key_option
        self.ca = directory / "data" / "ca.pem"
        self.port = free_port()
        self.process = None
        self.base_url = None
        self._connection = None
        self.record = directory / "record"
        self.recorded = 0  # bytes of it that are checked
        self.spoilt = any(SPOILS.match(str(a)) for a in args)

    # ---- the process

    def command(self):
        # getopt takes the last of an option, so args can say --listen again.
        command = [self.program, "--listen", f"127.0.0.1:{self.port}", "--data",
                   str(self.directory / "data"), "--users", str(self.users), "--devices",
                   self.devices, "--record", str(self.record)]
        if self.key_option:
            command += ["--key", self.key]
        if "--plan" not in self.args:
            command += ["--plan", "none"]
        return command + [str(a) for a in self.args]

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        with open(self.directory / "sandbox.log", "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=log)
        ready, _, _ = select.select([self.process.stdout], [], [], START_S)
        line = self.process.stdout.readline().decode() if ready else ""
        if not line.startswith("ready "):
            self.kill()
            raise AssertionError(f"no ready line but {line!r}; log: {self.log()}")
        self.base_url = line.split()[1]
        self.port = urllib.parse.urlsplit(self.base_url).port
        return self

    def stop(self):
        """SIGTERM; the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self):
        """kill -9."""
        return self._end(signal.SIGKILL)

    def _end(self, how):
        self.disconnect()
        if self.process is None:
            return None
        self.process.send_signal(how)
        status = self.process.wait(timeout=START_S)
        self.process.stdout.close()
        self.process = None
        self.recorded = contract.CLOUD.check_record(self.record, self.recorded)
        return status

    def restart(self, *args):
        """Stop and start; args, if any, replace the further options."""
        self.stop()
        if args:
            self.args = list(args)
        return self.start()

    def log(self):
        return (self.directory / "sandbox.log").read_text()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        status = self.stop()
        if kind is None and status not in (None, 0):
            raise AssertionError(f"it ended with {status}; log: {self.log()}")

    # ---- requests

    def connect(self, minimum=ssl.TLSVersion.TLSv1_2):
        """A new connection, verified against the sandbox's CA; the caller closes it."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.minimum_version = minimum
        host = urllib.parse.urlsplit(self.base_url).hostname
        return http.client.HTTPSConnection(host, self.port, context=context, timeout=30)

    def disconnect(self):
        if self._connection:
            self._connection.close()
        self._connection = None

    def ask(self, connection, method, path, body=None, headers=None, api_key=True):
        """One request on a given connection. path is whole; api_key False sends none."""
        headers = dict(headers or {})
        if api_key:
            headers.setdefault("Authorization",
                               f"Bearer {self.key if api_key is True else api_key}")
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            if not isinstance(body, (bytes, str)):
                body = json.dumps(body)
        connection.request(method, path, body=body, headers=headers)
        answer = Answer(connection.getresponse())
        self._look_at(method, path, body, answer)
        return answer

    def _look_at(self, method, path, body, answer):
        if path.startswith("/v1/") and not self.spoilt:
            contract.CLOUD.check_answer(method, path[3:], answer.status, answer.headers, answer.body)
        elif path == "/_sandbox/faults" and method == "DELETE":
            self.spoilt = False
        elif path == "/_sandbox/faults" and method == "POST":
            self.spoilt |= bool(SPOILS.search(str(body)))

    def request(self, method, path, body=None, headers=None, api_key=True):
        """One request below /v1, on a kept connection. A connection that breaks is an error."""
        if not path.startswith("/_sandbox"):
            path = "/v1" + path
        if self._connection is None:
            self._connection = self.connect()
        try:
            return self.ask(self._connection, method, path, body, headers, api_key)
        except Exception:
            self.disconnect()
            raise

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, body, key=None, **kwargs):
        """key is the Idempotency-Key."""
        headers = dict(kwargs.pop("headers", None) or {})
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.request("POST", path, body=body, headers=headers, **kwargs)

    @staticmethod
    def punch(user="usr_000001", device="dev_000001", kind="check_in",
              timestamp="2023-01-16T08:00:00Z"):
        return {"user_id": user, "device_id": device, "type": kind, "timestamp": timestamp}

    def post_attendance(self, key=None, api_key=True, **fields):
        return self.post("/attendance", self.punch(**fields), key=key, api_key=api_key)

    # ---- what a test wants to know

    def _admin(self, method, path, body=None):
        answer = self.request(method, "/_sandbox/" + path, body=body, api_key=False)
        if answer.status != 200:
            raise AssertionError(f"{method} /_sandbox/{path}: {answer}")
        return answer.json

    def records(self):
        """Every record, in order of arrival."""
        found, after = [], 0
        while True:
            page = self._admin("GET", f"attendance?after={after}&limit=10000")
            found += page["data"]
            if not page["data"]:
                return found
            after = page["meta"]["last"]

    def stats(self):
        return self._admin("GET", "stats")["data"]

    def wait_stats(self, condition, what):
        """Wait until condition(stats) holds; those stats."""
        def look():
            stats = self.stats()
            return stats if condition(stats) else None

        return wait_for(look, what)

    def events(self):
        """Every event of the webhook that is kept, in order."""
        found, after = [], 0
        while True:
            page = self._admin("GET", f"events?after={after}&limit=10000")
            found += page["data"]
            if not page["data"]:
                return found
            after = page["meta"]["last"]

    # ---- what a test changes

    def resend(self, **which):
        """Send events again: id, type or all=True. How many."""
        return self._admin("POST", "events/resend", which)["data"]["resent"]

    def add_fault(self, spec):
        return self._admin("POST", "faults", {"spec": spec})["data"]

    def faults(self):
        return self._admin("GET", "faults")["data"]

    def clear_faults(self):
        self._admin("DELETE", "faults")

    def set_plan(self, limit):
        self._admin("POST", "plan", {"limit": limit})

    def set_clock(self, off_s):
        """The server's clock is so far from this machine's from now on."""
        self._admin("POST", "clock", {"off_ms": round(off_s * 1000)})

    def add_key(self, key, rights="all"):
        """rights: all, read (GET alone) or attendance (POST /attendance alone)."""
        self._admin("POST", "keys", {"add": key, "rights": rights})

    def remove_key(self, key):
        self._admin("POST", "keys", {"remove": key})

    def put_user(self, **fields):
        """Add a user, or change the one with this id; the user."""
        return self._admin("POST", "users", fields)["data"]

    def remove_user(self, user_id):
        self._admin("DELETE", "users/" + user_id)

    def put_device(self, **fields):
        """Add a device, or change the one with this serial_number; the device."""
        return self._admin("POST", "devices", fields)["data"]

    def remove_device(self, device):
        self._admin("DELETE", "devices/" + device)

    def forget_keys(self):
        """As a cloud does that keeps idempotency keys for a day only."""
        self._admin("DELETE", "idempotency")
