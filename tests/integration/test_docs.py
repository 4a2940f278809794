"""What is written is what the programs have: keys and defaults of punchd -p in the shipped file and
the man page, the control socket's routes and their parameters in theirs."""
import json
import re
import subprocess

import pytest

from conftest import ROOT
from test_webhook import Told


UNITS = {"ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000}


def same_value(text):
    """60s and 1m are the same."""
    if m := re.fullmatch(r"(\d+)(ms|s|m|h|d)", text):
        return int(m[1]) * UNITS[m[2]]
    return text


@pytest.fixture(scope="module")
def defaults(build, tmp_path_factory):
    """{(section, key): default} as the daemon prints them for an empty file."""
    empty = tmp_path_factory.mktemp("conf") / "punchd.conf"
    empty.write_text("")
    out = subprocess.run([build / "punchd", "-c", empty, "-p"], check=True, text=True,
                         capture_output=True).stdout
    found, section = {}, None
    for line in out.splitlines():
        if line.startswith("["):
            section = line[1:-1]
        elif " = " in line or line.endswith(" ="):
            key, _, value = line.partition(" =")
            found[section, key] = same_value(value.strip())
    assert len(found) > 20
    return found


def test_the_shipped_file_shows_every_default(defaults):
    shown, section = {}, None
    for line in (ROOT / "etc/punchd.conf").read_text().splitlines():
        if line.startswith("["):
            section = line[1:-1]
        elif line.startswith(";"):
            key, _, value = line[1:].partition("=")
            shown[section, key.strip()] = same_value(value.strip())
    assert shown == defaults


def test_the_shipped_file_is_good_as_it_is_and_uncommented(build, tmp_path):
    text = (ROOT / "etc/punchd.conf").read_text()
    for name, content in (("as.conf", text), ("un.conf", re.sub("(?m)^;", "", text))):
        path = tmp_path / name
        path.write_text(content)
        assert subprocess.run([build / "punchd", "-c", path, "-t"]).returncode == 0, name


def test_the_man_page_has_every_key_with_its_default(defaults):
    shown, section = {}, None
    for line in (ROOT / "man/punchd.conf.5").read_text().splitlines():
        if m := re.match(r"\.Ss \[(\w+)", line):
            section = m[1]
        elif m := re.fullmatch(r"\.It Ic (\w+) No = ?(.*)", line):
            shown[section, m[1]] = same_value(m[2])
    assert shown == defaults


def routes():
    """{"GET /v1/punches": {parameters}} of the table in the source."""
    table = (ROOT / "src/daemon/control.c").read_text().split("routes[] = {")[1].split("};")[0]
    found = re.findall(r'\{"(\w+)", "([^"]+)", \w+, \w+,\s*"([^"]*)"\}', table)
    assert len(found) == table.count("{\"") > 5
    return {f"{method} {path}": set(query.split()) for method, path, query in found}


def test_the_man_page_has_every_route_with_its_parameters():
    section = (ROOT / "man/punchd.8").read_text().split(".Sh CONTROL SOCKET")[1].split(".Sh ")[0]
    shown = {}
    for part in section.split("\n.It Cm ")[1:]:
        route, _, text = part.partition("\n")
        shown[route] = {word for line in re.findall(r"(?m)^\.Ic (.*)", text)
                        for word in re.findall(r"\w+", line)} & {"state", "reason", "user", "device",
                                                                 "from", "to", "limit", "before",
                                                                 "in_doubt", "q", "kind",
                                                                 "value", "note", "after", "all",
                                                                 "id", "email", "force", "start_date",
                                                                 "end_date", "user_id", "department",
                                                                 "format", "source"}
    assert shown == routes()


def test_no_quotation_mark_of_a_page_is_lost():
    """mdoc takes one at the beginning of a word for itself, and what is shown lacks both."""
    lost = [f"{page.name}: {line}" for page in (ROOT / "man").iterdir()
            for line in page.read_text().splitlines()
            if re.match(r'\.[A-Z][a-z] (.* )?"[^"]*"[^ ]', line)]
    assert lost == []


# ---- punchd(8): its words are those of the tables

DAEMON_PAGE = ROOT / "man/punchd.8"


def section(name):
    return DAEMON_PAGE.read_text().split(f".Sh {name}\n")[1].split("\n.Sh ")[0]


def lists(text):
    """[(depth, [words of the item])] of all items that name words, in order."""
    found, depth = [], 0
    for line in text.splitlines():
        depth += line.startswith(".Bl ") - line.startswith(".El")
        if m := re.match(r"\.It Ic ([^P\n]*?)(?: Pq (\w+))?$", line):
            found.append((depth, m[1].split(" , "), m[2]))
    return found


def table(path, name):
    """The words of a table in the sources."""
    body = re.search(rf"\b{name}\[\w*\] = \{{(.*?)\}};", (ROOT / path).read_text(), re.S)[1]
    return re.findall(r'"(\w+)"', body)


def test_the_page_has_every_option_of_punchd(build):
    usage = subprocess.run([build / "punchd", "-h"], check=True, text=True,
                           capture_output=True).stdout
    known = set(re.findall(r"(?m)^  (-\w)", usage)) | set(re.findall(r"--\w+", usage))
    shown = set()
    for line in re.findall(r"(?m)^\.It Fl (.*)$", section("DESCRIPTION")):
        shown |= {f"-{word}" for word in line.split(" Ar ")[0].split(" , ")}
    assert shown == known
    synopsis = section("SYNOPSIS")
    assert set(re.findall(r"\b(\w)\b", synopsis)) == {o[1] for o in known if o[1] != "-"}


def test_the_page_has_every_state_and_reason():
    items = lists(section("WHAT HAPPENS TO A PUNCH"))
    states = [word for depth, words, _ in items if depth == 1 for word in words]
    assert sorted(states) == sorted(table("src/core/punch.c", "states"))
    reasons = {word for depth, words, _ in items if depth == 2 for word in words}
    assert {r for r in reasons if not r.startswith("api_")} == set(table("src/core/punch.c", "reasons"))
    hints = re.search(r"#define REASONS (.*?)\n\n", (ROOT / "src/ctl/vocabulary.c").read_text(), re.S)[1]
    assert reasons == {word for part in re.findall(r'"(.*?)"', hints) for word in part.split()}


def test_each_reason_stands_under_its_state():
    groups = re.search(r"enum punch_reason \{(.*?)\};", (ROOT / "src/core/punch.h").read_text(), re.S)[1]
    wanted, state = {}, None
    for line in groups.splitlines():
        if m := re.match(r"\s*/\* (\w+) \*/", line):
            state = m[1]
        elif (m := re.match(r"\s*REASON_(\w+) = [1-9]\d*,", line)) and state and m[1] != "API":
            wanted.setdefault(state, set()).add(m[1].lower())
    shown, state = {}, None
    for depth, words, _ in lists(section("WHAT HAPPENS TO A PUNCH")):
        if depth == 1:
            state = words[0]
        else:
            shown.setdefault(state, set()).update(w for w in words if not w.startswith("api_"))
    # By setting these two park as well.
    shown["parked"] -= {"unknown_user", "unknown_device"}
    assert shown == wanted


def test_the_page_has_every_alarm_with_its_severity():
    body = re.search(r"kinds\[ALARM_COUNT_\] = \{(.*?)\};",
                     (ROOT / "src/daemon/alarms.c").read_text(), re.S)[1]
    known = {code: "critical" if critical == "true" else "warning"
             for code, critical in re.findall(r'\{"(\w+)", (true|false)\}', body)}
    assert len(known) > 10
    assert {words[0]: severity for _, words, severity in lists(section("TROUBLE"))} == known


def test_the_page_has_every_flag_and_event_and_outcome():
    view = (ROOT / "src/daemon/view.c").read_text()
    text = section("A PUNCH")
    flags = re.findall(r'\{FLAG_\w+, "(\w+)"\}', view) + ["sent_again"]
    assert f'json_string("{flags[-1]}")' in view
    assert [w for d, words, _ in lists(text) if d == 2 for w in words] == flags
    events = set(re.findall(r'add_entry\(\w+, "(\w+)"', view))
    trace = text.split(".Ic trace\n")[1]
    assert {words[0] for _, words, _ in lists(trace)} == events
    outcomes = re.findall(r'case API_\w+: return "(\w+)"', (ROOT / "src/api/outcome.c").read_text())
    assert re.findall(r"(?m)^\.Ql (\w+)(?: [,;])?$", trace.split(".It Ic hand")[0]) == outcomes


def names_of(document, before=""):
    """Every name in a document: a.b, and a[].b where a is a list of objects."""
    for key, value in document.items():
        if isinstance(value, dict):
            yield from names_of(value, f"{before}{key}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield from names_of(value[0], f"{before}{key}[].")
        else:
            yield before + key


def named(text):
    """The same of a list in the page: `a.b , c` is a.b and a.c."""
    found = set()
    for depth, words, _ in lists(text):
        if depth > 1:
            continue
        within = ""
        for word in words:
            if "." in word:
                within = word[:word.rindex(".") + 1]
            found.add(word if "." in word else within + word)
    return found


def test_the_page_has_every_name_of_the_status_and_of_a_punch(tmp_path):
    with Told(tmp_path) as place:
        sent = [{"id": "1", "user": "usr_000001"}, {"id": "2", "user": 7}, {"id": "3", "user": "1001"}]
        for punch in sent:
            place.send(punch)
        place.gateway.request("POST", "/v1/pause")
        place.gateway.wait_alarm("held")
        status, punches = place.gateway.status(), place.gateway.punches()
    assert set(names_of(status)) == named(section("THE STATUS"))
    shown = {name for punch in punches for name in names_of(punch)} - {"user", "error"}
    assert shown == named(section("A PUNCH").split(".Ic trace\n")[0])


# ---- punchd-profile(5)

PROFILE_PAGE = ROOT / "man/punchd-profile.5"
SECTIONS = {"profile": "Profile", "load_time": "time", "load_direction": "direction",
            "load_live": "live", "load_ack": "ack", "load_reply": "replies",
            "load_presence": "presence", "load_clock": "clock"}


def c_words(text):
    return re.findall(r'"(\w+)"', text)


def loader():
    return (ROOT / "src/core/profile_load.c").read_text()


def profile_keys():
    """{section: [keys]} of the loader's tables: the profile's own, and one in each function."""
    found = {"Profile": c_words(re.search(r"profile_keys\[\] = \{(.*?)\}", loader(), re.S)[1])}
    for name, body in re.findall(r"(?ms)^static \S+ \*?(load_\w+)\(.*?\n\{\n(.*?)^\}", loader()):
        if m := re.search(r"\bkeys\[\] = \{(.*?)\}", body, re.S):
            found[SECTIONS[name]] = c_words(m[1])
    assert len(re.findall(r"\w*keys\[\] = ", loader())) == len(found) == len(SECTIONS)
    return found


def profile_sections():
    """{name: text} of the part about keys."""
    part = PROFILE_PAGE.read_text().split("\n.Sh KEYS\n")[1].split("\n.Sh ")[0]
    return {name: text for name, text in re.findall(r"(?ms)^\.Ss (\w+)\n(.*?)(?=^\.Ss |\Z)", part)}


def items(text):
    """What stands as an item of the outer list: those of inner ones are words, no keys."""
    outer, depth = [], 0
    for line in text.splitlines():
        depth += line.startswith(".Bl ") - line.startswith(".El")
        if depth == 1 and line.startswith(".It "):
            outer += re.findall(r"Ic (\w+)", line)
    return outer


def test_the_profile_page_has_every_key():
    sections = profile_sections()
    for name, keys in profile_keys().items():
        assert sorted(items(sections[name])) == sorted(keys), name


def test_the_profile_page_has_every_word_and_limit():
    text, page = loader(), PROFILE_PAGE.read_text()
    lists = re.findall(r"static const char \*const (\w+)\[\] = \{(.*?)\}", text, re.S)
    words = {word for name, values in lists if "keys" not in name for word in c_words(values)}
    assert {"json", "accept", "message", "rejected", "UTC", "received"} <= words
    for word in words:
        assert re.search(rf"(?m)^\.(?:It )?Ic {word}\b", page), word
    limits = re.findall(r'check_number\(c, [^"]+"(\w+)", (\w+), (\w+), (-?\w+)\)', text)
    assert len(limits) == text.count("check_number(")
    known = {"YEAR_S": 366 * 86400, "WEEK_S": 7 * 86400}
    for key, low, high, _ in limits:
        part = re.search(rf"(?ms)^\.It Ic {key} .*?(?=^\.It|^\.El)", page)[0]
        low, high = known.get(low, low), known.get(high, high)
        assert re.search(rf"\b{low} (to|or) {high}\b", part), key
    for key, _, _, default in limits:
        if int(default) > 0:
            assert re.search(rf"(?m)^\.It Ic {key} No .*default {default}\)", page), key


def test_the_profile_page_has_every_shipped_profile():
    part = PROFILE_PAGE.read_text().split("\n.Sh SHIPPED PROFILES\n")[1].split("\n.Sh ")[0]
    shown = dict(re.findall(r"(?m)^\.It (\S+)\n\.Pa (\S+)$", part))
    files = [json.loads(f.read_text()) for f in (ROOT / "etc/profiles").glob("*.json")]
    assert shown == {profile["name"]: profile["topic"] for profile in files}


def profile_faults():
    """Pieces of what is told of a profile, as the sources have it."""
    core = ROOT / "src/core"
    text = "".join((core / f"profile_{n}.c").read_text() for n in ("load", "check", "topic", "set"))
    for name, until in (("letter", "/* ---- what is inserted"), ("time", "/* Digits, and")):
        before, found, _ = (core / f"profile_{name}.c").read_text().partition(until)
        assert found
        text += before
    text = re.sub(r"(?s)/\*.*?\*/|#include.*?\n", "", text)
    literals = ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', m[0]))
                for m in re.finditer(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*', text)]
    for literal in literals:
        literal = literal.replace("\\n", "").replace('\\"', '"')
        for piece in re.split(r"%s|%lld|%d: |/\w*: ", literal):
            if len((piece := piece.strip(" :`,")).split()) > 1:
                yield piece


def test_the_profile_page_has_every_fault():
    shown = subprocess.run(["mandoc", "-Tutf8", "-Owidth=1000", PROFILE_PAGE], check=True, text=True,
                           capture_output=True).stdout
    shown = " ".join(re.sub(".\b", "", shown).replace("’", "'").split("DIAGNOSTICS")[-1].split())
    faults = set(profile_faults())
    assert len(faults) > 40
    assert {fault for fault in faults if fault not in shown} == set()


def test_the_profile_page_shows_what_punchctl_says(build, tmp_path):
    part = PROFILE_PAGE.read_text().split("\n.Sh EXAMPLES\n")[1].split("\n.Sh ")[0]
    profile, payload, said = re.findall(r"(?ms)^\.Bd -literal.*?\n(.*?)^\.Ed$", part)
    (tmp_path / "gate.json").write_text(profile)
    (tmp_path / "payload").write_text(payload)
    words = re.search(r"(?m)^\.Dl \$ punchctl (.*)$", part)[1].split()
    done = subprocess.run([build / "punchctl", *words], cwd=tmp_path, text=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    config = tmp_path / "punchd.conf"
    config.write_text(f"[mqtt]\nprofiles = gate\nprofile_dir = {tmp_path}\n")
    done = subprocess.run([build / "punchd", "-t", "-c", config], text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")
