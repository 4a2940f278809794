"""Key and password appear nowhere: not in logs, answers, the database, messages, or what the system
shows of the process, whatever goes wrong."""
import http.server
import json
import pathlib
import signal
import ssl
import subprocess
import threading

import paho.mqtt.client as mqtt
import pytest

from broker import Broker
from conftest import BUILD
from gateway import Gateway
from line import Hand, morning, rfc3339
from place import Place
from sandbox import Sandbox
from waiting import wait_for

KEY = "sk-live-Zq7.OnlyInItsFile_4711"
PASSWORD = "mq-Xw9-OnlyInItsFile-0815"
numbers = iter(range(1, 1000))


def punch(n=None):
    n = n or next(numbers)
    return {"id": f"p-{n}", "user": f"usr_{n % 9 + 1:06d}", "time": rfc3339(morning() + n * 60),
            "type": "check_in"}


class Echo(http.server.BaseHTTPRequestHandler):
    """A server that gives the Authorization header back wherever an answer has room for it."""
    protocol_version = "HTTP/1.1"
    answers = []  # (status, body) in turn, with KEY for what came
    asked = 0

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        given = self.headers["Authorization"].removeprefix("Bearer ")
        status, body = Echo.answers[Echo.asked % len(Echo.answers)]
        Echo.asked += 1
        body = body.replace("KEY", given).encode()
        self.send_response(status, f"no {given}")
        self.send_header("Content-Type", f"application/json; was={given}")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Authorization", given)
        self.send_header("Retry-After", "0")
        self.send_header("X-RateLimit-Reset", given)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def error(code="x", message="x", param="x"):
    return json.dumps({"error": {"code": code, "message": message, "param": param, "type": "x"}})


@pytest.fixture
def echo(tmp_path):
    """Its base URL; with the sandbox's certificate, which the gateway trusts."""
    with Sandbox(BUILD, tmp_path / "certificate") as cloud:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        data = cloud.directory / "data"
        context.load_cert_chain(data / "server.pem", data / "server.key")
    Echo.answers, Echo.asked = [
        (400, error("Bearer KEY", "no such key: KEY", "KEY")), (500, error(message="Bearer KEY")),
        (401, error(message="KEY")), (403, error(message="KEY KEY")), (200, "Bearer KEY"),
        (200, '{"data":{"id":"att_KEY"}}'), (201, '{"data":{"id":"att_1","user_id":"KEY"}}'),
        (429, error(message="KEY")), (302, "KEY"), (409, error("KEY", "KEY", "KEY")),
        (404, error(message="x" * 480 + "KEY")), (200, '{"data":[],"meta":{"total":"KEY"}}')], 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/v1", data / "ca.pem"
    server.shutdown()
    server.server_close()
    thread.join()


class Listener:
    """Hears everything that goes through the broker."""

    def __init__(self, port, **login):
        self.heard = b""
        self.client = mqtt.Client(client_id="listener")
        if login:
            self.client.username_pw_set(login["username"], login["password"])
        ready = threading.Event()
        self.client.on_connect = lambda c, *_: c.subscribe("#", 1)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = self._take
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert ready.wait(20)

    def _take(self, _client, _data, message):
        self.heard += message.topic.encode() + message.payload

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def everything(gateway):
    """What anybody may see of a running gateway, by where it is seen."""
    seen = {"log": gateway.log.read_bytes()}
    for path in ("/v1/status", "/healthz", "/v1/nothing", "/v1/punches?limit=1000"):
        seen[path] = json.dumps(gateway.request("GET", path)).encode()
    for one in gateway.punches():
        seen["trace " + one["id"]] = json.dumps(gateway.get(f"/v1/punches/{one['id']}")).encode()
    process = pathlib.Path("/proc") / str(gateway.process.pid)
    for name in ("cmdline", "environ", "comm", "maps"):
        seen[name] = (process / name).read_bytes()
    printed = subprocess.run([gateway.program, "-p", "-c", gateway.config], capture_output=True)
    seen["-p"] = printed.stdout + printed.stderr
    for path in gateway.dir.iterdir():
        if path.is_file() and path not in (gateway.key_file, gateway.dir / "password"):
            seen[path.name] = path.read_bytes()
    return seen


def nowhere(gateway, *secrets):
    for where, what in everything(gateway).items():
        for secret in secrets:
            # A part of it is a leak, too.
            for part in (secret, secret[:12], secret[-12:]):
                assert part.encode() not in what, (where, part)


