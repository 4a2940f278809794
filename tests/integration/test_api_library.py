"""libpunch-api as somebody else meets it: installed into a folder of its own, found by pkg-config, its
examples compiled from what is there, and what they do compared with what the cloud has."""
import csv
import io
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import threading

import pytest

import examples
from conftest import BUILD, ROOT
from fakecloud import FakeCloud
from sandbox import Sandbox

EXAMPLES = ["users-csv", "record-punch", "download-report", "devices-poll"]
STRICT = ["-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror"]


# ---- what is installed

class Installed:
    """The tree under `at`, and compiling against it."""

    def __init__(self, at):
        self.at = at
        subprocess.run(["make", "-C", BUILD, "-s", "install", f"DESTDIR={at}"], check=True,
                       capture_output=True)
        found = list(at.rglob("punch-api.pc"))
        assert len(found) == 1, found
        self.environment = os.environ | {"PKG_CONFIG_PATH": str(found[0].parent),
                                         "PKG_CONFIG_SYSROOT_DIR": str(at)}
        self.library = found[0].parent.parent / "libpunch-api.a"
        self.header = next(at.rglob("punch-api.h"))

    def pkg_config(self, *words):
        return subprocess.run(["pkg-config", *words, "punch-api"], check=True, text=True,
                              capture_output=True, env=self.environment).stdout.split()

    def compile(self, compiler, source, to, *flags):
        done = subprocess.run([compiler, *flags, "-o", to, source,
                               *self.pkg_config("--cflags", "--libs")], text=True,
                              capture_output=True)
        assert done.returncode == 0, done.stderr
        return to


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def programs(installed, tmp_path_factory):
    """The examples, compiled from their text and what is installed alone."""
    at = tmp_path_factory.mktemp("programs")
    for name in EXAMPLES:
        shutil.copy(ROOT / "examples" / f"{name}.c", at)
        installed.compile("gcc", at / f"{name}.c", at / name, *STRICT)
    return at


def code_of(*headers):
    """Without its comments."""
    return re.sub(r"/\*.*?\*/", "", "".join(h.read_text() for h in headers), flags=re.S)


def declared(*headers):
    """The functions that headers declare."""
    return set(re.findall(r"^(?!typedef)[\w *]*\b(api_\w+)\(", code_of(*headers), flags=re.M))


def test_no_other_name_is_seen(installed):
    """What the header declares is what the library defines for others, and nothing else."""
    out = subprocess.run(["nm", "-g", "--defined-only", installed.library], check=True, text=True,
                         capture_output=True).stdout
    seen = {line.split()[2] for line in out.splitlines() if len(line.split()) == 3}
    assert seen == declared(installed.header, installed.header.parent / "outcome.h")
    assert len(seen) > 20


PAGE = ROOT / "man/punch-api.3"


def test_the_page_has_every_name(installed):
    """Functions, members of structs, constants: what is in the header is told of, and nothing else."""
    code, page = code_of(installed.header, installed.header.parent / "outcome.h"), PAGE.read_text()
    functions = declared(installed.header, installed.header.parent / "outcome.h")
    synopsis = page.split(".Sh SYNOPSIS")[1].split(".Sh DESCRIPTION")[0]
    assert set(re.findall(r"^\.F[no] (api_\w+)", synopsis, flags=re.M)) == functions
    members = set()
    for body in re.findall(r"^struct \w+ \{(.*?)^\};", code, flags=re.M | re.S):
        members |= set(re.findall(r"\W(\w+)(?:\[\w+\])?;", body))
        members |= set(re.findall(r"\(\*(\w+)\)\(", body))
    told = set(re.findall(r"\bVa (\w+)", page)) | set(re.findall(r"\(\*(\w+)\)", page))
    assert members <= told, members - told
    constants = set(re.findall(r"\b(API_\w+)", code))
    assert constants == set(re.findall(r"\bAPI_\w+", page)) - {"API_URL", "API_CA", "API_KEY"}
    assert len(members) > 50 and len(constants) > 30


