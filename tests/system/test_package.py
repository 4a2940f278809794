"""What a package owes: purge takes nothing away that is not delivered, nothing else is left behind,
and the package's own test passes on a machine that has it installed."""
import pathlib
import re

import pytest

import container
import tree as trees
from site_of import Site

STORE = "/var/lib/punchd/punchd.db"


def apt(machine, *words):
    done = machine.run("apt-get", "-y", *words)
    return done.out + done.err


def dpkg(machine, *words):
    done = machine.run("dpkg", *words)
    return done.out + done.err


def traces(machine):
    """Files of ours anywhere, but for what Debian keeps of a user and of a package's past."""
    found = machine.shell("find / -xdev -name '*punchd*' -not -path '/root/*' -not -path '/tmp/*'"
                          " -not -path '/var/cache/*' -not -path '/var/log/*'").out.split()
    return [name for name in found if not name.startswith("/var/lib/apt/")]


@pytest.fixture
def site(machine):
    site = Site(machine)
    site.wait_connected()
    site.ctl("sync", "--wait")
    return site


def test_purge_when_all_is_delivered(site):
    machine = site.machine
    site.punch()
    site.wait_all_there()
    said = dpkg(machine, "--purge", "punchd")
    assert "delivered" not in said, said
    assert "not empty" not in said, said
    for name in ("/var/lib/punchd", "/etc/punchd", "/usr/lib/punchd", "/run/punchd"):
        assert not machine.path(name).exists(), name


def test_purge_keeps_what_is_not_delivered(site, debs):
    """Whether it follows on a removal or is asked for at once; and with punchd installed again it
    all goes on."""
    machine = site.machine
    site.punch(3)
    site.wait_all_there()
    site.ctl("pause")
    site.punch(5)
    said = apt(machine, "remove", "punchd")
    assert f"punchd: 10 punches are not delivered; they stay in {STORE}" in said, said
    assert machine.path("/etc/punchd/api.key").exists()
    said = dpkg(machine, "--purge", "punchd")
    assert "punchd: 10 punches in /var/lib/punchd are not delivered." in said, said
    assert "rm -r /var/lib/punchd" in said
    assert not machine.path("/etc/punchd").exists(), "the key is no punch"

    container.install(machine, [debs["punchd"]])
    counts = site.wait_status(lambda s: s["counts"]["stored"] == 16, "the store is the old one")
    assert (counts["counts"]["delivered"], counts["api"]["state"]) == (6, "paused")
    said = dpkg(machine, "--purge", "punchd")
    assert "punchd: 10 punches in /var/lib/punchd are not delivered." in said, said


@pytest.mark.parametrize("spoil", [
    f"touch {STORE}",                       # written after it was counted
    f"cp {STORE} {STORE}.damaged-20261126T180000Z",
    f"rm {STORE}.unsettled",
    f"echo >{STORE}.unsettled",
])
def test_purge_keeps_what_nobody_can_tell(site, spoil):
    machine = site.machine
    site.punch(3)
    site.wait_all_there()
    apt(machine, "remove", "punchd")
    machine.shell(f"sleep 0.01; {spoil}")
    said = dpkg(machine, "--purge", "punchd")
    assert "whether all punches in /var/lib/punchd are delivered cannot be told" in said, said
    assert machine.path(STORE).exists()


def test_purge_of_a_damaged_store(site):
    machine = site.machine
    site.punch(3)
    site.wait_all_there()
    machine.run("systemctl", "stop", "punchd")
    machine.shell(f"dd if=/dev/zero of={STORE} bs=1k count=8 conv=notrunc")
    said = apt(machine, "purge", "punchd")
    assert "cannot be told" in said, said
    assert machine.path(STORE).exists()


def test_nothing_is_left_of_one_that_never_had_a_punch(bare, debs):
    before = traces(bare)
    container.install(bare, debs.values())
    apt(bare, "purge", *debs)
    assert traces(bare) == before


def test_settings_survive_an_upgrade_and_a_removal(site, debs):
    machine = site.machine
    machine.shell("echo '[site]' >>/etc/punchd/punchd.conf; echo 'name = mine' >>/etc/punchd/punchd.conf")
    container.install(machine, [debs["punchd"]])
    apt(machine, "remove", "punchd")
    container.install(machine, [debs["punchd"]])
    assert "name = mine" in machine.path("/etc/punchd/punchd.conf").read_text()
    site.wait_status(lambda s: s["site"] == "mine", "the changed settings")


@pytest.fixture
def tester(debs):
    """A machine with what autopkgtest and the test's own Depends ask for."""
    library, = pathlib.Path(debs["punchd"]).parent.glob("libpunch-api-dev_*.deb")
    found = [*debs.values(), library]
    also = ["autopkgtest", "dpkg-dev", "jq", "build-essential", "pkgconf"]
    with container.Container([trees.bare_tree(found, "tester", also)]) as machine:
        container.install(machine, found)
        yield machine


def test_the_packages_own_tests(tester, debs):
    source = pathlib.Path(debs["punchd"]).parent
    for path in source.glob("punchd_*"):
        if path.suffix in (".dsc", ".xz"):
            tester.bring(path, f"/root/{path.name}")
    dsc, = source.glob("*.dsc")
    # Newer ones do not believe that what they are in is a container.
    done = tester.run("autopkgtest", "--ignore-restrictions=isolation-container",
                      "--no-built-binaries", f"/root/{dsc.name}", "--", "null", check=False,
                      timeout=300)
    assert done.code == 0, done.out + done.err
    for name in ("punch-through", "library"):
        assert re.search(rf"^{name} +PASS$", done.out + done.err, flags=re.M), done.out
