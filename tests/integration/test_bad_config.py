"""What people get wrong in settings, through the real `punchd -t`: each kind with its file, its line and
what is said, alone and all of them at once."""
import base64
import os
import shutil
import stat
import subprocess

import pytest

from conftest import BUILD

PUNCHD = BUILD / "punchd"
LONG = "x" * 190


def run(*args, **kwargs):
    return subprocess.run([PUNCHD, *args], text=True, errors="surrogateescape", capture_output=True,
                          timeout=60, **kwargs)


class Kind:
    """A way to be wrong. text: the file. faults: (line, what is said), in order. late: the key whose
    fault shows only when everything is read, so that of all files only the last one counts."""

    def __init__(self, name, text, *faults, late=None):
        self.name, self.late, self.faults = name, late, faults
        self.text = text if isinstance(text, bytes) else text.encode()


def value(section, setting, said, late=None):
    """One bad value, in its third line."""
    key = setting.split("=")[0].strip()
    return Kind(setting[:60].replace("sEcReT", "*"), f"[{section}]\n\n{setting}\n", (3, f"{key}: {said}"), late=late)


A_PIN = "sha256//" + base64.b64encode(b"x" * 32).decode()

# Lines, sections and keys.
FORM = [
    Kind("an indented setting", "[api]\n  timeout = 5s\n", (2, "an indented line")),
    Kind("a setting behind a tab", "[api]\n\ttimeout = 5s\n", (2, "an indented line")),
    Kind("a line too long", f"[site]\nname = {LONG}\n", (2, "a line of more than 190 bytes")),
    Kind("a line one byte too long", f"[site]\nname={'x' * 186}\n", (2, "more than 190 bytes")),
    Kind("a comment too long", f"# {LONG}\n", (1, "more than 190 bytes")),
    Kind("a NUL", b"[site]\nname = a\0b\n", (2, "a NUL byte")),
    Kind("nothing but NULs", b"\0" * 5000, (1, "a NUL byte")),
    Kind("UTF-16, little endian", "[site]\nname = x\n".encode("utf-16"), (1, "the file is UTF-16")),
    Kind("UTF-16, big endian", "[site]\nname = x\n".encode("utf-16-be"), (1, "the file is UTF-16")),
    Kind("no ]", "[api\ntimeout = 1\n", (1, "a section ends with ]"), (2, "timeout: `1` is not")),
    Kind("something behind the ]", "[api] the cloud\n", (1, "a section ends with ] and nothing else")),
    Kind("a comment right behind the ]", "[api];x\n", (1, "a section ends with ] and nothing else")),
    Kind("no section", "port = 1883\n", (1, "before the first section: it belongs into [mqtt]")),
    Kind("an unknown section", "[nonsense]\nx = y\n", (1, "there is no section [nonsense]")),
    Kind("a mistyped section", "[Store]\nx = y\n", (1, "there is no section [Store]: [store]?")),
    Kind("a section of many", "[terminals]\n", (1, 'no section [terminals]: [terminal "NAME"]?')),
    Kind("an unknown key", "[log]\ncolour = red\n", (2, "there is no key `colour` in [log]")),
    Kind("a mistyped key", "[api]\nbase_ulr = x\n", (2, "there is no key `base_ulr` in [api]: base_url?")),
    Kind("a key in capitals", "[log]\nLEVEL = info\n", (2, "there is no key `LEVEL` in [log]: level?")),
    Kind("a key in another's section", "[api]\nhost = x\n",
         (2, "there is no key `host` in [api]: it belongs into [mqtt]")),
    Kind("a terminal's key elsewhere", "[site]\nserial = x\n",
         (2, 'there is no key `serial` in [site]: it belongs into [terminal "NAME"]')),
    Kind("a password in the settings", "[mqtt]\npassword = sEcReT\n",
         (2, "there is no key `password` in [mqtt]: password_file?")),
    Kind("a key twice", "[log]\nlevel = info\n[api]\n[log]\nlevel = debug\n",
         (5, "level: it is set in line 2 already")),
    Kind("no =", "[log]\nlevel debug\n", (2, "there is no = behind `level`")),
    Kind("words", "[log]\nplease log everything\n", (2, "neither a section nor a setting")),
    Kind("a line of an other kind of file", "[log]\n{\n", (2, "neither a section nor a setting")),
    Kind("Windows' line ends", b"\xef\xbb\xbf[log]\r\nlevel = loud\r\n\r\n[sync]\r\nusers = 1\r\n",
         (2, "level: `loud` is not error, warning, info or debug"), (5, "users: `1` is not")),
    Kind("control characters", "[log]\n\x1b[31mlevel = info\n", (2, "there is no key `?[31mlevel`")),
    Kind("quotation marks", '[log]\nlevel = "info"\n', (2, "level: a value stands without quotation")),
    Kind("a word processor's", "[mqtt]\nusername = “gw”\n", (2, "username: a value stands without")),
]

