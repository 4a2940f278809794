"""What a broker keeps of what it has acknowledged while the gateway is away, and what that costs:
mosquitto's defaults beside etc/mosquitto/punchd.conf."""
import json
import pathlib
import re
import subprocess
import tempfile
import time

from broker import SHIPPED, Broker
from terminal import Terminal
from test_broker_conf import Client, collect, leave_session, publish_numbers
from waiting import wait_for

RATE, BEFORE_KILL = 20, 160  # messages a second of all terminals, and how many until kill -9
WAITING = (0, 1000, 10000)


def timed(work):
    """The shipped settings, but saved each second and not at every change."""
    path = work / "timed.conf"
    path.write_text(re.sub("(?m)^autosave_on_changes .*", "autosave_on_changes false",
                           SHIPPED.read_text()))
    return path


def rows_kept(port):
    """{(serial, id)} of what waits for the gateway; nothing where its session is forgotten."""
    gateway = Client(port, client_id="gateway", clean=False)
    session = gateway.session
    gateway.close()
    if not session:
        return set()
    return {(m.topic.split("/")[2], json.loads(m.payload)["id"]) for m in collect(port)}


def lost_by_a_kill(settings, work, rate):
    """(lost, acknowledged). rate: of each terminal, 0: as fast as it goes."""
    with Broker(shipped=settings, under=work) as broker:
        leave_session(broker.port)
        with Terminal(broker.port, "--terminals", 20, "--count", 0, "--rate", rate, "--no-ack",
                      under=work) as terminal:
            wait_for(lambda: len(terminal.acked()) >= BEFORE_KILL, "PUBACKs", 60)
            broker.kill()
            terminal.stop()
            acked = set(terminal.acked())
        broker.start()
        return len(acked - rows_kept(broker.port)), len(acked)


def qos_0_kept(settings, work):
    with Broker(shipped=settings, under=work) as broker:
        leave_session(broker.port)
        publish_numbers(broker.port, 5, qos=0)
        return len(collect(broker.port))


def resident_mb(broker):
    text = pathlib.Path(f"/proc/{broker.process.pid}/smaps_rollup").read_text()
    return int(re.search(r"Rss: +(\d+)", text)[1]) * 1024 / 1e6


def speed(port, work, *options):
    with Terminal(port, *options, "--no-ack", under=work) as terminal:
        summary = terminal.wait()
        return summary["acked"] / summary["seconds"]


def with_waiting(waiting, work):
    """(messages a second of twenty terminals, of one that waits for each PUBACK, bytes that the broker
    writes for a lone message, resident MB) with so many that wait."""
    with Broker(saves=False, under=work) as broker:
        leave_session(broker.port)
        if waiting:
            with Terminal(broker.port, "--terminals", 20, "--count", waiting // 20, "--no-ack",
                          under=work) as terminal:
                assert terminal.wait()["acked"] == waiting
        broker.stop()
        broker.saves = True
        broker.start()
        listener = None
        if not waiting:
            listener = subprocess.Popen(
                ["mosquitto_sub", "-p", str(broker.port), "-i", "gateway", "-c", "-q", "1", "-t",
                 "att/v1/+/punch"], stdout=subprocess.DEVNULL)
        client = Client(broker.port)
        client.publish("{}")
        before = broker.written_bytes()
        for _ in range(10):
            client.publish("x" * 170)
            time.sleep(0.05)  # each with a save of its own
        lone = (broker.written_bytes() - before) / 10
        client.close()
        speeds = [speed(broker.port, work, *options) for options in (
            ("--terminals", 20, "--count", 20), ("--count", 100, "--window", 1))]
        if listener:
            listener.kill()
            listener.wait()
        return *speeds, lone, resident_mb(broker)


def run(_options):
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        work = pathlib.Path(name)
        kinds = {"mosquitto's defaults": None, "saved each second": timed(work), "as shipped": SHIPPED}
        print(f"{'':24}{'lost by kill -9':>20}{'the same at speed':>20}{'QoS 0 kept':>12}")
        for kind, settings in kinds.items():
            slow = "{} of {}".format(*lost_by_a_kill(settings, work, RATE / 20))
            fast = "{} of {}".format(*lost_by_a_kill(settings, work, 0))
            print(f"{kind:24}{slow:>20}{fast:>20}{qos_0_kept(settings, work):>7} of 5", flush=True)
        print(f"\n{'as shipped, waiting':24}{'messages/s':>12}{'one by one/s':>14}"
              f"{'bytes a lone one':>18}{'resident':>12}")
        for waiting in WAITING:
            many, one, lone, resident = with_waiting(waiting, work)
            print(f"{waiting:<24}{many:12,.0f}{one:14,.0f}{lone:18,.0f}{resident:9.1f} MB", flush=True)
