"""What is written is what the programs have: keys and defaults of punchd -p in the shipped file and
the man page, the control socket's routes and their parameters in theirs."""
import re
import subprocess

import pytest

from conftest import ROOT


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


def test_the_man_page_has_every_option(build):
    usage = subprocess.run([build / "punchd", "-h"], check=True, text=True, capture_output=True).stdout
    told = {tuple(re.findall(r"(?<![\w-])-{1,2}(\w+)", left))
            for left in re.findall(r"(?m)^  (-.*?)  ", usage)}
    page = (ROOT / "man/punchd.8").read_text()
    part = page.split("The options are:")[1].split("\n.El")[0]
    shown = {tuple(word.lstrip("-") for word in re.sub(r"Ar \w+", "", line).replace(",", "").split())
             for line in re.findall(r"(?m)^\.It Fl (.*)$", part)}
    assert shown == told and len(told) == 5
    # each letter in the synopsis, too
    synopsis = page.split(".Sh SYNOPSIS")[1].split(".Sh ")[0]
    assert set(re.findall(r"\b(\w)\b", synopsis)) == {option[0] for option in told}


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
                                                                 "value", "note", "after"}
    assert shown == routes()


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
