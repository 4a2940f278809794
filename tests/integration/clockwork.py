"""The daemon's clock, its trust and its boots, as a test wants them: clockwork.c laid over it.

    clock = Clockwork(tmp_path, wall_s=-14 * DAY, synchronized=False)
    Gateway(…, env=clock.environment)
    clock.reboot()          # with the gateway down: another boot
    clock.set(wall_s=0, synchronized=True)
"""
import os
import pathlib
import struct
import subprocess
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent


class Clockwork:
    """wall_s and mono_s are added to this machine's clocks."""

    def __init__(self, work, wall_s=0, synchronized=True):
        library = pathlib.Path(work) / "clockwork.so"
        if not library.exists():
            subprocess.run(["cc", "-shared", "-fPIC", "-o", library, HERE / "clockwork.c"],
                           check=True)
        self.file = pathlib.Path(work) / "clockwork"
        self.wall_s, self.mono_s, self.synchronized = wall_s, 0, synchronized
        self.boot = str(uuid.uuid4())
        self._write()
        # AddressSanitizer wants to be the first library, and does without.
        sanitizer = os.environ.get("ASAN_OPTIONS", "")
        self.environment = {
            "LD_PRELOAD": str(library), "CLOCKWORK": str(self.file),
            "ASAN_OPTIONS": f"{sanitizer}:verify_asan_link_order=0".lstrip(":")}

    def _write(self):
        # In place, since it is mapped; each number is written at once.
        with open(self.file, "r+b" if self.file.exists() else "wb") as f:
            f.write(struct.pack("<qqq", self.wall_s, self.mono_s, self.synchronized) +
                    self.boot.encode())

    def set(self, wall_s=None, synchronized=None):
        if wall_s is not None:
            self.wall_s = wall_s
        if synchronized is not None:
            self.synchronized = synchronized
        self._write()

    def reboot(self, **changes):
        """Power was cut: another boot, whose monotonic time begins anew."""
        self.boot = str(uuid.uuid4())
        self.mono_s = 60 - int(time.monotonic())
        self.set(**changes)

    def advance(self, seconds):
        """The machine ran on for so long while the daemon was down."""
        self.wall_s += seconds
        self.mono_s += seconds
        self._write()

    def now(self):
        return int(time.time()) + self.wall_s
