"""punch-report-pdf: the table that comes out of it is the report that went in, in every script, and from
input at fault comes nothing but a line that says what is wrong."""
import json
import random
import subprocess

import pytest

import pdftable
from conftest import BUILD

PROGRAM = BUILD / "punch-report-pdf"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="built --without-report")

NAMES = ["John Doe", "आरव शर्मा", "प्रियंका चट्टोपाध्याय", "محمد عبد الله الأحمد", "فاطمة الزهراء", "王小明",
         "田中さくら", "김철수", "Ðorđe Ñuñez", "Владимир Иванов", "שלום כהן", "สมชาย ใจดี", "ক্ষিতিমোহন সেন",
         "தமிழ்ச்செல்வன்", "Ο Αλέξανδρος", "Maximiliane Theresia Wilhelmina von und zu Hohenstein-Sigmaringen",
         "<b>&amp;</b> \"quoted\", =1+1", "A" * 100]
DEPARTMENTS = ["Sales", "Engineering and Infrastructure Operations", "قسم المبيعات", "营业部", None, "विक्रय विभाग"]


def report(count, seed=1, **more):
    rng = random.Random(seed)
    users = []
    for n in range(1, count + 1):
        present = rng.randint(0, 22)
        users.append({"id": f"usr_{n:06}", "name": rng.choice(NAMES), "department": rng.choice(DEPARTMENTS),
                      "attendance": {"present_days": present, "absent_days": 22 - present,
                                     "late_days": rng.randint(0, present),
                                     "early_departure_days": rng.randint(0, present),
                                     "attendance_percentage": round(present / 22 * 100, 2)}})
    return {"report_id": "rep_0123456789abcdef", "start_date": "2023-01-01", "end_date": "2023-01-31",
            "department": None, "generated_at": "2023-02-01T08:00:00Z",
            "summary": {"total_users": count, "total_days": 31, "working_days": 22,
                        "average_attendance": 95.45}, "users": users, **more}


def make(document, *options, check=True):
    """(exit status, PDF, stderr)"""
    given = document if isinstance(document, bytes) else json.dumps(document).encode()
    done = subprocess.run([PROGRAM, *options], input=given, capture_output=True)
    assert not check or done.returncode == 0, done.stderr
    return done.returncode, done.stdout, done.stderr.decode()


def wanted(user):
    a = user["attendance"]
    return [pdftable.letters(user["id"]), pdftable.letters(user["name"]),
            pdftable.letters(user["department"] or ""), str(a["present_days"]), str(a["absent_days"]),
            str(a["late_days"]), str(a["early_departure_days"]), f"{a['attendance_percentage']:.2f}%"]


@pytest.mark.parametrize("count,paper", [(1, "a4"), (200, "a4"), (120, "letter")])
def test_the_table_is_the_report(tmp_path, count, paper):
    document = report(count, seed=count)
    pdf = tmp_path / "report.pdf"
    _, out, err = make({"data": document}, "-o", pdf, "--paper", paper)
    assert (out, err) == (b"", "")
    pages, rows = pdftable.read(pdf)
    assert [[pdftable.letters(cell) for cell in row] for row in rows] == [wanted(u) for u in document["users"]]
    text = pdftable.text(pdf)
    for page in range(1, pages + 1):
        assert text.count(f"Page {page} of {pages}") == 1
    assert pages == 1 if count == 1 else pages > 3


def test_nobody_is_lost_among_many(tmp_path):
    document = report(3000)
    pdf = tmp_path / "report.pdf"
    make(document, "-o", pdf)
    ids = [word for word in pdftable.text(pdf, "-raw").split() if word.startswith("usr_")]
    assert ids == [user["id"] for user in document["users"]]