# [terminal "NAME"]
TERMINAL = [
    Kind("no quotation marks", "[terminal T1]\n", (1, 'is written [terminal "NAME"]')),
    Kind("no name", "[terminal]\n", (1, 'is written [terminal "NAME"]')),
    Kind("an empty name", '[terminal ""]\n', (1, 'is written [terminal "NAME"]')),
    Kind("other quotation marks", "[terminal “T1”]\n", (1, 'is written [terminal "NAME"]')),
    Kind("a name too long", f'[terminal "{"x" * 65}"]\n', (1, "1 to 64 bytes")),
    Kind("a key that it has not", '[terminal "T1"]\ngreet = no\n',
         (2, "there is no key `greet` in [terminal]: it belongs into [punches]")),
    Kind("a wrong direction", '[terminal "T2"]\ndirection = in\n', (2, "direction: `in` is not alternate,")),
    Kind("a window without unit", '[terminal "T3"]\ndouble_tap = 300\n', (2, "`300` is not a duration")),
    Kind("a zone of it that is none", '[terminal "T4"]\nserial = x\ntime_zone = CEST\n',
         (3, "time_zone: `CEST` is no zone that this system knows")),
    Kind("a key of it twice", '[terminal "T5"]\nserial = x\nserial = y\n',
         (3, "serial: it is set in line 2 already")),
]

