"""punch-sandbox's reports: their settings, filters, formats and weight."""
import calendar
import csv
import datetime
import io
import json
import random
import sqlite3
import subprocess
import threading
import time
import zoneinfo

import pytest

from sandbox import Sandbox
from waiting import wait_for

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def report_path(start, end, **parameters):
    more = "".join(f"&{k}={v}" for k, v in parameters.items())
    return f"/reports/attendance?start_date={start}&end_date={end}{more}"


def utc_text(moment):
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---- settings: an oracle that shares nothing with the sandbox

def hundredths(part, whole):
    """part of whole in hundredths of a percent, half up, by whole numbers."""
    return (2 * part * 10000 + whole) // (2 * whole) / 100 if whole else 0


def oracle(records, start, end, zone, working, late_after, early_before):
    """Of each user: present, absent, late and early days, by local days."""
    days = [start + datetime.timedelta(i) for i in range((end - start).days + 1)]
    days = [d for d in days if DAYS[d.weekday()] in working]
    found = {}
    for user, kind, moment in records:
        local = moment.astimezone(zone)
        found.setdefault((user, local.date()), []).append((local.time(), kind))
    tally = {}
    for user in sorted({r[0] for r in records}):
        present = late = early = 0
        for day in days:
            ins = [t for t, kind in found.get((user, day), ()) if kind == "check_in"]
            outs = [t for t, kind in found.get((user, day), ()) if kind == "check_out"]
            present += bool(ins)
            late += bool(ins) and min(ins) > late_after
            early += bool(ins) and bool(outs) and max(outs) < early_before
        tally[user] = {"present_days": present, "absent_days": len(days) - present,
                       "late_days": late, "early_departure_days": early,
                       "attendance_percentage": hundredths(present, len(days))}
    return len(days), tally


@pytest.mark.parametrize("zone, working, late, early", [
    ("UTC", "mon tue wed thu fri", "09:15", "17:00"),
    ("Asia/Kolkata", "sun,mon,tue,wed,thu", "08:00", "16:30"),
    ("Europe/Berlin", "sat sun", "14:00", "23:59"),
    ("Pacific/Kiritimati", "mon tue wed thu fri sat sun", "00:00", "12:00"),
    ("America/St_Johns", "wed", "12:00", "12:01"),
])
def test_reports_go_by_their_settings(build, tmp_path, zone, working, late, early):
    """March has a change of clocks in some of these zones, the records are anywhere around it."""
    place = zoneinfo.ZoneInfo(zone)
    chance = random.Random(zone)
    first = datetime.datetime(2024, 2, 27, tzinfo=datetime.timezone.utc)
    records = [(f"usr_{chance.randint(1, 4):06}", chance.choice(["check_in", "check_out"]),
                first + datetime.timedelta(seconds=chance.randrange(36 * 86400)))
               for _ in range(400)]
    start, end = datetime.date(2024, 3, 1), datetime.date(2024, 3, 31)
    with Sandbox(build, tmp_path / "cloud", "--report-zone", zone, "--working-days", working,
                 "--late-after", late, "--early-before", early, users=4) as cloud:
        for user, kind, moment in records:
            cloud.post_attendance(user=user, kind=kind, timestamp=utc_text(moment))
        report = cloud.get(report_path(start, end)).data
    count, tally = oracle(records, start, end, place, working.replace(",", " ").split(),
                          datetime.time.fromisoformat(late), datetime.time.fromisoformat(early))
    assert report["summary"]["working_days"] == count
    assert {u["id"]: u["attendance"] for u in report["users"]} == tally
    present = sum(t["present_days"] for t in tally.values())
    assert report["summary"]["average_attendance"] == hundredths(present, 4 * count)
    assert sum(t["late_days"] for t in tally.values()) > 0
    assert sum(t["early_departure_days"] for t in tally.values()) > 0


def test_both_filters_hold_at_once(build, tmp_path):
    with Sandbox(build, tmp_path / "cloud", users=10) as cloud:
        sales = report_path("2023-01-01", "2023-01-31", department="Sales")
        assert [u["id"] for u in cloud.get(sales).data["users"]] == ["usr_000002", "usr_000007"]
        one = cloud.get(sales + "&user_id=usr_000007").data
        assert [u["id"] for u in one["users"]] == ["usr_000007"]
        none = cloud.get(sales + "&user_id=usr_000001").data
        assert none["users"] == [] and none["department"] == "Sales"
        assert none["summary"] == {"total_users": 0, "total_days": 31, "working_days": 22,
                                   "average_attendance": 0}
        answer = cloud.get(sales + "&user_id=usr_nobody")
        assert (answer.status, answer.error["code"], answer.error["param"],
                answer.error["type"]) == (404, "not_found", "user_id", "not_found_error")