def test_the_head(tmp_path):
    pdf = tmp_path / "report.pdf"
    completeness = {"queued": 3, "held": 1, "parked": 0, "in_doubt": 0, "users_synced_at": "2023-01-28T07:00:00Z",
                    "complete_from": None,
                    "silent_terminals": [{"serial": "BIO-FP-002", "since": "2023-01-20T12:34:56Z"}]}
    make(report(2, department="قسم المبيعات", completeness=completeness), "-o", pdf)
    text = pdftable.text(pdf, "-layout")
    for said in ("Attendance report", "2023-01-01 to 2023-01-31", "95.45 %", "working days", "How complete this is",
                 "3 punches are counted, but still on their way to the cloud.", "1 punch is held until",
                 "Terminal BIO-FP-002 has been silent since 2023-01-20 12:34 UTC", "(4 days before this report)",
                 "generated 2023-02-01 08:00 UTC", "rep_0123456789abcdef"):
        assert said in text
    assert pdftable.letters("قسم المبيعات") in [pdftable.letters(line) for line in text.splitlines()]
    info = subprocess.run(["pdfinfo", "-isodates", pdf], check=True, text=True, capture_output=True).stdout
    assert "Attendance report, 2023-01-01 to 2023-01-31, قسم المبيعات" in info
    assert "CreationDate:    2023-02-01T08:00:00Z" in info
    assert "How complete" not in pdftable.text(_written(tmp_path, report(2)), "-layout")


def _written(tmp_path, document):
    path = tmp_path / "other.pdf"
    make(document, "-o", path)
    return path


def test_the_same_report_gives_the_same_bytes():
    document = report(50)
    assert make(document)[1] == make(document)[1]
    del document["generated_at"]
    assert b"/CreationDate" not in make(document)[1]


def test_nobody(tmp_path):
    assert "Nobody is in this report." in pdftable.text(_written(tmp_path, report(0)))


def test_a_letter_without_a_font_is_told():
    document = report(1)
    document["users"][0]["name"] = "\U00010c80 Attila"  # Old Hungarian
    code, out, err = make(document)
    if err:  # no font of this machine has it
        assert "no font is installed for 1 of the letters" in err and "fonts-noto-core" in err
    assert code == 0 and out.startswith(b"%PDF")


def test_without_any_font(tmp_path):
    empty = tmp_path / "fonts.conf"
    empty.write_text('<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>')
    done = subprocess.run([PROGRAM], input=json.dumps(report(1)).encode(), capture_output=True,
                          env={"FONTCONFIG_FILE": str(empty)})
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"punch-report-pdf: no font is installed; install fonts-noto-core\n"


# ---- input at fault

WHOLE = json.dumps(report(20)).encode()


@pytest.mark.parametrize("given,said", [
    (b"", "there is nothing to read"),
    (b"<html><body>502 Bad Gateway</body></html>", "this is no JSON"),
    (WHOLE[:len(WHOLE) // 2], "this is no JSON"),
    (WHOLE + b"x", "this is no JSON"),
    (WHOLE.replace(b"John", b"J\xffhn"), "this is no JSON"),
    (b"[" * 100000, "nests deeper than 8"),
    (b"[" + b"[]," * 600000 + b"[]]", "more than 1000000 values"),
    (b" " * (16 * 1024 * 1024 + 1), "the report is over 16 MiB"),
    (WHOLE.replace(b'"2023-01-31"', b'"2023-01-32"'), "end_date is no day, YYYY-MM-DD"),
    (json.dumps({"error": {"code": "not_found"}}).encode(), "start_date is no text"),
], ids=["empty", "html", "half", "more", "no-utf8", "deep", "many", "large", "no-day", "error"])
@pytest.mark.parametrize("to_file", [False, True])
def test_input_at_fault(tmp_path, given, said, to_file):
    """Nothing is written, and what was there is as it was."""
    pdf = tmp_path / "report.pdf"
    pdf.write_text("an older one")
    code, out, err = make(given, *(["-o", pdf] if to_file else []), check=False)
    assert (code, out) == (1, b"")
    assert err.startswith("punch-report-pdf: ") and said in err and err.count("\n") == 1
    assert pdf.read_text() == "an older one" and list(tmp_path.iterdir()) == [pdf]


@pytest.mark.parametrize("options", [["--paper", "a5"], ["--paper"], ["--nonsense"], ["report.json"], ["-o", ""]])
def test_usage(options):
    code, out, err = make(report(1), *options, check=False)
    assert (code, out) == (2, b"") and "--help" in err


def test_where_it_cannot_be_written(tmp_path):
    assert make(report(1), "-o", tmp_path / "nowhere/report.pdf", check=False)[0] == 1
    assert make(report(1), "-o", tmp_path, check=False)[0] == 1
    code, _, err = make(report(1), "-o", "/dev/full", check=False)
    assert code == 1 and "/dev/full: No space left on device" in err
    assert list(tmp_path.iterdir()) == []