VALUES = [
    value("api", "base_url = http://api.example.com/v1", "the API is reached over https only, not `http"),
    value("api", "base_url = https://sEcReT@api.example.com/v1", "what stands there is not a URL"),
    value("api", "base_url = https://api.example.com/v1?key=sEcReT", "what stands there is not a URL"),
    value("api", "base_url = https://api.example.com/v1/", "`https://api.example.com/v1/` is not a URL"),
    value("api", "base_url = api.example.com", "`api.example.com` is not a URL"),
    value("api", "base_url =", "it is empty, not a URL"),
    value("api", "key_file = sEcReT", "what stands there is not an absolute path; the secret itself lies"),
    value("api", "ca_file = ca.pem", "`ca.pem` is not an absolute path"),
    value("api", "plan = gold", "`gold` is not auto, basic, premium, enterprise or 1 to 1000000"),
    value("api", "timeout = 30", "`30` is not a duration from 100ms to 36500d, as 500ms 30s 5m 6h 90d: `30s`?"),
    value("api", "timeout = 30 s", "`30 s` is not a duration"),
    value("api", "timeout = 1ms", "`1ms` is not a duration from 100ms"),
    value("api", "retry_max = -5m", "`-5m` is not a duration"),
    value("api", "auth_retry = 99999999999999999999d", "`99999999999999999999d` is not a duration"),
    value("api", "retry_min = 213503982335d", "`213503982335d` is not a duration"),
    value("api", "max_in_flight = 257", "`257` is not a number from 1 to 256"),
    value("api", "max_in_flight = eight", "`eight` is not a number"),
    value("api", "in_doubt = drop", "`drop` is not resend or hold"),
    value("api", "proxy = ftp://gw:sEcReT@proxy.example", "what stands there is not none or a proxy's URL"),
    value("api", f"pinned_public_key = {A_PIN.replace('/', '_')}", "`sha256__"),
    value("api", "pinned_public_key = sha256//not-base64", "`sha256//not-base64` is not sha256// and"),
    value("mqtt", "host =", "it is empty, not a host's name or address"),
    value("mqtt", "host = mqtt://broker", "`mqtt://broker` is not a host's name or address"),
    value("mqtt", "host = mqtt://gw:sEcReT@broker", "what stands there is not a host's name"),
    value("mqtt", "host = broker:1883", "`broker:1883` is not a host's name or address"),
    value("mqtt", "port = 0", "`0` is not a number from 1 to 65535"),
    value("mqtt", "port = 65536", "`65536` is not a number from 1 to 65535"),
    value("mqtt", "port = mqtt", "`mqtt` is not a number from 1 to 65535"),
    value("mqtt", "port = 1883;the port", "`1883;the port` is not a number from 1 to 65535: a comment behind"),
    value("mqtt", "port = 1883 # the port", "`1883 # the port` is not a number from 1 to 65535: a comment"),
    value("mqtt", "keepalive = 1s", "`1s` is not a duration from 5s to 65535s"),
    value("mqtt", "topic_prefix = site/+/", "`site/+/` is not a topic's beginning"),
    value("mqtt", "topic_prefix = site#", "`site#` is not a topic's beginning"),
    value("mqtt", "profile_dir = profiles", "`profiles` is not an absolute path"),
    value("mqtt", "max_payload = 1G", "`1G` is not a size from 1K to 256M"),
    value("mqtt", "max_payload = 4MB", "`4MB` is not a size from 1K to 256M, as 64K 10M 2G: `4M`?"),
    value("mqtt", "username = a\x01b", "`a?b` is not a text in UTF-8 without control characters"),
    value("site", "name = plant/7", "`plant/7` is not a text without / + #"),
    value("site", "day_start = 25:00", "`25:00` is not a time of day from 00:00 to 23:59"),
    value("site", "day_start = 4am", "`4am` is not a time of day"),
    value("site", "working_days = monday tuesday", "`monday tuesday` is not days out of mon tue wed thu fri sat sun"),
    value("site", "working_days = mon mon", "`mon mon` is not days out of"),
    value("site", "working_days =", "it is empty, not days out of"),
    value("site", "holidays = 2026-02-29", "`2026-02-29` is not a list of days, as 2026-12-25, or 12-25 for each year"),
    value("site", "holidays = 25.12.2026", "`25.12.2026` is not a list of days"),
    value("site", "late_after = 9:15", "`9:15` is not a time of day"),
    value("site", "early_before = 24:00", "`24:00` is not a time of day"),
    value("site", "max_shift = 8d", "`8d` is not a duration from 0 to 7d"),
    value("punches", "direction = in", "`in` is not alternate, check_in, check_out or hold"),
    value("punches", "unknown_user = Hold", "`Hold` is not hold, forward or park: `hold`?"),
    value("punches", "inactive_device = park", "`park` is not hold or forward"),
    value("punches", "accept_from = 2026-02-01", "`2026-02-01` is not a time with its offset, as 2026-"),
    value("punches", "accept_from = 2026-02-01T08:00:00", "`2026-02-01T08:00:00` is not a time with its"),
    value("punches", "greet = true", "`true` is not yes or no: `yes`?"),
    value("punches", "greet = 0", "`0` is not yes or no: `no`?"),
    value("punches", "greet =", "it is empty, not yes or no"),
    value("store", "path = punchd.db", "`punchd.db` is not an absolute path"),
    value("store", "min_free = -1", "`-1` is not a size"),
    value("store", "min_free = 9999999999999G", "`9999999999999G` is not a size"),
    value("store", "min_free = 64m", "`64m` is not a size from 0 to 1048576G, as 64K 10M 2G: `64M`?"),
    value("control", "socket = punchd.sock", "`punchd.sock` is not an absolute path"),
    value("webhook", "listen = localhost:8481", "`localhost:8481` is not an address in numbers and a port, as 127"),
    value("webhook", "listen = 8481", "`8481` is not an address in numbers and a port"),
    value("webhook", "listen = 127.0.0.1", "`127.0.0.1` is not an address in numbers and a port"),
    value("webhook", "listen = 127.0.0.1:0", "`127.0.0.1:0` is not an address in numbers and a port"),
    value("webhook", "listen = ::1:8481", "`::1:8481` is not an address in numbers and a port"),
    value("webhook", "secret_file = sEcReT", "what stands there is not an absolute path; the secret itself lies"),
    value("webhook", "hmac_secret_file = sEcReT", "what stands there is not an absolute path; the secret"),
    value("webhook", "signature_header = X Signature", "`X Signature` is not an HTTP header's name"),
    value("webhook", "signature_header =", "it is empty, not an HTTP header's name"),
    value("webhook", "cert_file = cert.pem", "`cert.pem` is not an absolute path"),
    value("webhook", "key_file = key.pem", "what stands there is not an absolute path"),
    value("log", "level = warn", "`warn` is not error, warning, info or debug: `warning`?"),
    Kind("Latin-1", "[site]\nname = Köln\n".encode("latin-1"), (2, "name: `K?ln` is not a text")),
]

