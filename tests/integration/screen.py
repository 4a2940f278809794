"""A terminal for programs that draw: a pty, and as much of an emulator as shows what stands on it.

    with Terminal([program, "watch"], columns=100, rows=30) as t:
        wait_for(lambda: "delivered" in t.text(), "a punch on the screen")
        t.keys("q")
        assert t.wait() == 0
"""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import unicodedata

ESCAPE = re.compile(rb"\x1b\[(\??)([0-9;]*)([A-Za-z])")


class Emulator:
    """Rows of text. Knows what punchctl sends, and fails on anything else. Columns are wcwidth's."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.alternate, self.cursor, self.colours = False, True, False
        self.erased = 0  # how often the whole screen was
        self.clear()

    def clear(self):
        self.lines = [[] for _ in range(self.rows)]
        self.x = self.y = 0

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.clear()

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.lines)

    def feed(self, data):
        """Returns what is not whole yet."""
        while data:
            if data[:1] == b"\x1b":
                match = ESCAPE.match(data)
                if not match:
                    assert len(data) < 16, data[:40]
                    return data
                self.escape(*match.groups())
                data = data[match.end():]
                continue
            end = data.find(b"\x1b")
            part = data if end < 0 else data[:end]
            try:
                text = part.decode()
            except UnicodeDecodeError as error:
                assert error.start >= len(part) - 3, part
                self.put(part[:error.start].decode())
                return data[error.start:]
            self.put(text)
            data = data[len(part):]
        return b""

    def escape(self, private, numbers, letter):
        what = private + numbers + letter
        if what == b"H":
            self.x = self.y = 0
        elif what == b"K":
            del self.lines[self.y][self.x:]
        elif what == b"J":
            self.erased += (self.x, self.y) == (0, 0)
            del self.lines[self.y][self.x:]
            for line in self.lines[self.y + 1:]:
                line.clear()
        elif letter == b"m" and not private:
            self.colours |= numbers != b"0"
        elif what in (b"?1049h", b"?1049l"):
            self.alternate = letter == b"h"
            self.clear()
        elif what in (b"?25h", b"?25l"):
            self.cursor = letter == b"h"
        else:
            raise AssertionError(f"an escape sequence {what!r}")

    def put(self, text):
        for c in text:
            if c == "\r":
                self.x = 0
            elif c == "\n":
                self.y += 1
                if self.y == self.rows:
                    self.lines = self.lines[1:] + [[]]
                    self.y -= 1
            else:
                self.put_character(c)

    def put_character(self, c):
        assert c.isprintable() or unicodedata.category(c) == "Cf", f"U+{ord(c):04X}"
        line = self.lines[self.y]
        if unicodedata.category(c) in ("Mn", "Me", "Cf"):
            line[self.x - 1] += c
            return
        width = 2 if unicodedata.east_asian_width(c) in "WF" else 1
        line += [" "] * (self.x - len(line))
        line[self.x:self.x + width] = [c] + [""] * (width - 1)
        self.x += width


class Terminal:
    def __init__(self, command, columns=100, rows=30, env=None, stderr=None):
        self.emulator = Emulator(columns, rows)
        self.lock = threading.Lock()
        self.raw = b""
        self.fault = None
        self.master, self.slave = pty.openpty()
        self.mode = termios.tcgetattr(self.slave)
        self._set_size(columns, rows)
        environment = os.environ | {"TERM": "xterm"} | (env or {})
        if not env or "NO_COLOR" not in env:
            environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(
            [str(c) for c in command], stdin=self.slave, stdout=self.slave,
            stderr=stderr or self.slave, env=environment, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _set_size(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self):
        rest = b""
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            with self.lock:
                self.raw += data
                try:
                    rest = self.emulator.feed(rest + data)
                except AssertionError as error:
                    self.fault = error
                    return

    def text(self):
        with self.lock:
            if self.fault:
                raise self.fault
            return self.emulator.text()

    def lines(self):
        return self.text().split("\n")

    def output(self):
        """All that was written, for programs that only print."""
        self.text()
        with self.lock:
            return self.raw.decode()

    def keys(self, keys):
        os.write(self.master, keys.encode())

    def resize(self, columns, rows):
        """The kernel tells the program."""
        with self.lock:
            self.emulator.resize(columns, rows)
        self._set_size(columns, rows)

    def as_it_was(self):
        """Whether the terminal is in the mode in which the program found it."""
        return termios.tcgetattr(self.slave) == self.mode

    def signal(self, signo):
        self.process.send_signal(signo)

    def wait(self, timeout=20):
        """Its exit code, when all that it wrote is read."""
        code = self.process.wait(timeout)
        if self.slave >= 0:
            self.was_restored = self.as_it_was()
            os.close(self.slave)
            self.slave = -1
        self.reader.join(timeout)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        os.close(self.master)
