"""Every command and every example of README.md, man pages and docs (examples.py finds them): the
commands are run, what they print is what the page shows, and examples are what programs take."""
import json
import os
import pathlib
import re
import subprocess
import time

import pytest

import examples
import screen
from broker import Broker
from conftest import BUILD, ROOT
from examples import PAGES, Block, Command, shows
from gateway import Gateway
from line import Hand
from scene import Scene
from waiting import wait_for

# Pages with something that can be tried here.
NAMES = [str(page.relative_to(ROOT)) for page in PAGES
         if [e for e in examples.examples(page) if isinstance(e, Block) or examples.WHERE.get(e.text.split()[0]) == "here"]]
# They only look, so they may be asked until things have come so far.
LOOKS = re.compile(r"punchctl (status|punches|trace|lobby|alarms|devices|users|links|doctor)\b(?! im)")
# What has happened before somebody reads the page: whom and what its commands ask for.
BEFORE = {
    "man/punchctl.1": [
        "punch-terminal --serial BIO-FP-001 --user pin:1001 --start 2025-12-31T08:00:00Z",
        "punch-terminal --serial BIO-FP-001 --user pin:1001 --user id:usr_000001 --count 2",
        "mosquitto_rr -q 1 -W 10 -t att/v1/BIO-FP-001/punch -e att/v1/BIO-FP-001/ack -m '"
        '{"id":"900","user":"usr_000003","time":"8:59"}\'',
    ],
}


# ---- the rules themselves

def test_every_command_has_a_place_to_run():
    found = examples.commands()
    assert len(found) > 60
    unknown = [str(c) for c in found if c.text.split()[0] not in examples.WHERE]
    assert unknown == []
    assert {c.where for c in found} == {"here", "installed", "library", "tree"}


def test_the_installed_examples_are_those_of_the_readme_first():
    found = examples.installed_examples()
    assert found[0].file == "README.md" and found[0].text.startswith("sudo apt install ")
    assert [c for c in found if c.asks_for_key]


def test_what_a_page_may_show():
    text = "a 2026-11-26 08:59:02+01:00   00079c7a7b91 82K used\nb\nc"
    assert examples.masked(text) == "a TIME ID SIZE used\nb\nc"
    assert shows("a TIME ID SIZE used\n...\nc", text)
    assert shows("...\nb\n...", text)
    assert not shows("...\nx\n...", text)
    assert not shows("a TIME ID SIZE used", text)


def test_what_is_mentioned_exists():
    """In a sentence a command may lack what it needs, but it is one, and so are its options."""
    found = list(examples.mentioned())
    assert len(found) > 5
    for page, text in found:
        words = [word for word in text.split()[1:] if not re.fullmatch("[A-Z:_]+", word)]
        if not words:
            continue
        helped = subprocess.run([BUILD / "punchctl", words[0], "--help"], text=True,
                                capture_output=True)
        assert helped.returncode == 0, f"{page}: {text}\n{helped.stderr}"
        for option in re.findall(r"--[\w-]+", text):
            assert re.search(rf"(?m)^  {option}\b", helped.stdout), f"{page}: {text}"


# ---- the words of ./dev

def test_words_of_dev_are_known():
    helped = subprocess.run([ROOT / "dev", "help"], check=True, text=True, capture_output=True).stdout
    found = [c for c in examples.commands() if c.where == "tree"]
    assert {"demo", "test"} <= {c.text.split()[1] for c in found}
    for command in found:
        assert re.search(rf"(?m)^  {command.text.split()[1]}\s", helped), command


@pytest.mark.skipif(BUILD != ROOT / "build", reason="./dev demo is of build/")
def test_the_demo_shows_punches_flow_until_q():
    assert "./dev demo" in [c.text for c in examples.commands(ROOT / "README.md")]
    with screen.Terminal([ROOT / "dev", "demo"], rows=40) as terminal:
        wait_for(lambda: re.search(r"\bdelivered +check_|check_\w+ .*\bdelivered\b", terminal.text()),
                 "punches on the screen", 120)
        terminal.keys("q")
        assert terminal.wait(30) == 0


# ---- commands that need no installation

