"""Links: an operator says who is meant by a PIN or a card, and what waits for that goes."""
import json
import subprocess

import pytest

from conftest import BUILD
from gateway import adds_up
from line import Hand, morning, rfc3339
from place import SERIAL, Place
from waiting import wait_for

OTHER = "BIO-FP-002"


def punch(record_id, user, minute=0, **fields):
    return {"id": record_id, "user": user, "time": rfc3339(morning() + minute * 60),
            "type": "check_in"} | fields


def taps(count, user, label="t"):
    return [punch(f"{label}{i:03d}", user, minute=2 * i, type=("check_in", "check_out")[i % 2])
            for i in range(count)]


def put(place, body):
    return place.gateway.request("PUT", "/v1/links", json.dumps(body))


def link(place, kind, value, user_id, **more):
    status, document = put(place, {"kind": kind, "value": value, "user_id": user_id} | more)
    assert status == 200, document
    return document["data"]


def ctl(place, *args, text=None):
    """(exit code, stdout, stderr) of punchctl."""
    run = subprocess.run([BUILD / "punchctl", "--socket", place.gateway.relayed(), "--utc", *args],
                         capture_output=True, timeout=60, input=text)
    return run.returncode, run.stdout.decode(), run.stderr.decode()


def links(place):
    return [(l["kind"], l["value"], l["device"], l["user_id"])
            for l in place.gateway.get("/v1/links")["data"]]


def records(place):
    return sorted((r["device_id"], r["user_id"]) for r in place.cloud.records())


def test_forty_held_punches_go_when_their_pin_is_linked(tmp_path):
    with Place(tmp_path) as place:
        # After that nothing else has them judged again.
        place.gateway.wait_line("clock_trusted", "")
        acks = place.send(taps(40, "1001"))
        assert {(a["status"], a["reason"]) for a in acks} == {("held", "unknown_user")}
        place.send(punch("other", "1002"))
        assert link(place, "pin", " 1001 ", "usr_000003", note="John's PIN")["new"] == 1
        place.gateway.wait_delivered(40)
        assert {r["user_id"] for r in place.cloud.records()} == {"usr_000003"}
        status = place.gateway.status()
        assert status["queue"]["held"] == 1
        adds_up(status)
        # A new one is known at once, by name.
        ack, = place.send(punch("next", "1001", 200))
        assert ack["status"] == "queued" and ack["name"]
        made, = place.gateway.get("/v1/links")["data"]
        assert made["name"] == ack["name"] and made["note"] == "John's PIN"
        assert made["by"]["name"] and made["by"]["uid"] >= 0


def test_a_devices_own_link_goes_before_the_general_one(tmp_path):
    with Place(tmp_path, devices=f"{SERIAL},{OTHER}") as place, Hand(place.broker.port, OTHER) as other:
        link(place, "card", "04:a2-b3", "usr_000001")
        link(place, "card", "04A2B3", "usr_000002", device=OTHER)
        link(place, "slot", "7", "usr_000004", device=OTHER)
        sent = [punch("1", "04 A2 B3", user_kind="card"), punch("2", "7", 1, user_kind="slot")]
        acks = place.send(sent)
        assert (acks[0]["status"], acks[1]["reason"]) == ("queued", "unknown_user")
        other.send(sent)
        other.wait_acked(sent)
        place.gateway.wait_delivered(3)
        assert records(place) == [("dev_000001", "usr_000001"), ("dev_000002", "usr_000002"),
                                  ("dev_000002", "usr_000004")]
        assert links(place) == [("card", "04A2B3", None, "usr_000001"),
                                ("card", "04A2B3", OTHER, "usr_000002"),
                                ("slot", "7", OTHER, "usr_000004")]


def test_a_link_goes_before_the_directory_and_may_name_a_stranger(tmp_path):
    with Place(tmp_path) as place:
        assert link(place, "id", "usr_000001", "usr_000002")["unknown_users"] == 0
        assert link(place, "pin", "9", "usr_stranger")["unknown_users"] == 1
        assert [a["status"] for a in place.send([punch("1", "usr_000001"), punch("2", "9", 1)])] == [
            "queued", "queued"]
        # The API decides.
        place.gateway.wait_status(lambda s: (s["counts"]["delivered"], s["queue"]["parked"]) == (1, 1),
                                  "one is taken, one refused")
        assert [r["user_id"] for r in place.cloud.records()] == ["usr_000002"]
        assert [p["reason"] for p in place.gateway.punches("&state=parked")] == ["api_404"]


