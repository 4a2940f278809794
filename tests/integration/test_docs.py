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
        if m := re.fullmatch(r"\.Ss \[(\w+)( Qo NAME Qc )?\]", line):
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
                                                                 "value", "note", "after"}
    assert shown == routes()
