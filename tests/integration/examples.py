"""Every command and every example of README.md, of the man pages and of docs, as they stand there.

    for command in commands():                    # each with its file, line and shown output
        ...
    for command in installed_examples():          # those that need an installed system, in order

How an example is written
- README.md and docs: in a fence. ```sh holds commands, one a line; ```console holds commands behind
  `$ `, each with what it prints. Everything else has a word of its own: json, ini, text …
- Man pages: `.Dl $ command`, or a display (`.Bd -literal`), where each `$ ` begins a command and
  what follows is what it prints. A display without `$ ` is an example of something else.
- A line that ends with a backslash goes on in the next one. Behind two blanks and a # stands a
  comment.
- `...` alone on a line of output stands for any lines.
- A display behind a paragraph that begins with `.Pa name`, a fence behind a line that ends with
  `` `name`: ``, and a fence whose word is followed by a name (```json payload), is that file.

Where a command can be run is said by its first word: WHERE below. What has none of these words is
a fault: test_examples.py fails.
"""
import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "man").glob("*.[1-9]")),
         *sorted((ROOT / "docs").glob("*.md"))]

# The first word of a command, and where it is run: `here` by test_examples.py, with the programs of
# the build; `installed` on a machine that has the packages; `library` by test_api_library.py; `tree` are
# the words of ./dev.
WHERE = {
    **dict.fromkeys(("punchd", "punchctl", "punch-sandbox", "punch-terminal", "mosquitto_pub",
                     "mosquitto_sub", "mosquitto_rr", "punch-report-pdf", "curl", "sqlite3", "openssl"), "here"),
    **dict.fromkeys(("sudo", "apt", "apt-get", "systemctl", "systemd-creds", "journalctl",
                     "cp", "mv", "rm", "install"), "installed"),
    "cc": "library",
    "./dev": "tree",
}


@dataclasses.dataclass(frozen=True)
class Command:
    """shown: what the page says that it prints, None where it says nothing."""
    file: str
    line: int
    text: str
    shown: str | None = None

    @property
    def where(self):
        """KeyError: by no rule."""
        return WHERE[self.text.split()[0]]

    @property
    def asks_for_key(self):
        """It reads the API key from its standard input."""
        return "/dev/stdin" in self.text

    def __str__(self):
        return f"{self.file}:{self.line}: {self.text}"


@dataclasses.dataclass(frozen=True)
class Block:
    """A display or a fence without commands. kind: a fence's word, `display` for one of a man page.
    name: the file that it is, None where it is none."""
    file: str
    line: int
    kind: str
    text: str
    name: str | None

    def __str__(self):
        return f"{self.file}:{self.line}"


# ---- commands of a piece of text

def _without_comment(line):
    return re.sub(r"\s{2,}#.*$", "", line).strip()


def _joined(lines):
    """(index, line), what a backslash continues made one."""
    at = 0
    while at < len(lines):
        first, line = at, lines[at]
        while line.endswith("\\") and at + 1 < len(lines):
            at += 1
            line = line[:-1].rstrip() + " " + lines[at].strip()
        at += 1
        yield first, line


def _of_console(file, line, lines):
    """`$ ` begins a command, the rest is what it prints."""
    found = []
    for at, text in _joined(lines):
        if text.startswith("$ "):
            found.append([line + at, _without_comment(text[2:]), []])
        elif found:
            found[-1][2].append(text)
    return [Command(file, at, text, "\n".join(shown).strip("\n") or None)
            for at, text, shown in found]


def _of_script(file, line, lines):
    return [Command(file, line + at, _without_comment(text)) for at, text in _joined(lines)
            if _without_comment(text) and not text.lstrip().startswith("#")]


# ---- markdown

def _markdown(path):
    file, lines = str(path.relative_to(ROOT)), path.read_text().splitlines()
    at, before = 0, ""
    while at < len(lines):
        if not (fence := re.fullmatch(r"```(.*)", lines[at])):
            assert not re.match(r"(    |\t)\S", lines[at]) or before.lstrip()[:1] in "-*1234567890|", \
                f"{file}:{at + 1}: an example stands in a fence"
            before = lines[at] or before
            at += 1
            continue
        end = lines.index("```", at + 1)
        inner, kind = lines[at + 1:end], fence[1]
        name = re.search(r"`([^`]+)`:$", before)
        if kind == "sh":
            yield from _of_script(file, at + 2, inner)
        elif kind == "console":
            yield from _of_console(file, at + 2, inner)
        else:
            word, _, called = kind.partition(" ")
            yield Block(file, at + 2, word, "\n".join(inner) + "\n",
                        name[1] if name else called or None)
        at, before = end + 1, ""


