"""What a site has beside punchd, on the same machine: a broker with the shipped settings, a cloud, an
API key, and terminals. Set up by the commands that the pages tell a person to use.
"""
import json
from datetime import datetime, timedelta, timezone

KEY = "key-of-the-site"
CLOUD_UNIT = """\
[Unit]
Description=a cloud to try punchd with
[Service]
ExecStart=/usr/bin/punch-sandbox --data /var/lib/sandbox --plan none --users 20 \
--devices BIO-FP-001,BIO-FP-002,BIO-FP-003 --key key-of-the-site
StateDirectory=sandbox
Restart=always
[Install]
WantedBy=multi-user.target
"""
SETTINGS = """\
[api]
base_url = https://127.0.0.1:8443/v1
ca_file = /etc/punchd/cloud.pem
retry_max = 2s
auth_retry = 1s
"""


class Site:
    def __init__(self, machine, key=KEY, broker=True):
        self.machine = machine
        self.sent = self.mornings = 0
        self.start_cloud()
        if key:
            self.put_key(key)
        if broker:
            self.start_broker()
        machine.put("/etc/punchd/conf.d/cloud.conf", SETTINGS)
        machine.run("systemctl", "restart", "punchd")

    # ---- beside it

    def start_cloud(self):
        m = self.machine
        m.put("/etc/systemd/system/cloud.service", CLOUD_UNIT)
        m.run("systemctl", "daemon-reload")
        m.run("systemctl", "enable", "cloud")
        m.run("systemctl", "restart", "cloud")
        m.wait(lambda: m.path("/var/lib/sandbox/ca.pem").exists(), "the cloud's CA")
        m.run("cp", "/var/lib/sandbox/ca.pem", "/etc/punchd/cloud.pem")
        m.wait(lambda: self.ask_cloud("stats") is not None, "the cloud serves")

    def start_broker(self):
        m = self.machine
        m.run("cp", "/usr/share/doc/punchd/examples/mosquitto/punchd.conf", "/etc/mosquitto/conf.d/")
        m.run("systemctl", "restart", "mosquitto")

    def put_key(self, key):
        self.machine.run("install", "-m", "640", "-o", "root", "-g", "punchd", "/dev/stdin",
                         "/etc/punchd/api.key", stdin=key + "\n")

    def _curl(self, what, *options):
        return self.machine.run("curl", "-sf", "--cacert", "/var/lib/sandbox/ca.pem", *options,
                                "https://127.0.0.1:8443/_sandbox/" + what, check=False)

    def ask_cloud(self, what):
        done = self._curl(what)
        return json.loads(done.out)["data"] if done.code == 0 else None

    def tell_cloud(self, what, **body):
        done = self._curl(what, "-H", "Content-Type: application/json", "-d", json.dumps(body))
        assert done.code == 0, done.err

    # ---- punches

    def punch(self, count=20, *options, terminals=2, users=("--users", 20)):
        """So many of each terminal, all acknowledged; stored ones of a morning of their own, so that
        none is a double tap of another call's."""
        self.mornings += 1
        start = datetime.now(timezone.utc) - timedelta(days=60 - self.mornings)
        done = self.machine.run("punch-terminal", "--terminals", terminals, "--count", count,
                                *users, "--keep", f"/var/lib/terminals-{self.mornings}", "--resend", "1s",
                                "--timeout", "60s", "--batch", 2, "--step", "3m", "--start",
                                start.strftime("%Y-%m-%dT06:00:00Z"), *options)
        self.sent += count * terminals
        return done

    def ctl(self, *words, check=True, **how):
        return self.machine.run("punchctl", *words, check=check, **how)

    def status(self):
        return json.loads(self.ctl("--json", "status").out)

    def wait_status(self, condition, what, timeout=60):
        status = None

        def look():
            nonlocal status
            done = self.ctl("--json", "status", check=False)
            status = json.loads(done.out) if done.code == 0 else None
            return status if status and condition(status) else None

        return self.machine.wait(
            look, lambda: f"{what}: {status}\n{self.machine.journal()[-3000:]}", timeout)

    def alarms(self):
        return {alarm["code"] for alarm in self.status()["alarms"]}

    def wait_connected(self):
        return self.wait_status(lambda s: s["mqtt"]["connected"], "the broker")

    def wait_all_there(self):
        """Everything that was sent is in the cloud, once, and the counts say so."""
        self.wait_status(lambda s: s["counts"]["delivered"] >= self.sent, f"{self.sent} delivered", 60)
        status = self.status()
        records = self.ask_cloud("attendance?limit=10000")
        keys = [record["idempotency_key"] for record in records]
        assert len(set(keys)) == len(keys)
        assert len(records) == status["counts"]["delivered"] == self.sent, status["counts"]

    # ---- the service

    def main_pid(self):
        return int(self.machine.show("punchd", "MainPID")["MainPID"])

    def wait_restarted(self, before):
        """Another process than before runs and is ready."""
        def look():
            unit = self.machine.show("punchd", "MainPID", "ActiveState")
            return unit["ActiveState"] == "active" and int(unit["MainPID"]) not in (0, before)

        self.machine.wait(look, f"another punchd\n{self.machine.journal()[-3000:]}", 60)
