"""A small installed system for the commands that the pages show: broker, cloud and gateway on the
loopback, programs of the build first on PATH, and the documented places mapped into a folder.

    with Scene(tmp_path) as scene:
        scene.run("punchctl status")              # (exit status, what it printed)
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess

from broker import Broker
from conftest import BUILD
from gateway import Gateway
from ports import free_port
from sandbox import Sandbox
from waiting import wait_for

ALICE = "usr_000001"
# The pages' dates are of some day; whenever this runs, they are not to be stale.
SETTINGS = {"site.name": "plant-7", "punches.max_age": "36500d", "log.level": "info",
            "punches.accept_from": "2026-01-01T00:00:00Z"}
RUN_S = 60

# What a command of the pages finds on an installed system, and finds here. $ names are of scene.names.
WRAPPERS = {
    "punchd": '[ $# = 0 ] || exec $build/punchd -c $config "$@"',
    "punchctl": '[ "$1" != doctor ] || set -- "$@" --broker-conf $broker_conf\n'
                'exec $build/punchctl "$@"',
    "punch-terminal": 'exec $build/punch-terminal --port $mqtt_port "$@"',
    "punch-sandbox": 'exec $build/punch-sandbox --listen 127.0.0.1:$cloud_port "$@"',
    "punch-report-pdf": 'exec $build/punch-report-pdf "$@"',
    **{name: f'exec {shutil.which(name)} -p $mqtt_port "$@"'
       for name in ("mosquitto_pub", "mosquitto_sub", "mosquitto_rr")},
}


class Scene:
    """broker: further arguments of Broker. settings: the gateway's beside SETTINGS."""

    def __init__(self, work, settings=None, **broker):
        self.dir = pathlib.Path(work) / "scene"
        self.dir.mkdir()
        self.broker = Broker(under=work, **broker)
        self.cloud = Sandbox(BUILD, self.dir / "own-cloud", "--plan", "basic").start()
        self.gateway = Gateway(self.broker.port, self.cloud.base_url, self.cloud.ca, self.cloud.key,
                               under=work, settings=SETTINGS | (settings or {}), start=False)
        self.servers = []
        cloud_port = free_port()
        self.names = {"build": BUILD, "config": self.gateway.config,
                      "broker_conf": self.broker.dir / "mosquitto.conf",
                      "mqtt_port": self.broker.port, "cloud_port": cloud_port}
        # What the pages call it, and what it is here.
        self.places = {
            "/run/punchd/punchd.sock": str(self.gateway.socket),
            "/var/lib/punchd/": f"{self.gateway.dir}/",
            "/etc/punchd/": f"{self.dir}/etc/",
            "/media/usb/": f"{self.dir}/usb/",
            "/tmp/cloud": f"{self.dir}/cloud",
            "127.0.0.1:8443": f"127.0.0.1:{cloud_port}",
        }
        for name in ("etc/profiles", "usb", "bin"):
            (self.dir / name).mkdir(parents=True)
        for name, script in WRAPPERS.items():
            self._wrap(name, script)
        self.env = dict(os.environ, PATH=f"{self.dir}/bin:{os.environ['PATH']}", HOME=str(self.dir),
                        PUNCHD_SOCKET=str(self.gateway.socket), TZ="Europe/Berlin", LC_ALL="C.UTF-8")
        self.env.pop("XDG_STATE_HOME", None)

    def _wrap(self, name, script):
        for key, value in self.names.items():
            script = script.replace(f"${key}", str(value))
        path = self.dir / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def __enter__(self):
        try:
            self.cloud.put_user(id=ALICE, name="Alice Example")
            self.gateway.start()
            self.gateway.wait_connected()
            self.gateway.wait_synced()
            shutil.copy(self.dir / "own-cloud/data/server.pem", self.dir / "api.pem")
        except BaseException:
            self.done()
            raise
        return self

    def __exit__(self, *exc):
        self.done()

    def done(self):
        self.end_servers()
        self.gateway.done()
        self.cloud.stop()
        self.broker.done()

    # ---- the pages' places

    def mapped(self, text):
        for documented, here in self.places.items():
            text = text.replace(documented, here)
        return text

    def unmapped(self, text):
        for documented, here in self.places.items():
            text = text.replace(here, documented)
        return text

    def path(self, name):
        """Where a file of the pages lies here."""
        path = pathlib.Path(self.mapped(name))
        if str(path) == name:
            path = self.dir / "elsewhere" / name.lstrip("/") if name[0] == "/" else self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    # ---- commands

    def run(self, command, timeout=RUN_S):
        """(exit status, standard output and error as the pages would show them)."""
        done = subprocess.run(["bash", "-c", self.mapped(command)], cwd=self.dir, env=self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout)
        return done.returncode, self.unmapped(done.stdout)

    def serve(self, command):
        """A command that serves until it is ended. Its `ready` line; the server before it is ended."""
        self.end_servers()
        log = self.dir / "server.log"
        with open(log, "wb") as out:
            server = subprocess.Popen(["bash", "-c", f"exec {self.mapped(command)}"], cwd=self.dir,
                                      env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.servers.append(server)

        def ready():
            assert server.poll() is None, log.read_text()
            return [line for line in log.read_text().splitlines() if line.startswith("ready ")]

        return self.unmapped(wait_for(ready, command)[0])

    def end_servers(self):
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) == 0
        self.servers = []

    # ---- what is shown by the gateway

    def newest_id(self):
        return self.gateway.get("/v1/punches?limit=1")["data"][0]["id"]

    def publish(self, topic, payload, *options):
        done = subprocess.run(
            ["mosquitto_pub", "-p", str(self.broker.port), "-q", "1", "-t", topic, "-s", *options],
            input=payload.encode(), timeout=RUN_S)
        assert done.returncode == 0

    def ask(self, topic, payload, answer):
        """Publish, and the first message that comes on the other topic then."""
        done = subprocess.run(
            ["mosquitto_rr", "-p", str(self.broker.port), "-q", "1", "-W", "20", "-t", topic, "-e",
             answer, "-m", payload], stdout=subprocess.PIPE, timeout=RUN_S)
        assert done.returncode == 0, (topic, payload)
        return json.loads(done.stdout)