# ---- formats

ODD = {"usr_f1": '=HYPERLINK("http://x","y")', "usr_f2": "+1", "usr_f3": "-2", "usr_f4": "@SUM(A1)",
       "usr_f5": "\tx", "usr_f6": "\rx", "usr_q": 'a "b", c', "usr_n": "two\nlines",
       "usr_u": "王小明 आशा", "usr_p": "O'Neil = fine"}


def test_csv_is_what_python_reads_and_no_formula(build, tmp_path):
    with Sandbox(build, tmp_path / "cloud", users=1) as cloud:
        for user_id, name in ODD.items():
            cloud.put_user(id=user_id, name=name, department=name)
        path = report_path("2023-01-01", "2023-01-31")
        document = cloud.get(path).data
        answer = cloud.get(path + "&format=csv")
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="attendance-2023-01-01_2023-01-31.csv"')
    rows = list(csv.reader(io.StringIO(answer.body.decode(), newline=""), strict=True))
    assert rows[0] == ["id", "name", "department", "present_days", "absent_days", "late_days",
                       "early_departure_days", "attendance_percentage"]
    assert len(rows) == len(document["users"]) + 1 and {len(row) for row in rows} == {8}
    for row, user in zip(rows[1:], document["users"]):
        for text, field in ((user["name"], row[1]), (user["department"], row[2])):
            assert field == ("'" if text[0] in "=+-@\t\r" else "") + text
            assert field[0] not in "=+-@\t\r"
        numbers = user["attendance"]
        assert row[3:7] == [str(numbers[k]) for k in (
            "present_days", "absent_days", "late_days", "early_departure_days")]
        assert float(row[7]) == numbers["attendance_percentage"]
    assert answer.body.count(b"\r\n") >= len(rows)


@pytest.fixture
def printer(tmp_path):
    """A program in the place of punch-report-pdf: printer(its shell text), the path."""
    def make(text):
        path = tmp_path / "printer"
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)
        return path

    return make


def test_without_the_program_501_names_its_package(build, tmp_path):
    with Sandbox(build, tmp_path / "cloud", "--pdf-program", tmp_path / "nothing") as cloud:
        answer = cloud.get(report_path("2023-01-01", "2023-01-31", format="pdf"))
        assert (answer.status, answer.error["code"], answer.error["param"],
                answer.error["type"]) == (501, "pdf_unavailable", "format", "api_error")
        assert "punchd-report" in answer.error["message"]


def test_the_program_gets_the_data_and_its_output_is_the_answer(build, tmp_path, printer):
    seen = tmp_path / "seen.json"
    program = printer(f'cat > {seen}; printf "%%PDF-1.7 made"\n')
    with Sandbox(build, tmp_path / "cloud", "--pdf-program", program, users=300) as cloud:
        answer = cloud.get(report_path("2023-01-01", "2023-01-31", format="pdf"))
        document = cloud.get(report_path("2023-01-01", "2023-01-31")).data
    assert (answer.status, answer.body) == (200, b"%PDF-1.7 made")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="attendance-2023-01-01_2023-01-31.pdf"')
    given = json.loads(seen.read_text())
    assert {**given, "report_id": 0, "generated_at": 0} == {**document, "report_id": 0,
                                                            "generated_at": 0}


def test_the_real_program_makes_a_pdf_of_it(build, tmp_path):
    with Sandbox(build, tmp_path / "cloud", "--pdf-program", build / "punch-report-pdf",
                 users=60) as cloud:
        cloud.post_attendance()
        answer = cloud.get(report_path("2023-01-01", "2023-01-31", format="pdf"))
    assert answer.status == 200 and answer.body.startswith(b"%PDF-")
    text = subprocess.run(["pdftotext", "-layout", "-", "-"], input=answer.body,
                          capture_output=True, check=True).stdout.decode()
    assert "2023-01-01" in text and "usr_000060" in text and "4.55 %" in text


@pytest.mark.parametrize("text, words", [
    ("echo 'no font' >&2; exit 1\n", "no font"), ("cat >/dev/null\n", "nothing"),
    ("kill -9 $$\n", "signal 9"), ("exit 3\n", "status 3"),
])
def test_a_program_that_fails_is_told(build, tmp_path, printer, text, words):
    with Sandbox(build, tmp_path / "cloud", "--pdf-program", printer(text), users=2000) as cloud:
        answer = cloud.get(report_path("2023-01-01", "2023-01-31", format="pdf"))
        assert (answer.status, answer.error["code"]) == (500, "internal_error")
        assert words in answer.error["message"]
        assert cloud.get("/users").status == 200