# ---- mdoc

ESCAPES = {r"\e": "\\", r"\&": "", r"\-": "-", r"\(ga": "`", r"\(aq": "'", r"\(dq": '"',
           r"\[u2026]": "…"}


def plain(text):
    """A line of mdoc as it is shown."""
    return re.sub(r"\\\[u2026\]|\\\(\w\w|\\.", lambda m: ESCAPES[m[0]], text)


def _mdoc(path):
    file, lines = str(path.relative_to(ROOT)), path.read_text().splitlines()
    at = 0
    while at < len(lines):
        if m := re.match(r"\.D[l1] (\$ .*)", lines[at]):
            line, texts = at + 1, [plain(m[1])]
            # What it prints may stand in a display right behind it.
            if at + 1 < len(lines) and lines[at + 1].startswith(".Bd -literal"):
                end = lines.index(".Ed", at)
                texts += [plain(text) for text in lines[at + 2:end]]
                at = end
            yield from _of_console(file, line, texts)
        elif m := re.match(r"\.Dl (.*)", lines[at]):
            yield Block(file, at + 1, "display", plain(m[1]) + "\n", None)
        elif lines[at].startswith(".Bd -literal"):
            end = lines.index(".Ed", at)
            inner = [plain(text) for text in lines[at + 1:end]]
            # The paragraph before it, from its first line: `.Pa name ,` and what else is said.
            start = at
            while start > 0 and not re.match(r"\.(Pp|S[hs]|E[ld])\b", lines[start - 1]):
                start -= 1
            name = re.match(r"\.Pa (\S+)", lines[start])
            if inner and inner[0].startswith("$ "):
                yield from _of_console(file, at + 2, inner)
            else:
                yield Block(file, at + 2, "display", "\n".join(inner) + "\n", name and name[1])
            at = end
        at += 1


def examples(path):
    """Commands and blocks of one page, in order."""
    return list(_markdown(path) if path.suffix == ".md" else _mdoc(path))


def commands(path=None):
    """Those of a page, or of all."""
    return [e for page in ([path] if path else PAGES) for e in examples(page)
            if isinstance(e, Command)]


def blocks(path=None):
    return [e for page in ([path] if path else PAGES) for e in examples(page)
            if isinstance(e, Block)]


def installed_examples():
    """What can only be run where the packages are installed: README.md first, each page from its top,
    in the order in which a person meets them. A command with asks_for_key is given the API key on
    its standard input; paths are from the root of the tree."""
    return [c for c in commands() if c.where == "installed"]


def installed_files():
    """{path: text} of the files below /etc that the pages show, for who runs installed_examples."""
    return {b.name: b.text for b in blocks() if b.name and b.name.startswith("/etc/")}


def mentioned():
    """(page, command) of every punchctl command that stands within a sentence."""
    for page in PAGES:
        text = page.read_text()
        for found in re.findall(r"`(punchctl [^`]+)`" if page.suffix == ".md" else
                                r"(?m)^\.Ql (punchctl .+?)(?: [.,;)])*$", text):
            yield str(page.relative_to(ROOT)), plain(found)


# ---- comparing

VOLATILE = [(re.compile(pattern), to) for pattern, to in (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|[+-]\d\d:?\d\d))?", "TIME"),
    (r"\b[0-9a-f]{32}\b|\b[0-9a-f]{12}\b", "ID"),
    (r"\b(att|evt)_\w+", r"\1_ID"),
    (r"\b\d+(\.\d+)? ?(ms|s|min|h|d|days?)\b", "SPAN"),
    (r"\bseconds=[\d.]+", "seconds=N"),
    (r"\b\d+(\.\d+)? ?(B|kB|KB|KiB|MB|MiB|GB|GiB|M|G|K)\b", "SIZE"),
    (r"\b\d+\.\d+\.\d+\b(?!\.\d)", "VERSION"),
)]


def masked(text):
    """Without times, ids, ages and sizes, and with single blanks."""
    for pattern, to in VOLATILE:
        text = pattern.sub(to, text)
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def shows(shown, real):
    """Whether the page shows what is printed, `...` for any lines."""
    parts = [re.escape(part) for part in re.split(r"(?m)^\.\.\.$", masked(shown))]
    return re.fullmatch("(?s:.*)".join(parts), masked(real)) is not None


if __name__ == "__main__":
    for each in commands():
        print(f"{each.where:10}{each}")
