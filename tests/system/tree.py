"""A bare Debian in a folder, as it comes to a person before punchd is installed: systemd, D-Bus, a
broker, and what the packages under test depend on, since a container has no network to fetch it by.

Made once from this machine's own apt sources, and kept beside the build.
"""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = ROOT / "build-system"
ALWAYS = ["systemd", "systemd-sysv", "dbus", "mosquitto", "mosquitto-clients", "curl", "python3",
          "man-db", "bash-completion", "sudo", "apt-utils", "procps"]


def own_release():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2]
    raise AssertionError("no VERSION_CODENAME in /etc/os-release")


def release():
    """Which Debian the machines have: this one's own, or what $PUNCHD_RELEASE names."""
    return os.environ.get("PUNCHD_RELEASE") or own_release()


def archive(codename):
    """Where this machine's apt has it from; "" where it has not."""
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)",
                           f"Codename: {codename}", "Origin: Debian"], check=True, text=True,
                          capture_output=True)
    return (done.stdout.splitlines() or [""])[0]


def sources():
    """Lines for the release, from the archive that this machine uses."""
    main, security = archive(own_release()), archive(own_release() + "-security")
    assert main, "apt knows no archive of this release: run apt-get update"
    lines = [f"deb {main} {release()} main"]
    if security:
        lines.append(f"deb {security} {release()}-security main")
    return "\n".join(lines) + "\n"


def dependencies(debs):
    """The first choice of each dependency that is not among the packages themselves."""
    names, own = set(), set()
    for deb in debs:
        def field(name, deb=deb):
            return subprocess.run(["dpkg-deb", "-f", deb, name], check=True, text=True,
                                  capture_output=True).stdout.strip()
        own.add(field("Package"))
        for part in filter(None, field("Depends").split(",")):
            names.add(re.split(r"[\s(|:]", part.strip())[0])
    return sorted(names - own)


def bare_tree(debs, kind="bare", also=()):
    """The folder; made where there is none of this kind for these dependencies. also: what else is
    there."""
    include = sorted(set(ALWAYS) | set(dependencies(debs)) | set(also))
    mark = hashlib.sha256(" ".join([release(), *include]).encode()).hexdigest()[:12]
    tree = KEPT / f"{kind}-{mark}"
    if tree.exists():
        return tree
    KEPT.mkdir(exist_ok=True)
    for old in KEPT.glob(f"{kind}-*"):
        shutil.rmtree(old)
    making = KEPT / "making"
    shutil.rmtree(making, ignore_errors=True)
    subprocess.run(["mmdebstrap", "--quiet", "--mode=root", "--variant=important",
                    "--include=" + ",".join(include), release(), making, "-"],
                   check=True, input=sources(), text=True)
    making.rename(tree)
    return tree