def test_an_answer_that_gives_the_key_back(tmp_path, echo):
    base_url, ca = echo
    with Place(tmp_path, start=False, settings={
            "api.base_url": base_url, "api.ca_file": ca, "api.auth_retry": "50ms"}) as place:
        # The lists are known: punches go out.
        place.gateway.settings |= {"api.base_url": place.cloud.base_url, "api.ca_file": place.cloud.ca}
        place.start()
        place.gateway.stop()
        place.gateway.settings |= {"api.base_url": base_url, "api.ca_file": ca}
        place.gateway.write_key(KEY)
        place.gateway.start()
        place.gateway.wait_connected()
        listener = Listener(place.broker.port)
        place.send([punch() for _ in range(40)])
        wait_for(lambda: Echo.asked > 4 * len(Echo.answers), "each answer several times")
        nowhere(place.gateway, KEY)
        assert any(p["error"] for p in place.gateway.punches())
        assert place.gateway.messages().count("sent: ") > 10
        listener.close()
        assert b"/ack" in listener.heard and KEY.encode() not in listener.heard
        place.gateway.stop()
        assert KEY.encode() not in place.gateway.store.read_bytes() + place.gateway.log.read_bytes()


def test_failures_of_every_kind(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    with Place(tmp_path, start=False, settings={"api.timeout": "300ms", "api.auth_retry": "50ms"}) \
            as place:
        gateway, cloud = place.gateway, place.cloud
        cloud.add_key(KEY)
        gateway.write_key(KEY)
        place.start()
        for fault in ("status=401", "status=403", "status=500", "status=503", "garbage", "html",
                      "cut", "empty", "drop-before", "drop-after", "slow=600ms"):
            before = gateway.messages().count("sent: ")
            cloud.clear_faults()
            cloud.add_fault(fault + ",path=/attendance")
            place.send(punch())
            wait_for(lambda: gateway.messages().count("sent: ") > before, fault)
        cloud.clear_faults()
        cloud.remove_key(KEY)
        place.send(punch())
        wait_for(lambda: "outcome=unauthorized" in gateway.messages(), "401")
        cloud.stop()
        place.send(punch())
        wait_for(lambda: "outcome=never_left" in gateway.messages(), "nobody listens")
        nowhere(gateway, KEY)
        # A server with a certificate of somebody else in its place.
        with Sandbox(BUILD, tmp_path / "elsewhere", "--listen", f"127.0.0.1:{cloud.port}"):
            before = gateway.messages().count("certificate")
            wait_for(lambda: gateway.messages().count("certificate") > before, "TLS fails")
        nowhere(gateway, KEY)
        gateway.stop()
        assert KEY.encode() not in gateway.store.read_bytes() + gateway.log.read_bytes()


@pytest.mark.parametrize("known", [True, False])
def test_the_brokers_password(tmp_path, known):
    users = {"gw": PASSWORD if known else "another", "t": "t"}
    with Broker(shipped=None, passwords=users, under=tmp_path) as broker:
        listener = Listener(broker.port, username="t", password="t")
        with Gateway(broker.port, under=tmp_path, start=False, settings={
                "mqtt.username": "gw", "mqtt.password_file": tmp_path / "password"}) as gateway:
            (tmp_path / "password").write_text(PASSWORD + "\n")
            gateway.start()
            if known:
                gateway.wait_connected()
                with Hand(broker.port, username="t", password="t") as hand:
                    hand.send_all([punch(1)])
                    hand.wait_acked([punch(1)])
            else:
                wait_for(lambda: "mqtt_down" in gateway.alarms(), "the alarm")
                assert "refuses the login" in gateway.messages()
            nowhere(gateway, PASSWORD)
            assert PASSWORD.encode() not in broker.log.read_bytes()
        listener.close()
        assert PASSWORD.encode() not in listener.heard


def test_a_proxys_password(tmp_path):
    """It stands in the settings themselves; what is made of them does not have it."""
    with Broker(shipped=None, under=tmp_path) as broker, \
            Gateway(broker.port, under=tmp_path, start=False, settings={"api.timeout": "1s"}) as gateway:
        more = gateway.dir / "conf.d" / "proxy.conf"
        more.parent.mkdir()
        more.write_text(f"[api]\nproxy = http://{PASSWORD}:{PASSWORD}@127.0.0.1:1\n")
        gateway.start()
        gateway.wait_line("sync_failed", "127.0.0.1")
        nowhere(gateway, PASSWORD)
        # Faulty values are faults with a line, in the log of a running gateway and for -t.
        for value in (f"ftp://u:{PASSWORD}@p", f"http://u:{PASSWORD}/@p", f"u:{PASSWORD}@p"):
            before = gateway.messages().count("proxy.conf:2: proxy: ")
            more.write_text(f"[api]\nproxy = {value}\n")
            gateway.process.send_signal(signal.SIGHUP)
            wait_for(lambda: gateway.messages().count("proxy.conf:2: proxy: ") > before, value)
            told = subprocess.run([gateway.program, "-t", "-c", gateway.config], text=True,
                                  capture_output=True)
            assert told.returncode == 1 and "proxy.conf:2: proxy: " in told.stderr
            assert PASSWORD not in told.stdout + told.stderr
        nowhere(gateway, PASSWORD)
        gateway.stop()
