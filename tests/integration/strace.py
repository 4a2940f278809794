"""What a process asked the kernel, from strace.

    g = Gateway(wrap=strace.command(path, "pwrite64,fdatasync"), …)
    … g.stop()
    for call in strace.calls(path): …

With -D the traced program is the child that a test started, so that its signals and its exit code
are the program's own.
"""
import re

from waiting import wait_for

LINE = re.compile(
    r"(?P<pid>\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>(?P<rest>.*)|(?P<name>\w+)\((?P<args>.*))$")
FD = re.compile(r"(?P<fd>\d+)(?:<(?P<what>(?:->|[^<>]|<[^<>]*>)*)>)?")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
UNFINISHED = " <unfinished ...>"


class Call:
    """One system call. begun and ended are its place among all calls' beginnings and ends, so
    a.ended < b.begun means: over before the other began."""

    def __init__(self, name, begun, ended, args, result):
        self.name, self.begun, self.ended, self.result = name, begun, ended, result
        found = FD.match(args)
        self.fd = int(found["fd"]) if found else None
        self.what = unescape(found["what"] or "") if found else ""
        self.args = args

    @property
    def data(self):
        """The bytes that were handed over."""
        texts = b"".join(bytes.fromhex(t.replace("\\x", "")) for t in TEXT.findall(self.args))
        return texts[:max(self.result, 0)]

    def __repr__(self):
        return f"<{self.begun} {self.name} {self.fd} {self.what} = {self.result}>"


def unescape(text):
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), text)


def command(path, names, *more):
    return ["strace", "-D", "-f", "-yy", "-xx", "-s", "70000", "-e", f"trace={names}",
            "-e", "signal=none", "-o", path, *more]


def calls(path):
    """All calls of a program that has ended."""
    text = wait_for(lambda: _whole(path), f"the end of {path}")
    return list(_read(text.splitlines()))


def _whole(path):
    text = path.read_text()
    return text if re.search(r"\+\+\+ (exited|killed)[^\n]*\n\Z", text) else None


def _read(lines):
    begun = {}  # pid -> place and text of its call that was interrupted by another thread's line
    for place, line in enumerate(lines):
        found = LINE.match(line)
        if not found:
            continue
        start = place
        if found["resumed"]:
            name = found["resumed"]
            start, args = begun.pop(found["pid"], (place, ""))
            args += found["rest"]
        else:
            name, args = found["name"], found["args"]
            if args.endswith(UNFINISHED):
                begun[found["pid"]] = place, args[:-len(UNFINISHED)]
                continue
        ended = re.search(r"\) += (-?\d+)", args[-200:])
        if ended:
            yield Call(name, start, place, args, int(ended[1]))