# What shows only when everything is read, and what only the machine can tell. FOLDER is the test's.
LATE = [
    Kind("retry_min over retry_max", "[api]\nretry_max = 1s\nretry_min = 2s\n",
         (3, "retry_min: is longer than retry_max"), late="retry"),
    Kind("retry_min over its default", "[api]\nretry_min = 1h\n", (2, "retry_min: is longer than retry_max"),
         late="retry"),
    Kind("half a second of keepalive", "[mqtt]\nkeepalive = 5500ms\n", (2, "in whole seconds"),
         late="keepalive"),
    *[Kind(f"password: {name}", f"[mqtt]\nusername = u\npassword_file = FOLDER/{name}\n",
           (3, f"password_file: FOLDER/{name}: {said}"), late="password") for name, said in (
        ("none", "there is no such file"), ("empty", "the file is empty"),
        ("newline", "the file is empty"), ("lines", "the file holds more than one line"),
        ("big", "the file is over 4 KiB"), ("folder", "it is no regular file"))],
    Kind("a password without a user", "[mqtt]\npassword_file = FOLDER/good\n",
         (2, "password_file: without username"), late="password"),
    *[Kind(f"a webhook's secret: {name}", f"[webhook]\nsecret_file = FOLDER/{name}\n",
           (2, f"secret_file: FOLDER/{name}: {said}"), late="webhook") for name, said in (
        ("none", "there is no such file"), ("empty", "the file is empty"),
        ("lines", "the file holds more than one line"), ("folder", "it is no regular file"),
        ("good", "a secret has at least 24 characters"), ("almost", "a secret has at least 24"),
        ("blanks", "a secret is of visible ASCII characters without blanks"))],
    Kind("a webhook without a secret", "[webhook]\nlisten = 127.0.0.1:8481\n",
         (2, "listen: without secret_file"), late="webhook"),
    Kind("a webhook for others without TLS",
         "[webhook]\nlisten = 0.0.0.0:8481\nsecret_file = FOLDER/secret\n",
         (2, "listen: others than this machine can reach it"), late="webhook"),
    Kind("a webhook for others without TLS, on IPv6",
         "[webhook]\nlisten = [::]:8481\nsecret_file = FOLDER/secret\n",
         (2, "listen: others than this machine can reach it"), late="webhook"),
    Kind("a signing secret that is too short", "[webhook]\nhmac_secret_file = FOLDER/almost\n",
         (2, "hmac_secret_file: FOLDER/almost: a secret has at least 24"), late="webhook"),
    Kind("a certificate without a key", "[webhook]\ncert_file = FOLDER/good\n",
         (2, "cert_file: without key_file"), late="webhook"),
    Kind("a key without a certificate", "[webhook]\nkey_file = FOLDER/good\n",
         (2, "key_file: without cert_file"), late="webhook"),
    Kind("a certificate that is none", "[webhook]\ncert_file = FOLDER/mock.pem\nkey_file = FOLDER/good\n",
         (2, "cert_file: FOLDER/mock.pem: no certificate"), late="webhook"),
    Kind("a certificate that is not there", "[webhook]\ncert_file = FOLDER/none\nkey_file = FOLDER/good\n",
         (2, "cert_file: FOLDER/none: no certificate: "), late="webhook"),
    Kind("no CA", "[api]\nca_file = FOLDER/none\n", (2, "ca_file: FOLDER/none: there is no such file"),
         late="ca"),
    Kind("a CA that is none", "[api]\nca_file = FOLDER/good\n",
         (2, "ca_file: FOLDER/good: it holds no certificate"), late="ca"),
    Kind("a CA that looks like one", "[api]\nca_file = FOLDER/mock.pem\n",
         (2, "ca_file: FOLDER/mock.pem: it holds no certificate"), late="ca"),
    Kind("a folder of CAs", "[api]\nca_file = FOLDER/folder\n", (2, "it is no regular file"), late="ca"),
    Kind("a zone that is none", "[site]\ntime_zone = Mars/Olympus\n",
         (2, "time_zone: `Mars/Olympus` is no zone that this system knows"), late="zone"),
    Kind("a zone with an offset", "[site]\ntime_zone = UTC+2\n", (2, "time_zone: `UTC+2` is no zone"),
         late="zone"),
    Kind("no profile", "[mqtt]\nprofiles =\n", (2, "profiles: it names none"), late="profiles"),
    Kind("an unknown profile", "[mqtt]\nprofiles = native nowhere\n",
         (2, "profiles: there is no profile `nowhere` in /etc/punchd/profiles, nor in /usr/share"),
         late="profiles"),
    Kind("a profile with a slash", "[mqtt]\nprofiles = ../x\n",
         (2, "profiles: `../x` is no profile's name"), late="profiles"),
    Kind("profiles with commas", "[mqtt]\nprofiles = native,gate\n",
         (2, "there is no profile `native,gate`"), late="profiles"),
    Kind("a profile that is no JSON", "[mqtt]\nprofile_dir = FOLDER/profiles\nprofiles = broken\n",
         (3, "profiles: FOLDER/profiles/broken.json: line 2: it is no JSON"), late="profiles"),
    Kind("a profile with faults", "[mqtt]\nprofile_dir = FOLDER/profiles\nprofiles = gate bare\n",
         *[(3, f"profiles: FOLDER/profiles/bare.json: /{key}: it is missing")
           for key in ("topic", "accept", "device")], late="profiles"),
    Kind("profiles that overlap", "[mqtt]\nprofile_dir = FOLDER/profiles\nprofiles = gate fence\n",
         (3, "profiles: FOLDER/profiles/fence.json: /topic: "), late="profiles"),
    Kind("a profile twice", "[mqtt]\nprofile_dir = FOLDER/profiles\nprofiles = gate gate\n",
         (3, "profiles: FOLDER/profiles/gate.json: /name: it is asked for twice"), late="profiles"),
    Kind("a store that is a folder", "[store]\npath = FOLDER/folder\n",
         (2, "path: `FOLDER/folder` is a folder"), late="store"),
    Kind("a store that is to be one", "[store]\npath = FOLDER/none/\n", (2, "is a folder: name a file in it"),
         late="store"),
    Kind("a store in a file", "[store]\npath = FOLDER/good/punchd.db\n",
         (2, "path: `FOLDER/good` is no folder"), late="store"),
    Kind("a store behind a link", "[store]\npath = FOLDER/link\n",
         (2, "path: `FOLDER/link` is a symbolic link: name the file itself"), late="store"),
    Kind("a socket that is a folder", "[control]\nsocket = FOLDER/profiles\n",
         (2, "socket: `FOLDER/profiles` is a folder"), late="socket"),
    Kind("a socket where the store is", "[store]\npath = FOLDER/x\n[control]\nsocket = FOLDER/x\n",
         (4, "socket: is the path of the store, too"), late="socket"),
    Kind("a socket with too long a path", f"[control]\nsocket = /{'x' * 107}\n",
         (2, "socket: a socket's path has at most 107 bytes, this one has 108"), late="socket"),
]

