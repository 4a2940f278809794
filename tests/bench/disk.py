"""A disk of a measurement's own, and what reaches it: an ext4 image behind a loop device.

/proc/PID/io misses the file system's journal; the device's own count does not.
"""
import collections
import os
import pathlib
import subprocess

SECTOR = 512
Written = collections.namedtuple("Written", "bytes flushes")


def possible():
    """Why it cannot be, or None."""
    if os.geteuid() != 0:
        return "mounting a disk needs root"
    if not os.path.exists("/dev/loop-control"):
        return "there are no loop devices here"
    return None


def _run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Disk:
    """where: the mounted folder. under: an existing folder for the image and the mount point. It must
    be left as a context."""

    def __init__(self, under, megabytes):
        self.image = pathlib.Path(under) / "image"
        self.where = pathlib.Path(under) / "disk"
        self.device = None
        self.where.mkdir()
        with open(self.image, "wb") as f:
            f.truncate(megabytes << 20)
        # Not lazily: what the kernel would set up in the background would be counted. Blocks as on any
        # disk of some size, which a small image would not have.
        _run("mkfs.ext4", "-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0",
             self.image)
        self.device = _run("losetup", "--find", "--show", self.image)
        try:
            _run("mount", "-o", "noatime", self.device, self.where)
        except subprocess.CalledProcessError:
            self._detach()
            raise

    def written(self):
        """Everything that was ever written, once nothing waits in memory."""
        _run("sync", "-f", self.where)
        stat = pathlib.Path(f"/sys/block/{pathlib.Path(self.device).name}/stat").read_text().split()
        # Documentation/block/stat.rst: write sectors, flush I/Os
        return Written(int(stat[6]) * SECTOR, int(stat[15]))

    def _detach(self):
        _run("losetup", "--detach", self.device)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        _run("umount", self.where)
        self._detach()
        self.image.unlink()
