"""A person stops forwarding and lets it go on: pause and resume."""
import getpass
import os
import signal
import subprocess

import pytest

from conftest import BUILD
from gateway import adds_up
from line import morning, rfc3339, user
from place import Place
from waiting import wait_for


def punch(record_id, minute=0, who=1):
    return {"id": record_id, "user": user(who), "time": rfc3339(int(morning() + minute * 60)),
            "type": "check_in"}


@pytest.fixture
def place(tmp_path):
    with Place(tmp_path) as place:
        yield place


def post(place, what):
    status, document = place.gateway.request("POST", f"/v1/{what}")
    assert status == 200, document
    return document["data"]


def api(place):
    return place.gateway.status()["api"]


def ctl(place, *args):
    run = subprocess.run([BUILD / "punchctl", "--socket", place.gateway.relayed(), "--utc", *args],
                         capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    return run.returncode, run.stdout.decode(), run.stderr.decode()


def nothing_goes(place, queued):
    """By the time that two lists were fetched a punch would have been sent."""
    place.sync()
    assert sends(place) == 0
    status = place.gateway.status()
    assert (status["api"]["state"], status["queue"]["queued"]) == ("paused", queued)
    assert not [p for p in place.gateway.punches() if p["frozen"]]


def sends(place):
    return place.cloud.stats()["by_path"].get("POST /attendance", 0)


def test_paused_over_a_restart(place):
    assert api(place)["paused"] is None
    said = post(place, "pause")["paused"]
    assert said["by"] == {"uid": os.getuid(), "name": getpass.getuser()}
    assert api(place)["paused"] == said
    assert place.send(punch("a"))[0]["status"] == "queued"
    nothing_goes(place, 1)
    assert post(place, "pause")["paused"] == said  # the first one counts
    # It was on disk when it was answered; and what others mend is no reason to go on.
    place.gateway.kill()
    place.gateway.start()
    place.gateway.wait_connected()
    place.send(punch("b", minute=60))
    place.gateway.process.send_signal(signal.SIGHUP)
    place.gateway.wait_line("config", "settings read again")
    nothing_goes(place, 2)
    assert api(place)["paused"] == said
    assert post(place, "resume") == {"paused": None}
    place.gateway.wait_delivered(2)
    assert (api(place)["state"], api(place)["paused"]) == ("ok", None)
    place.gateway.kill()
    place.gateway.start()
    assert api(place)["paused"] is None
    adds_up(place.gateway.status())


def test_what_is_under_way_is_answered(place):
    place.cloud.add_fault("slow=1s,path=/attendance,count=1")
    place.send(punch("a"))
    wait_for(lambda: sends(place) == 1, "it is under way")
    post(place, "pause")
    place.send(punch("b", who=2))
    place.gateway.wait_delivered(1)
    place.sync()
    assert sends(place) == 1
    post(place, "resume")
    place.gateway.wait_delivered(2)


@pytest.mark.parametrize("fault, state", [("drop-before", "offline"), ("status=503", "backoff"),
                                          ("status=401", "auth_failed")])
def test_resume_tries_at_once(tmp_path, fault, state):
    with Place(tmp_path, settings={"api.retry_min": "1h", "api.retry_max": "1h",
                                   "api.auth_retry": "1h"}) as place:
        place.cloud.add_fault(f"{fault},path=/attendance,count=1")
        place.send(punch("a"))
        wait_for(lambda: api(place)["state"] == state, state)
        post(place, "resume")
        place.gateway.wait_delivered(1)


def test_resume_after_refusals_alike(place):
    place.cloud.add_fault("status=422,path=/attendance")
    place.send([punch(f"p{n}", minute=n, who=n % 5 + 1) for n in range(60)])
    assert "punchctl resume" in place.gateway.wait_alarm("api_refusing")
    place.sync()
    assert api(place)["state"] == "paused" and api(place)["paused"] is None
    place.cloud.clear_faults()
    post(place, "resume")
    queue = place.gateway.wait_status(lambda s: s["queue"]["queued"] == 0, "it goes on")["queue"]
    assert 20 <= queue["parked"] < 60
    place.gateway.wait_alarm("api_refusing", stands=False)
    adds_up(place.gateway.status())


def test_punchctl(place):
    code, out, err = ctl(place, "pause")
    assert (code, err) == (0, "") and out.startswith(f"forwarding is paused, by {getpass.getuser()} since 20")
    place.send(punch("a"))
    assert f"paused by {getpass.getuser()}, " in ctl(place, "status")[1]
    code, out, _ = ctl(place, "doctor")
    line, = (line for line in out.splitlines() if "forwarding was paused" in line)
    assert line.startswith("warn") and "punchctl resume" in out
    assert ctl(place, "resume") == (0, "forwarding goes on\n", "")
    place.gateway.wait_delivered(1)
    assert '"paused":null' in ctl(place, "--json", "resume")[1].replace(" ", "")
    place.gateway.stop()
    assert ctl(place, "pause")[0] == 3


def test_odd_requests(place):
    for method in ("GET", "PUT", "DELETE"):
        assert place.gateway.request(method, "/v1/pause")[0] == 405
    assert place.gateway.request("POST", "/v1/pause?x=1")[0] == 400
    assert api(place)["paused"] is None