def test_a_slow_program_holds_up_nobody_and_few_run_at_once(build, tmp_path, printer):
    gate, started = tmp_path / "gate", tmp_path / "started"
    started.mkdir()
    program = printer(f'touch {started}/$$; cat >/dev/null; '
                      f'while [ ! -e {gate} ]; do sleep 0.02; done; echo x\n')
    with Sandbox(build, tmp_path / "cloud", "--pdf-program", program) as cloud:
        path = "/v1" + report_path("2023-01-01", "2023-01-31", format="pdf")
        headers = {"Authorization": "Bearer " + cloud.key}
        connections = [cloud.connect() for _ in range(5)]
        for connection in connections:
            connection.request("GET", path, headers=headers)
        cloud.wait_stats(lambda s: s["running"] == 5, "five reports to be asked for")
        wait_for(lambda: len(list(started.iterdir())) == 2, "two programs")
        connections.pop().close()
        assert [cloud.post_attendance().status for _ in range(50)] == [201] * 50
        assert len(list(started.iterdir())) == 2
        gate.touch()
        assert [c.getresponse().status for c in connections] == [200] * 4
        cloud.wait_stats(lambda s: s["running"] == 0, "the one that nobody reads to end")
        assert len(list(started.iterdir())) == 5


def test_it_ends_at_once_while_programs_run(build, tmp_path, printer):
    with Sandbox(build, tmp_path / "cloud", "--pdf-program", printer("sleep 600\n")) as cloud:
        for _ in range(4):
            cloud.connect().request(
                "GET", "/v1" + report_path("2023-01-01", "2023-01-31", format="pdf"),
                headers={"Authorization": "Bearer " + cloud.key})
        cloud.wait_stats(lambda s: s["running"] == 4, "four running reports")
        assert cloud.stop() == 0


# ---- weight

def fill(cloud, users, start, days):
    """A check-in and a check-out of each user and day, straight into the file."""
    cloud.stop()
    file = sqlite3.connect(cloud.directory / "data" / "sandbox.db")
    first = calendar.timegm(start.timetuple())
    file.execute("""
        WITH RECURSIVE day (d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM day WHERE d + 1 < ?2)
        INSERT INTO attendance (user_id, device_id, type, at, created_at)
        SELECT id, 'dev_000001', type, ?3 + d * 86400 + hour * 3600, ?3
        FROM (SELECT id FROM user ORDER BY n LIMIT ?1), day,
             (SELECT 'check_in' AS type, 8 AS hour UNION ALL SELECT 'check_out', 18)""",
                 (users, days, first))
    file.commit()
    file.close()
    cloud.start()


def test_other_requests_are_served_while_a_large_report_is_made(build, tmp_path):
    """Counted, not timed: a server that stands still until the report is there answers few."""
    users, days = 6000, 85
    with Sandbox(build, tmp_path / "cloud", users=users) as cloud:
        fill(cloud, users, datetime.date(2023, 1, 2), days)
        answers = []

        def ask():
            path = "/v1" + report_path("2023-01-01", "2023-03-31")
            answers.append(cloud.ask(cloud.connect(), "GET", path))

        thread = threading.Thread(target=ask)
        thread.start()
        while cloud.stats()["by_path"]["GET /reports/attendance"] == 0:
            pass
        served = 0
        while not answers:
            assert cloud.get("/devices").status == 200
            served += 1
        thread.join()
        assert served >= 10
        report = answers[0].data
        assert report["summary"]["total_users"] == len(report["users"]) == users
        assert {u["attendance"]["present_days"] for u in report["users"]} == {61}


if __name__ == "__main__":
    # 10,000 users over a year: how long it takes, and the longest wait of another request meanwhile.
    import pathlib
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as folder, Sandbox(
            pathlib.Path(sys.argv[1]), pathlib.Path(folder), users=10000) as cloud:
        fill(cloud, 10000, datetime.date(2023, 1, 1), 365)
        began, worst, count, done = time.monotonic(), 0, 0, []
        thread = threading.Thread(target=lambda: done.append(cloud.ask(
            cloud.connect(), "GET", "/v1" + report_path("2023-01-01", "2023-12-31"))))
        thread.start()
        while not done:
            at = time.monotonic()
            cloud.get("/devices")
            worst, count = max(worst, time.monotonic() - at), count + 1
        print(f"{time.monotonic() - began:.2f} s, meanwhile {count} others, the slowest "
              f"{worst * 1000:.1f} ms; {len(done[0].body)} bytes, {done[0].status}")