EARLY = FORM + TERMINAL + VALUES
ALL = EARLY + LATE
GATE = '{"name": "NAME", "topic": "gate/{device}/p", "accept": [], "device": ["topic:device"], ' \
    '"user": [["/u", "card"]], "time": {"from": ["/t"], "formats": ["epoch_s"]}}'


@pytest.fixture
def folder(tmp_path):
    """A place for settings, with the files that they name."""
    for name, text in (("good", "right-password\n"), ("secret", "x" * 24),
                       ("almost", "x" * 23), ("blanks", "a secret of more than 24\n"),
                       ("empty", ""), ("newline", "\n"),
                       ("lines", "two\nlines\n"), ("big", "x" * 5000), ("mock.pem",
                       "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n")):
        (tmp_path / name).write_text(text)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/other.db")
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    for name, text in (("gate", GATE), ("fence", GATE), ("bare", '{"name": "bare", "user": [["/u", "card"]], "time": {"from": ["/t"], "formats": ["epoch_s"]}}'), ("broken", "{\n")):
        (profiles / f"{name}.json").write_text(text.replace("NAME", name))
    (tmp_path / "conf.d").mkdir()
    return tmp_path


def check(folder):
    """What -t says: (file's name, line, words) of each fault, in order."""
    shown = run("-t", "-c", folder / "punchd.conf")
    assert (shown.returncode, shown.stdout) == (1, ""), shown
    assert "sEcReT" not in shown.stderr
    assert not any(ord(c) < 32 and c != "\n" for c in shown.stderr)
    found = []
    for line in shown.stderr.splitlines():
        path, number, words = line.split(":", 2)
        found.append((os.path.relpath(path, folder), int(number), words))
    return found