def test_unlinked_while_the_cloud_is_away(tmp_path):
    """What is not frozen follows the links; what was linked survives kill -9."""
    with Place(tmp_path) as place:
        place.cloud.stop()
        link(place, "pin", "1", "usr_000001")
        link(place, "pin", "2", "usr_000002")
        assert {a["status"] for a in place.send(taps(10, "1", "a") + taps(10, "2", "b"))} == {"queued"}
        place.gateway.wait_status(lambda s: s["api"]["state"] == "offline", "the cloud is away")
        status, document = place.gateway.request("DELETE", "/v1/links?kind=pin&value=2&note=wrong")
        assert (status, document["data"]["gone"]) == (200, 1)
        link(place, "pin", "1", "usr_000005")
        place.gateway.kill()
        place.gateway.start()
        assert links(place) == [("pin", "1", None, "usr_000005")]
        place.gateway.wait_connected()
        assert place.send(punch("c", "2", 100))[0]["reason"] == "unknown_user"
        place.cloud.start()
        # One may have been frozen as the probe, with whom it meant then.
        place.gateway.wait_status(lambda s: s["queue"]["queued"] == 0 and s["counts"]["delivered"] >= 10,
                                  "all that is linked went")
        found = [r["user_id"] for r in place.cloud.records()]
        assert found.count("usr_000005") >= 9 and len(found) <= 11
        assert place.gateway.status()["queue"]["held"] == 21 - len(found)
        adds_up(place.gateway.status())


@pytest.mark.parametrize("body, gist", [
    ({"kind": "slot", "value": "7", "user_id": "usr_000001"}, "name its device"),
    ({"kind": "face", "value": "7", "user_id": "usr_000001"}, "the kind is none"),
    ({"kind": "pin", "value": " ", "user_id": "usr_000001"}, "the value is empty"),
    ({"kind": "card", "value": "-:-", "user_id": "usr_000001"}, "the value is empty"),
    ({"kind": "pin", "value": "x" * 513, "user_id": "usr_000001"}, "longer than 512"),
    ({"kind": "pin", "value": "a\u0000b", "user_id": "usr_000001"}, "are texts"),
    ({"kind": "pin", "value": "a\nb", "user_id": "usr_000001"}, "no text"),
    ({"kind": "pin", "value": 7, "user_id": "usr_000001"}, "are texts"),
    ({"kind": "pin", "value": "7", "user_id": "John"}, "no id such as"),
    ({"kind": "pin", "value": "7", "user_id": "usr_1/../2"}, "no id such as"),
    ({"kind": "pin", "value": "7"}, "no user_id"),
    ({"kind": "pin", "value": "7", "user_id": "usr_1", "device": "x" * 65}, "no serial"),
    ({"links": {}}, "no array"), ([], "no JSON object"), ("{", "no JSON object")])
def test_what_cannot_be_linked(site, body, gist):
    text = body if isinstance(body, str) else json.dumps(body)
    status, document = site.gateway.request("PUT", "/v1/links", text)
    assert status == 400 and gist in document["error"]["message"], document
    assert links(site) == []


def test_many_links_are_made_together_or_not_at_all(site):
    many = [{"kind": "pin", "value": str(i), "user_id": "usr_000001"} for i in range(5)]
    many[1]["kind"] = "face"
    many[3] = {"kind": "pin", "value": " 2", "user_id": "usr_000002"}
    many[4]["user_id"] = "usr_stranger"
    status, document = put(site, {"links": many, "known_users": True})
    assert status == 400 and [f["index"] for f in document["error"]["faults"]] == [1, 3, 4]
    assert "pin:2 is there already" in document["error"]["faults"][1]["message"]
    assert links(site) == []


@pytest.mark.parametrize("query, status", [
    ("kind=pin&value=1", 404), ("kind=pin", 400), ("value=1", 400), ("kind=slot&value=1", 400),
    ("kind=pin&value=1&user=2", 400), ("", 400)])
def test_what_cannot_be_unlinked(site, query, status):
    assert site.gateway.request("DELETE", f"/v1/links?{query}")[0] == status


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Place(tmp_path_factory.mktemp("links")) as place:
        yield place


# ---- punchctl

