"""Disks that are small, or that may not be written."""
import contextlib
import os
import subprocess

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk")


def mount(*words):
    subprocess.run(["mount", *words], check=True)


class SmallDisk:
    """A file system of so many KiB."""

    def __init__(self, path, kib):
        self.path = path
        path.mkdir()
        mount("-t", "tmpfs", "-o", f"size={kib}k", "none", path)

    def resize(self, kib):
        mount("-o", f"remount,size={kib}k", self.path)

    def free_kib(self):
        fs = os.statvfs(self.path)
        return fs.f_bavail * fs.f_frsize // 1024

    def fill(self, leave_kib=0):
        """With a file of somebody else's."""
        with open(self.path / "filler", "wb") as f:
            f.write(bytes((self.free_kib() - leave_kib) * 1024))

    def make_room(self):
        (self.path / "filler").unlink()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        subprocess.run(["umount", "-l", self.path], check=True)


@contextlib.contextmanager
def read_only(folder):
    """The folder as on a disk that is mounted read-only."""
    mount("--bind", folder, folder)
    try:
        mount("-o", "remount,bind,ro", folder)
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