def put(folder, name, kind):
    (folder / name).write_bytes(kind.text.replace(b"FOLDER", bytes(folder)))


def agree(folder, found, wanted):
    """wanted: (file, line, words)."""
    wanted = [(f, n, w.replace("FOLDER", str(folder))) for f, n, w in wanted]
    assert [f[:2] for f in found] == [w[:2] for w in wanted]
    for fault, want in zip(found, wanted):
        assert want[2] in fault[2], (fault, want)


def test_there_are_kinds_enough():
    assert len({kind.name for kind in ALL}) == len(ALL) > 100


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_alone(folder, kind):
    put(folder, "punchd.conf", kind)
    agree(folder, check(folder), [("punchd.conf", *fault) for fault in kind.faults])


def one_a_key(kinds):
    """Of those whose faults are told at the end only the last file counts: one of each."""
    seen = set()
    return [k for k in kinds if not k.late or not (k.late in seen or seen.add(k.late))]


def is_late(kind):
    return kind.late or "zone that this system" in kind.faults[0][1]


def test_all_at_once(folder):
    """Each in a file of its own, in conf.d. Those that show at the end are told at the end."""
    kinds = one_a_key(ALL)
    assert len(kinds) > 90
    (folder / "punchd.conf").write_text("# all of it lies in conf.d\n")
    files = {f"conf.d/{i:03}.conf": kind for i, kind in enumerate(kinds)}
    for name, kind in files.items():
        put(folder, name, kind)
    found = check(folder)
    early = [(name, *fault) for name, kind in files.items() if not is_late(kind) for fault in kind.faults]
    late = [(name, *fault) for name, kind in files.items() if is_late(kind) for fault in kind.faults]
    agree(folder, found[:len(early)], early)
    agree(folder, sorted(found[len(early):]), sorted(late))