def test_link_and_unlink_by_hand(tmp_path):
    with Place(tmp_path) as place:
        place.send(taps(4, "1001"))
        code, out, err = ctl(place, "link", "pin:1001", "usr_000003", "--note", "told by phone")
        assert (code, out, err) == (0, "pin:1001 is usr_000003 at all terminals\n", "")
        place.gateway.wait_delivered(4)
        told = ctl(place, "trace", place.gateway.punches()[0]["id"])[1]
        assert "action=link" in told and "told by phone" in told and "user_id=usr_000003" in told
        assert ctl(place, "link", "pin:1001", "usr_000003")[1] == \
            "pin:1001 is already usr_000003 at all terminals\n"
        code, out, err = ctl(place, "link", "slot:7", "usr_9", "--device", SERIAL)
        assert (code, out) == (0, f"slot:7 is usr_9 at {SERIAL}\n") and "cloud decides" in err
        rows = ctl(place, "links")[1].splitlines()
        assert rows[0].split() == ["WHO", "TERMINAL", "USER", "NAME", "SINCE", "BY", "NOTE"]
        assert rows[1].split()[:3] == ["pin:1001", "all", "usr_000003"]
        assert rows[1].endswith("told by phone") and rows[2].split()[:3] == ["slot:7", SERIAL, "usr_9"]
        assert json.loads(ctl(place, "--json", "links")[1])["data"][1]["device"] == SERIAL
        assert ctl(place, "unlink", "pin:1001", "--note", "left")[:2] == (
            0, "pin:1001 is linked no more at all terminals\n")
        told = [(e["action"], e["note"], e["user_id"]) for e in place.gateway.get(
            f"/v1/punches/{place.gateway.punches()[0]['id']}")["data"]["trace"] if e["event"] == "hand"]
        assert told == [("link", "told by phone", "usr_000003"), ("unlink", "left", None)]
        assert ctl(place, "unlink", "pin:1001")[0] == 1
        assert ctl(place, "unlink", "slot:7")[0] == 1  # of a device: say which
        assert ctl(place, "unlink", "slot:7", "--device", SERIAL)[0] == 0
        assert ctl(place, "links")[1] == "no links\n"
        for wrong in (("link", "1001", "usr_1"), ("link", "pin:", "usr_1"), ("links", "import"),
                      ("links", "take", "x"), ("unlink", "nonsense")):
            assert ctl(place, *wrong)[0] == 2
        assert ctl(place, "link", "face:1", "usr_1")[0] == 1


def test_import_takes_all_or_nothing(tmp_path):
    with Place(tmp_path) as place:
        file = tmp_path / "links.csv"
        place.send(taps(3, "1") + taps(3, "2", "u"))
        file.write_bytes(b"\xef\xbb\xbfkind,value,user_id,device\r\npin,1,usr_000001,\r\npin,1,usr_000002,\r\n"
                         b"\r\nslot,7,usr_000001,\r\ncard,\"04:A2\",usr_nobody,\r\nface,1,usr_000001,\r\n")
        code, out, err = ctl(place, "links", "import", file)
        lines = [line for line in err.splitlines() if str(file) in line]
        assert (code, out) == (1, "") and len(lines) == 4, err
        for line, number, gist in zip(lines, (3, 5, 6, 7), ("already", "device", "usr_nobody", "kind")):
            assert line.startswith(f"punchctl: {file}:{number}: ") and gist in line
        assert links(place) == [] and place.gateway.status()["queue"]["held"] == 6
        file.write_bytes(b'kind,value,user_id\npin,1,usr_000001\npin,"2,usr_000002\n')
        code, out, err = ctl(place, "links", "import", file)
        assert code == 1 and f"{file}:3: a quote" in err and links(place) == []
        file.write_bytes(b"kind,value,user_id\npin,1,usr_000001\npin,2,usr_000002\npin,3,usr_new\n")
        assert ctl(place, "links", "import", file)[0] == 1
        code, out, err = ctl(place, "links", "import", file, "--allow-unknown", "--dry-run")
        assert (code, out, err) == (0, "would be: 3 new, 0 changed, 0 as they were\n", "")
        assert links(place) == []
        code, out, err = ctl(place, "links", "import", file, "--allow-unknown", "--note", "June's list")
        assert (code, out, err) == (0, "3 new, 0 changed, 0 as they were\n", "")
        place.gateway.wait_delivered(6)
        assert len({l["at"] for l in place.gateway.get("/v1/links")["data"]}) == 1
        # What goes out comes in again.
        out = ctl(place, "links", "export")[1]
        assert out.splitlines()[1] == "pin,1,usr_000001,,June's list"
        assert ctl(place, "links", "export", tmp_path / "out.csv")[0] == 0
        assert (tmp_path / "out.csv").read_bytes().decode() == out
        assert ctl(place, "links", "import", tmp_path / "out.csv", "--allow-unknown")[1] == \
            "0 new, 0 changed, 3 as they were\n"
        assert ctl(place, "links", "import", tmp_path / "none.csv")[0] == 1