def test_names_of_our_own_clash_with_none_of_a_program(installed, tmp_path):
    source = tmp_path / "clash.c"
    source.write_text("""#include <punch-api.h>
        int buf_add(void); int buf_add(void) { return 1; }
        int clock_now(void); int clock_now(void) { return 1; }
        int pace_init(void); int pace_init(void) { return 1; }
        int wire_user_body(void); int wire_user_body(void) { return 1; }
        int main(void) {
            struct api_settings s = {.base_url = "http://no"};
            struct api_curl_settings n = {0};
            struct api_sync *api;
            return api_sync_new(&s, &n, "k", &api) == -22 && buf_add() && clock_now() &&
                pace_init() && wire_user_body() ? 0 : 1;
        }""")
    program = installed.compile("gcc", source, tmp_path / "clash", *STRICT)
    assert subprocess.run([program]).returncode == 0


@pytest.mark.parametrize("compiler, flags", [
    ("gcc", ["-std=c99"]), ("gcc", ["-std=c11"]), ("clang", ["-std=c11"]),
    ("g++", ["-std=c++11", "-x", "c++"]), ("clang++", ["-std=c++17", "-x", "c++"])])
def test_the_header_stands_alone(installed, tmp_path, compiler, flags):
    if not shutil.which(compiler):
        pytest.skip(f"there is no {compiler}")
    source = tmp_path / "alone.c"
    source.write_text("#include <punch-api.h>\n#include <punch-api.h>\n"
                      "const char *word(enum api_outcome o);\n"
                      "const char *word(enum api_outcome o) { return api_outcome_name(o); }\n")
    done = subprocess.run([compiler, *flags, *STRICT, "-c", "-o", tmp_path / "alone.o", source,
                           *installed.pkg_config("--cflags")], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_clang_takes_the_examples(installed, tmp_path):
    if not shutil.which("clang"):
        pytest.skip("there is no clang")
    for name in EXAMPLES:
        installed.compile("clang", ROOT / "examples" / f"{name}.c", tmp_path / name, *STRICT)


def test_pkg_config(installed):
    version = re.search(r"AC_INIT\(\[punchd\], \[([\d.]+)\]",
                        (ROOT / "configure.ac").read_text())[1]
    assert installed.pkg_config("--modversion") == [version]
    for words in (["--libs"], ["--libs", "--static"]):
        assert {"-lpunch-api", "-lcurl", "-ljansson"} <= set(installed.pkg_config(*words))


def test_the_examples_own_makefile(installed, tmp_path):
    for path in (ROOT / "examples").glob("*"):
        if path.suffix == ".c" or path.name == "Makefile":
            shutil.copy(path, tmp_path)
    subprocess.run(["make", "-s", "-C", tmp_path], check=True, env=installed.environment)
    assert all((tmp_path / name).exists() for name in EXAMPLES)


# ---- the examples against the sandbox

class Scene:
    def __init__(self, cloud, programs, tmp_path):
        self.cloud, self.programs, self.dir = cloud, programs, tmp_path
        self.key_file = tmp_path / "key"
        self.key_file.write_text(cloud.key + "\n")

        self.environment = os.environ | {"PUNCH_API_KEY_FILE": str(self.key_file)}

    def command(self, program, *args):
        return [self.programs / program, "--url", self.cloud.base_url, "--ca", self.cloud.ca,
                *args]

    def run(self, program, *args, **more):
        return subprocess.run(self.command(program, *args), capture_output=True, timeout=60,
                              cwd=self.dir, env=self.environment, **more)


@pytest.fixture(scope="module")
def cloud(build, tmp_path_factory):
    with Sandbox(build, tmp_path_factory.mktemp("cloud"), "--plan", "30", "--window", "2s",
                 "--pdf-program", build / "punch-report-pdf", users=230, devices="BIO-FP-001,BIO-FP-002") as started:
        yield started


@pytest.fixture
def scene(cloud, programs, tmp_path):
    yield Scene(cloud, programs, tmp_path)
    cloud.clear_faults()


def users_of(cloud):
    found = []
    while True:
        page = cloud.get(f"/users?limit=100&offset={len(found)}").json
        found += page["data"]
        if len(found) >= page["meta"]["total"]:
            return found


def test_users_csv(scene):
    """All of them, over pages, also where the window is used up on the way."""
    scene.cloud.put_user(id="usr_quoted", name='Ng, "Zoë"', email="q@example.com",
                         phone="+911111111", department="=HYPERLINK(\"http://x\")")
    scene.cloud.put_user(id="usr_minus", name="-1+1", email="m@example.com", phone="+911111112",
                         department="@SUM(1)")
    scene.cloud.set_plan(2)
    done = scene.run("users-csv")
    scene.cloud.set_plan(1000)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\r\n") == done.stdout.count(b"\n")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline=""), strict=True))
    expected = users_of(scene.cloud)
    assert len(rows) == 232
    for row, user in zip(rows, expected, strict=True):
        for name, value in row.items():
            value_there = user[name] or ""
            formula = value_there[:1] in ("=", "-", "@")
            assert value == ("'" if formula else "") + value_there


def test_a_key_that_is_none_and_a_cloud_that_is_none(scene):
    scene.key_file.write_text("wrong\n")
    for program, args in (("users-csv", []), ("devices-poll", []),
                          ("record-punch", ["usr_000001", "dev_000001", "check_in"]),
                          ("download-report", ["csv", "2023-01-01", "2023-01-31", "r"])):
        done = scene.run(program, *args)
        assert done.returncode == 1 and b"unauthorized" in done.stdout + done.stderr, program
        assert b"wrong" not in done.stdout + done.stderr
        other = subprocess.run(
            [scene.programs / program, "--url", "https://127.0.0.1:1/v1", *args],
            capture_output=True, cwd=scene.dir, env=scene.environment)
        assert other.returncode == 1 and b"never_left" in other.stdout + other.stderr, program
    assert not (scene.dir / "r").exists()


def device_of(cloud):
    return cloud.get("/devices").data[0]["id"]


def test_record_punch(scene):
    device, before = device_of(scene.cloud), len(scene.cloud.records())
    done = scene.run("record-punch", "usr_000001", device, "check_in", "2023-01-16T08:00:00Z")
    assert (done.returncode, done.stdout[:14]) == (0, b"recorded att_0"), done
    record = scene.cloud.records()[before]
    assert record["timestamp"] == "2023-01-16T08:00:00Z"
    assert f"recorded {record['id']}\n" == done.stdout.decode()
    for args, word in ((["nobody", device, "check_in"], "user_id"),
                       (["usr_000001", device, "come"], "type")):
        done = scene.run("record-punch", *args)
        assert done.returncode == 1 and done.stdout.startswith(b"refused: "), done
        assert word.encode() in done.stdout
    assert len(scene.cloud.records()) == before + 1


def test_record_punch_in_doubt(scene):
    """The record is made, the answer lost: what is printed is enough to ask again, and there is one."""
    device, before = device_of(scene.cloud), len(scene.cloud.records())
    scene.cloud.add_fault("drop-after,path=/attendance,count=1")
    done = scene.run("record-punch", "usr_000002", device, "check_out")
    assert (done.returncode, done.stdout[:9]) == (3, b"in doubt "), done
    time, key = done.stdout.split()[-2:]
    again = scene.run("record-punch", "usr_000002", device, "check_out", time, key)
    assert again.returncode == 0, again
    records = scene.cloud.records()[before:]
    assert [r["user_id"] for r in records] == ["usr_000002"]
    assert records[0]["id"].encode() in again.stdout


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("filters", [{}, {"department": "Sales"}, {"user": "usr_000003"}])
def test_download_report(scene, form, filters):
    options = [word for name, value in filters.items() for word in ("--" + name, value)]
    done = scene.run("download-report", *options, form, "2023-01-01", "2023-01-31", "report")
    assert done.returncode == 0, done.stderr
    query = "".join(f"&{'user_id' if n == 'user' else n}={v}" for n, v in filters.items())
    there = scene.cloud.get("/reports/attendance?start_date=2023-01-01&end_date=2023-01-31"
                            f"&format={form}{query}").body
    here = (scene.dir / "report").read_bytes()
    if form == "csv":
        assert here == there
    else:
        assert masked(here) == masked(there)
    assert sorted(p.name for p in scene.dir.iterdir()) == ["key", "report"]


def test_download_a_pdf(scene):
    done = scene.run("download-report", "pdf", "2023-01-01", "2023-01-31", "report.pdf")
    assert done.returncode == 0, done.stderr
    body = (scene.dir / "report.pdf").read_bytes()
    assert body.startswith(b"%PDF-") and body.rstrip().endswith(b"%%EOF")


def test_keys_with_few_rights(scene):
    device = device_of(scene.cloud)
    punch = ["record-punch", "usr_000001", device, "check_in", "2023-02-01T08:00:00Z"]
    report = ["download-report", "csv", "2023-01-01", "2023-01-31", "report"]
    for rights, may, may_not in (("read", report, punch), ("attendance", punch, report)):
        scene.cloud.add_key("few-" + rights, rights)
        scene.key_file.write_text("few-" + rights)
        assert scene.run(*may).returncode == 0
        done = scene.run(*may_not)
        assert done.returncode == 1 and b"forbidden: " in done.stdout + done.stderr, done


def masked(body):
    report = json.loads(body)["data"]
    del report["report_id"], report["generated_at"]
    return report


def test_a_report_that_is_none_leaves_what_was_there(scene):
    (scene.dir / "report").write_text("what was there")
    for fault, day, word in ((None, "2023-02-30", b"refused"), ("html", "2023-01-31", b"garbled"),
                             ("status=503", "2023-01-31", b"server_error"),
                             ("drop-after", "2023-01-31", b"lost")):
        if fault:
            scene.cloud.add_fault(f"{fault},path=/reports/attendance,count=1")
        done = scene.run("download-report", "csv", "2023-01-01", day, "report")
        assert done.returncode == 1 and word in done.stderr, done
        assert sorted(p.name for p in scene.dir.iterdir()) == ["key", "report"]
        assert (scene.dir / "report").read_text() == "what was there"


def test_devices_poll(scene):
    done = scene.run("devices-poll")
    assert done.returncode == 0, done.stderr
    total = scene.cloud.get("/users?limit=1").json["meta"]["total"]
    assert sorted(done.stdout.decode().splitlines()) == ["devices: 2", f"users: {total}"]


def test_the_pages_own_example(installed, scene):
    """As it stands there, compiled as it says there."""
    first, = [b for b in examples.blocks(PAGE) if b.name == "first.c"]
    command, = [c.text for c in examples.commands(PAGE) if c.where == "library"]
    (scene.dir / "first.c").write_text(first.text)
    subprocess.run(command, shell=True, check=True, cwd=scene.dir, env=installed.environment)
    done = subprocess.run([scene.dir / "first"], text=True, capture_output=True, env=os.environ | {
        "API_URL": scene.cloud.base_url, "API_CA": str(scene.cloud.ca), "API_KEY": scene.cloud.key})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [u["name"] for u in scene.cloud.get("/users").data]


def test_usage(scene):
    for program, args in (("users-csv", ["x"]), ("record-punch", ["x"]),
                          ("download-report", ["xls", "a", "b", "c"]), ("devices-poll", ["x"])):
        assert scene.run(program, *args).returncode == 2
        assert scene.run(program, "--nonsense").returncode == 2


# ---- what the sandbox does not do

def report_of(size, cut=False, before_end=lambda: None):
    """A pdf so large; cut: the last block does not come."""
    def play(x):
        block = bytes(range(256)) * 256
        x.say(b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n"
              b"Content-Length: %d\r\n\r\n" % size)
        for _ in range(size // len(block) - 1):
            x.say(block)
        before_end()
        if not cut:
            x.say(block)
        return not cut
    return play


@pytest.fixture
def fake(programs, tmp_path):
    with FakeCloud(tmp_path) as started:
        place = tmp_path / "here"
        place.mkdir()
        yield Scene(started, programs, place)


JANUARY = ["pdf", "2023-01-01", "2023-01-31", "report"]


def peak_kib(fake, size):
    """The most memory that a download of so many bytes takes."""
    asked, seen = threading.Event(), []

    def look():
        asked.wait(30)
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        seen.append(int(re.search(r"VmHWM:\s+(\d+)", status)[1]))

    fake.cloud.report = report_of(size, before_end=look)
    process = subprocess.Popen(fake.command("download-report", *JANUARY), cwd=fake.dir,
                               env=fake.environment)
    asked.set()
    assert process.wait(60) == 0
    assert (fake.dir / "report").stat().st_size == size
    return seen[0]


def test_a_large_report_is_not_held(fake):
    small, large = peak_kib(fake, 1 << 16), peak_kib(fake, 64 << 20)
    assert large < small + (4 << 10)


def test_a_report_that_is_cut_off(fake):
    fake.cloud.report = report_of(1 << 20, cut=True)
    done = fake.run("download-report", *JANUARY)
    assert done.returncode == 1 and b"lost" in done.stderr, done
    assert [p.name for p in fake.dir.iterdir()] == ["key"]


def test_a_disk_that_is_full(fake):
    """The download ends with it, and nothing is left."""
    fake.cloud.report = report_of(64 << 20)

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    done = fake.run("download-report", *JANUARY, preexec_fn=small_files)
    assert done.returncode == 1 and b"File too large" in done.stderr, done
    assert [p.name for p in fake.dir.iterdir()] == ["key"]