def test_all_in_one_file(folder):
    """One after the other, as far as a key does not come twice and the file is a text."""
    text, wanted, keys = b"", [], set()
    for kind in one_a_key(ALL):
        mine = {line.partition(b"=")[0].strip() for line in kind.text.splitlines() if b"=" in line}
        if keys & mine or "in line" in kind.faults[-1][1] or b"\0" in kind.text or kind.text.startswith((b"\xff", b"\xef")) or \
                "first section" in kind.faults[0][1]:
            continue
        keys |= mine
        before = text.count(b"\n")
        wanted += [(before + line, words, is_late(kind)) for line, words in kind.faults]
        text += kind.text
    assert len(wanted) > 40
    (folder / "punchd.conf").write_bytes(text.replace(b"FOLDER", bytes(folder)))
    found = check(folder)
    agree(folder, sorted(found), sorted(("punchd.conf", n, w) for n, w, _ in wanted))
    # in the order of the file, but for those that show at the end
    lines = [n for _, n, _ in found][:sum(not late for *_, late in wanted)]
    assert lines == sorted(lines)


def test_the_same_is_told_by_a_start_and_by_p(folder):
    """And nothing is started, nothing printed."""
    put(folder, "punchd.conf", VALUES[0])
    put(folder, "conf.d/1.conf", TERMINAL[0])
    told = run("-t", "-c", folder / "punchd.conf").stderr
    before = sorted(folder.rglob("*"))
    shown = run("-c", folder / "punchd.conf")
    assert (shown.returncode, shown.stdout) == (78, "")
    assert shown.stderr == told + "punchd: the settings are at fault, nothing was started\n"
    assert sorted(folder.rglob("*")) == before
    shown = run("-p", "-c", folder / "punchd.conf")
    assert (shown.returncode, shown.stdout, shown.stderr) == (78, "", told)


# ---- files and folders

def test_no_file_at_all(folder):
    agree(folder, check(folder), [("punchd.conf", 1, "cannot be read: there is no such file")])


def test_a_folder_for_a_file(folder):
    (folder / "punchd.conf").mkdir()
    agree(folder, check(folder), [("punchd.conf", 1, "cannot be read: it is no regular file")])


def test_a_file_for_a_folder(folder):
    (folder / "conf.d").rmdir()
    (folder / "conf.d").write_text("")
    (folder / "punchd.conf").write_text("[log]\nlevel = loud\n")
    agree(folder, check(folder), [("punchd.conf", 2, "level"),
                                  ("conf.d", 1, "cannot be read: Not a directory")])


def test_what_lies_in_the_folder(folder):
    """A link to nothing, a folder, a FIFO, a file that is too large; what is not called .conf is left."""
    (folder / "punchd.conf").write_text("")
    (folder / "conf.d/1.conf").symlink_to("none")
    (folder / "conf.d/2.conf").mkdir()
    os.mkfifo(folder / "conf.d/3.conf")
    (folder / "conf.d/4.conf").write_text("#\n" * (512 * 1024 + 1))
    (folder / "conf.d/5.conf").write_text("#\n" * (512 * 1024))
    for name in ("6.conf~", ".7.conf", "8.conf.dpkg-old", "conf"):
        (folder / "conf.d" / name).write_text("nonsense\n")
    agree(folder, check(folder), [
        ("conf.d/1.conf", 1, "cannot be read: there is no such file"),
        ("conf.d/2.conf", 1, "cannot be read: it is no regular file"),
        ("conf.d/3.conf", 1, "cannot be read: it is no regular file"),
        ("conf.d/4.conf", 1, "more than 1 MiB")])