def run_server(scene, command):
    line = scene.serve(command.text)
    assert command.shown is None or command.shown == line, command


def run_watch(scene, command):
    """It draws until somebody presses q."""
    with screen.Terminal(["bash", "-c", command.text], env=scene.env) as terminal:
        wait_for(lambda: "Queue" in terminal.text(), str(command))
        terminal.keys("q")
        assert terminal.wait() == 0, command


def run_listener(scene, command):
    """It prints what is published until it is ended."""
    with screen.Terminal(["bash", "-c", f"exec {command.text}"], env=scene.env, columns=200) as t:
        def heard():
            scene.publish("hall/event", "somebody is here")
            return "hall/event somebody is here" in t.text()

        wait_for(heard, str(command))


def run_command(scene, command):
    text = command.text
    # The id of a punch is another one each time.
    text = re.sub(r"(?<=\s)[0-9a-f]{12}\b", lambda _: scene.newest_id()[:12], text)

    def look():
        code, out = scene.run(text)
        good = code == 0 and (command.shown is None or shows(command.shown, out))
        return good or not LOOKS.match(text), code, out

    deadline = time.monotonic() + 20
    done, code, out = look()
    while not done and time.monotonic() < deadline:
        time.sleep(0.05)
        done, code, out = look()
    assert code == 0, f"{command}\nexit status {code}\n{out}"
    if command.shown is not None:
        assert shows(command.shown, out), f"{command}\n{out}"


def run_here(scene, command):
    if command.text.startswith("punch-sandbox "):
        run_server(scene, command)
    elif command.text == "punchctl watch":
        run_watch(scene, command)
    elif command.text.startswith("mosquitto_sub ") and " -C " not in command.text:
        run_listener(scene, command)
    else:
        run_command(scene, command)


# ---- what is no command

class Payloads:
    """The examples of punchd-mqtt(7), in its order: what a terminal sends is sent, and what the page
    shows next is what must come of it."""

    def __init__(self, scene):
        self.scene = scene
        self.waiting = None

    def take(self, block, value):
        if isinstance(value, dict) and "acks" in value:
            acks = self.scene.ask("att/v1/BIO-FP-001/punch", self.waiting, "att/v1/BIO-FP-001/ack")
            assert acks == value, block
            self.waiting = None
        elif "op" in (value if isinstance(value, dict) else {}):
            self.command(block, value)
        elif isinstance(value, dict) and "online" in value:
            self.presence(block, value)
        else:
            many = value if isinstance(value, list) else [value]
            assert all({"id", "user"} <= set(punch) for punch in many), block
            self.waiting = block.text

    def presence(self, block, value):
        if "version" in value:
            _, out = self.scene.run("mosquitto_sub -C 1 -W 20 -t att/v1/gw/plant-7/status")
            assert examples.masked(out) == examples.masked(block.text), block
            return
        self.scene.publish("att/v1/BIO-FP-001/status", block.text, "-r")
        wait_for(lambda: self.scene.gateway.get("/v1/devices")["data"][0]["fw"] == value["fw"],
                 str(block))
        device = self.scene.gateway.get("/v1/devices")["data"][0]
        assert {key: device[key] for key in value} == value, block

    def command(self, block, value):
        """A terminal that is ten minutes off is told the time, in this form."""
        with Hand(self.scene.broker.port, "BIO-FP-009") as hand:
            told = []
            hand.client.message_callback_add(
                "att/v1/BIO-FP-009/cmd", lambda _c, _d, m: told.append(m.payload.decode()))
            hand.client.subscribe("att/v1/BIO-FP-009/cmd", 1)
            # Nothing is said of a clock in the first seconds: what comes then may have waited.
            for n in range(300):
                at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 600))
                hand.send({"id": f"skew-{n}", "user": "1", "time": at, "live": True})
                hand.wait_acked([{"id": f"skew-{n}"}])
                if told:
                    break
                time.sleep(0.2)
            assert told, block
            form = re.compile(r"\d")
            assert form.sub("0", told[0]) == form.sub("0", block.text.strip()), block
            assert json.loads(told[0]).keys() == value.keys(), block


