"""punch-terminal for tests.

    with Terminal(broker.port, "--terminals", "20", "--count", "500", build=build) as t:
        summary = t.wait()          # {"sent": 10000, …, "code": 0}
        t.acked(), t.sent()         # from its journal, by (serial, id)
"""
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile

from conftest import BUILD


class Terminal:
    """One run or several, which share the journal, and the keep if keep is true. under: the folder
    for its own folder."""

    def __init__(self, port, *options, build=BUILD, keep=False, under=None, start=True):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="terminal-", dir=under))
        self.program = pathlib.Path(build) / "punch-terminal"
        self.journal = self.dir / "journal"
        self.keep = self.dir / "keep" if keep else None
        self.log = self.dir / "log"
        self.port = port
        self.options = [str(o) for o in options]
        self.process = None
        if start:
            self.start()

    def command(self, *more):
        line = [str(self.program), "--port", str(self.port), "--journal", str(self.journal)]
        if self.keep:
            line += ["--keep", str(self.keep)]
        return line + self.options + [str(m) for m in more]

    def start(self, *more):
        assert self.process is None
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(*more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                text=True)
        return self

    def wait(self, timeout=60):
        """Wait for its end; its summary as numbers, and its exit code as "code"."""
        out, _ = self.process.communicate(timeout=timeout)
        code = self.process.returncode
        self.process = None
        summary = dict(pair.split("=") for pair in out.split())
        return {k: float(v) if k == "seconds" else int(v) for k, v in summary.items()} | {
            "code": code}

    def stop(self):
        """Switch it off in order; its summary."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        """kill -9, as when its plug is pulled."""
        self.process.kill()
        self.process.communicate()
        self.process = None

    def done(self):
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    # ---- what its journal says

    def events(self):
        if not self.journal.exists():
            return []
        text = self.journal.read_text()
        # The last line may be under way.
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def sent(self):
        """(serial, id) -> the punch, of all that were ever made."""
        return {(e["serial"], e["id"]): e for e in self.events() if e["event"] in ("sent", "kept")}

    def acked(self):
        """(serial, id) -> the ack that ended it."""
        return {(e["serial"], e["id"]): e for e in self.events() if e["event"] == "ack"}

    def messages(self):
        return self.log.read_text(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.done()