def test_a_whole_company_in_one_call(tmp_path):
    """After kill -9 all of it is there; of a call that would be too many nothing is."""
    with Place(tmp_path) as place:
        file = tmp_path / "links.csv"
        file.write_text("kind,value,user_id\n" + "".join(
            f"card,{i:08X},usr_{i % 10 + 1:06d}\n" for i in range(100000)))
        code, out, err = ctl(place, "links", "import", file)
        assert (code, err) == (0, "") and out.startswith("100000 new"), err
        place.gateway.kill()
        place.gateway.start()
        place.gateway.wait_connected()
        assert place.send(punch("1", "0001869f", user_kind="card"))[0]["status"] == "queued"
        assert ctl(place, "links", "export")[1].count("\r\n") == 100001
        for kind, wanted in (("pin", 0), ("email", 1)):
            file.write_text("kind,value,user_id\n" + "".join(f"{kind},{i},usr_000001\n" for i in range(100000)))
            code, out, err = ctl(place, "links", "import", file)
            assert code == wanted, err
        assert "may be 250000 links at most" in err
        assert place.send([punch("2", "5", 1), punch("3", "5", 2, user_kind="email")]) == [
            {"id": "2", "status": "queued", "name": place.gateway.get("/v1/links")["data"][0]["name"]},
            {"id": "3", "status": "held", "reason": "unknown_user"}]


def test_the_lobby(tmp_path):
    """Whom it is about, how many wait, and since when; one link and forty go."""
    with Place(tmp_path, devices=f"{SERIAL},{OTHER}") as place, Hand(place.broker.port, OTHER) as other, \
            Hand(place.broker.port, "STRANGE") as strange:
        assert ctl(place, "lobby")[1] == "nothing waits\n"
        place.send(taps(30, "1001") + [punch("s", "7", user_kind="slot")])
        more = taps(10, "1001", "o") + [punch("s", "7", 1, user_kind="slot")]
        other.send(more)
        other.wait_acked(more)
        lost = [punch("1", "usr_000001"), punch("2", "77", 1)]
        strange.send(lost)
        strange.wait_acked(lost)

        def lobby():
            return [(g["who"], g["devices"], g["reason"], g["count"])
                    for g in json.loads(ctl(place, "--json", "lobby")[1])["data"]]

        found = lobby()
        assert found[:2] == [("pin:1001", [SERIAL, OTHER], "unknown_user", 40),
                             (None, ["STRANGE"], "unknown_device", 2)]
        assert sorted(found[2:]) == [("slot:7", [SERIAL], "unknown_user", 1),
                                     ("slot:7", [OTHER], "unknown_user", 1)]
        row = ctl(place, "lobby")[1].splitlines()[1].split()
        assert row[:7] == ["pin:1001", SERIAL, "and", "1", "more", "unknown_user", "40"]
        group = max(place.gateway.get("/v1/lobby")["data"], key=lambda g: g["count"])
        assert group["since"] <= group["newest"] and group["count"] == 30
        assert ctl(place, "link", "pin:1001", "usr_000003")[0] == 0
        place.gateway.wait_delivered(40)
        assert len(lobby()) == 3


def test_a_full_lobby_comes_in_pages(tmp_path):
    with Place(tmp_path) as place:
        many = [punch(f"{i:05d}", str(i % 50), minute=i // 50 * 2) for i in range(20010)]
        place.hand.send_all(many, batch=100)
        place.gateway.wait_status(lambda s: s["queue"]["held"] == 20010, "all are held")
        first = place.gateway.get("/v1/lobby")
        assert sum(g["count"] for g in first["data"]) == 20000
        second = place.gateway.get(f"/v1/lobby?after={first['meta']['next']}")
        assert (sum(g["count"] for g in second["data"]), second["meta"]["next"]) == (10, None)
        groups = json.loads(ctl(place, "--json", "lobby")[1])["data"]
        assert len(groups) == 50 and sum(g["count"] for g in groups) == 20010
        assert place.gateway.request("GET", "/v1/lobby?after=x")[0] == 400