def check_settings(scene, block):
    """punchd -t takes it, where the files that it names are there."""
    text = scene.mapped(block.text)
    for named in re.findall(r"(?m)^\w*file *= *(\S+)", text):
        assert named.startswith(str(scene.dir)), f"{block}: {named}"
        if not os.path.exists(named):
            pathlib.Path(named).write_text("a-secret-of-more-than-24-characters\n")
    config = scene.dir / "example.conf"
    config.write_text(f"[mqtt]\nprofile_dir = {scene.dir}/etc/profiles\n{text}")
    done = subprocess.run([BUILD / "punchd", "-t", "-c", config], text=True, capture_output=True)
    assert done.returncode == 0, f"{block}\n{done.stderr}"


def check_block(scene, block, payloads):
    text = block.text
    if block.name:
        scene.path(block.name).write_text(text)
    if block.file == "man/punchd-mqtt.7" and text[0] in "[{" and '"' in text:
        payloads.take(block, json.loads(text))
    elif block.kind == "ini" or re.match(r"\[\w+", text):
        check_settings(scene, block)
    elif block.kind.startswith("json") or text.startswith("{"):
        json.loads(text)
    else:
        assert block.name or block.kind.startswith("text"), f"{block}: an example of what?\n{text}"


@pytest.mark.parametrize("name", NAMES)
def test_page(name, tmp_path):
    """All that the page shows, in its order, in one place."""
    found = examples.examples(ROOT / name)
    with Scene(tmp_path) as scene:
        payloads = Payloads(scene)
        for command in BEFORE.get(name, ()):
            assert scene.run(command)[0] == 0, command
        for example in found:
            if isinstance(example, Block):
                check_block(scene, example, payloads)
            elif example.where == "here":
                run_here(scene, example)
        assert payloads.waiting is None, f"{name}: a payload whose answer is not shown"


def test_the_access_list(tmp_path):
    """punchd-mqtt(7): with the files it shows each terminal punches, and is answered, for itself."""
    files = {b.name: b.text for b in examples.blocks(ROOT / "man/punchd-mqtt.7") if b.name}
    assert files["/etc/mosquitto/conf.d/site.conf"].splitlines() == [
        "listener 1883", "allow_anonymous false", "password_file /etc/mosquitto/passwords",
        "acl_file /etc/mosquitto/acl"]
    acl = tmp_path / "acl"
    acl.write_text(files["/etc/mosquitto/acl"])
    passwords = {name: f"of {name}" for name in ("gateway", "BIO-FP-001", "BIO-FP-002")}
    (tmp_path / "password").write_text(passwords["gateway"] + "\n")

    def login(name):
        return {"username": name, "password": passwords[name]}

    with Broker(under=tmp_path, passwords=passwords, extra=[f"acl_file {acl}"]) as broker, \
            Gateway(broker.port, under=tmp_path, settings={
                "mqtt.username": "gateway", "mqtt.password_file": tmp_path / "password"}) as gateway:
        gateway.wait_connected()
        with Hand(broker.port, "BIO-FP-001", **login("BIO-FP-002")) as forger:
            forger.send_all([{"id": "forged", "user": "1"}])
        # Whoever listens to both hears but its own.
        eavesdropper = subprocess.Popen(
            ["mosquitto_sub", "-p", str(broker.port), "-u", "BIO-FP-002", "-P",
             passwords["BIO-FP-002"], "-q", "1", "-C", "1", "-W", "60", "-v", "-t",
             "att/v1/BIO-FP-001/ack", "-t", "att/v1/BIO-FP-002/ack"], stdout=subprocess.PIPE, text=True)
        sent = 0
        with Hand(broker.port, "BIO-FP-001", **login("BIO-FP-001")) as one, \
                Hand(broker.port, "BIO-FP-002", **login("BIO-FP-002")) as two:
            while eavesdropper.poll() is None:
                for hand in (one, two):
                    punch = {"id": f"own-{sent}", "user": "1"}
                    hand.send(punch)
                    hand.wait_acked([punch])
                sent += 1
        assert eavesdropper.stdout.read().startswith("att/v1/BIO-FP-002/ack ")
        assert sent > 0 and {p["record_id"] for p in gateway.punches()} == {
            f"own-{n}" for n in range(sent)}