@pytest.fixture
def stranger():
    """What makes a process somebody else's, who may not read what is root's; a folder that he sees."""
    if os.getuid() != 0:
        pytest.skip("needs root")
    folder = subprocess.run(["mktemp", "-d", "/tmp/punchd-stranger-XXXXXX"], check=True, text=True,
                            capture_output=True).stdout.strip()
    os.chmod(folder, 0o755)
    shutil.copy(PUNCHD, f"{folder}/punchd")
    yield folder
    shutil.rmtree(folder)


def test_files_that_may_not_be_read(stranger):
    os.mkdir(f"{stranger}/conf.d")
    for name, text in (("punchd.conf", f"[api]\nca_file = {stranger}/ca.pem\n"), ("ca.pem", "x"),
                       ("conf.d/a.conf", "[log]\nlevel = loud\n"), ("conf.d/b.conf", "")):
        with open(f"{stranger}/{name}", "w", encoding="ascii") as file:
            file.write(text)
    for name in ("ca.pem", "conf.d/b.conf"):
        os.chmod(f"{stranger}/{name}", 0o600)

    def told():
        done = subprocess.run([f"{stranger}/punchd", "-t", "-c", f"{stranger}/punchd.conf"], text=True,
                              capture_output=True, user=65534, group=65534, extra_groups=[])
        assert done.returncode == 1
        return done.stderr.replace(stranger + "/", "")
    assert told() == (
        "conf.d/a.conf:2: level: `loud` is not error, warning, info or debug\n"
        "conf.d/b.conf:1: cannot be read: Permission denied\n"
        "punchd.conf:2: ca_file: ca.pem: Permission denied\n")
    os.chmod(f"{stranger}/conf.d", 0o700)
    assert told() == ("conf.d:1: cannot be read: Permission denied\n"
                      "punchd.conf:2: ca_file: ca.pem: Permission denied\n")
    os.chmod(f"{stranger}/punchd.conf", stat.S_IRUSR)
    assert told().startswith("punchd.conf:1: cannot be read: Permission denied\n")


def test_more_faults_than_anybody_reads(folder):
    """They are cut off behind a whole line, which says so; and it is a fault all the same."""
    (folder / "punchd.conf").write_text("[log]\n" + "x\n" * 500000)
    shown = run("-t", "-c", folder / "punchd.conf")
    *faults, last = shown.stderr.splitlines()
    assert shown.returncode == 1 and last == "punchd: there are more faults than these"
    assert 1000 < len(faults) < 10000
    assert all(line.endswith("neither a section nor a setting `key = value`") for line in faults)


# ---- what is no fault

def test_what_may_yet_come_is_a_warning(folder):
    """A folder of the store that is not there: punchd -t is run before disks are mounted."""
    (folder / "punchd.conf").write_text(
        f"[store]\npath = {folder}/later/punchd.db\n[control]\nsocket = {folder}/soon/sock\n")
    shown = run("-t", "-c", folder / "punchd.conf")
    assert (shown.returncode, shown.stdout) == (0, "")
    assert shown.stderr == "".join(
        f"{folder}/punchd.conf:{line}: {key}: warning: there is no folder {folder}/{name}; punchd does "
        "not start without it\n" for line, key, name in ((2, "path", "later"), (4, "socket", "soon")))
    (folder / "later").mkdir()
    (folder / "soon").mkdir()
    assert run("-t", "-c", folder / "punchd.conf").stderr == ""


def test_what_is_none(folder):
    """A byte-order mark, Windows' line ends, comments of all kinds, Latin-1 in them, sections in two
    parts, and what systemd makes before a start."""
    (folder / "punchd.conf").write_bytes(
        b"\xef\xbb\xbf[api]\r\n# caf\xe9\r\n  ; x\r\nplan=basic ; of 2026\r\n[log]\r\nlevel: debug\r\n"
        b"[api]\r\ntimeout = 5s")
    (folder / "conf.d/1.conf").write_text("[api]\nplan = premium\n")
    shown = run("-t", "-c", folder / "punchd.conf")
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "", "")
    assert "\nplan = 500\ntimeout = 5s\n" in run("-p", "-c", folder / "punchd.conf").stdout
