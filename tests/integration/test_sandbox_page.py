"""The page of punch-sandbox at /: what it shows, and that what it shows is never markup."""
import html.parser
import re
import shutil
import subprocess

import pytest

from hookreceiver import Receiver
from sandbox import Sandbox

ATTACK = "<script>document.title = 'run'</script>"
CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--ignore-certificate-errors"]


@pytest.fixture
def cloud(build, tmp_path):
    receiver = Receiver()
    with Sandbox(build, tmp_path / "cloud", "--plan", "10", "--window", "24h", "--key",
                 "a-key-of-some-length", "--attendance-key", "punches-alone", "--webhook",
                 receiver.url, "--fault", "slow=1ms,path=/devices", users=60) as sandbox:
        yield sandbox
    receiver.close()


def page(cloud, path):
    return cloud.ask(cloud.connect(), "GET", path, api_key=False)


def overview(cloud):
    return page(cloud, "/_sandbox/overview").data


def test_it_needs_nothing_from_outside_and_runs_no_other_script(cloud):
    answer = page(cloud, "/")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(p.strip().split(" ", 1) for p in
                  answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    seen = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            attrs = dict(attrs)
            assert not [a for a in attrs if a.startswith("on") or a == "style"]
            assert tag != "style" and (tag != "script" or attrs.get("src"))
            seen.extend(attrs[a] for a in ("src", "href") if a in attrs)

    Reader().feed(answer.body.decode())
    assert sorted(seen) == ["/_sandbox/overview", "/_sandbox/script.js", "/_sandbox/style.css",
                            "data:,"]
    for path, kind in (("/_sandbox/script.js", "text/javascript"),
                       ("/_sandbox/style.css", "text/css")):
        got = page(cloud, path)
        assert got.status == 200 and got.headers["Content-Type"].startswith(kind)
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(rb"https?://|innerHTML|insertAdjacent|document\.write|eval\(",
                             got.body)
    assert page(cloud, "/index.html").status == 404
    assert cloud.ask(cloud.connect(), "POST", "/", "{}").status == 405


def test_what_it_shows(cloud):
    for n in range(3):
        cloud.post_attendance(user=f"usr_00000{n + 1}")
    cloud.put_user(id="usr_000003", name=ATTACK)
    cloud.remove_user("usr_000002")
    cloud.wait_stats(lambda s: s["webhook"]["waiting"] == 0, "the events")
    shown = overview(cloud)
    assert [(r["user_id"], r["user_name"]) for r in shown["records"]] == [
        ("usr_000003", ATTACK), ("usr_000002", "आशा शर्मा"), ("usr_000001", "Asha Okafor")]
    assert {r["serial_number"] for r in shown["records"]} == {"BIO-FP-001"}
    assert (shown["records_total"], shown["users_total"], len(shown["users"])) == (3, 59, 50)
    assert shown["users"][0] == cloud.get("/users?offset=58").data[0]
    keys = {k["key"]: (k["may"], k["limit"], k["remaining"]) for k in shown["keys"]}
    assert keys == {"san…": ("all", 10, 7), "a-ke…": ("all", 10, 10),
                    "punc…": ("attendance", 10, 10)}
    assert [f["spec"] for f in shown["faults"]] == ["slow=1ms,path=/devices"]
    assert shown["webhook"]["delivered"] == 4 and "secret" not in shown["webhook"]["to"]
    assert [e["type"] for e in shown["events"]][:2] == ["user.updated", "attendance.created"]
    text = page(cloud, "/_sandbox/overview").body
    for secret in (b"sandbox-key", b"a-key-of-some-length", b"punches-alone", b"webhook/secret"):
        assert secret not in text


def test_looking_costs_nothing_of_the_plan(cloud):
    cloud.get("/users")
    for _ in range(20):
        page(cloud, "/")
        overview(cloud)
    assert {k["remaining"] for k in overview(cloud)["keys"]} == {9, 10}
    assert cloud.stats()["requests"] == 1


@pytest.mark.skipif(not shutil.which("chromium"), reason="there is no chromium here")
def test_a_browser_shows_names_as_text(cloud, tmp_path):
    cloud.put_user(id="usr_evil", name=ATTACK, department="<img src=x onerror=document.title='run'>")
    cloud.post_attendance(user="usr_evil")
    run = subprocess.run(
        [*CHROMIUM, f"--user-data-dir={tmp_path / 'chromium'}", "--virtual-time-budget=3000",
         "--dump-dom", f"https://127.0.0.1:{cloud.port}/"],
        capture_output=True, text=True, timeout=120, check=True)
    assert "<title>punch-sandbox</title>" in run.stdout, "no script of a name has run"
    assert "&lt;script&gt;document.title = 'run'&lt;/script&gt;" in run.stdout
    assert "&lt;img src=x" in run.stdout and "<img" not in run.stdout
    for words in ("usr_000060", "BIO-FP-001", "of 10 left until", "slow=1ms,path=/devices",
                  "attendance.created"):
        assert words in run.stdout
