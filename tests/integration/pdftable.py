"""What stands in the table of a PDF that punch-report-pdf made, read back by pdftotext.

    pages, rows = pdftable.read(path)

A row is id, name, department, and the five figures as they are written. Words are found by where they
stand: so a text that has run into another column is found there.
"""
import re
import subprocess
import unicodedata

COLUMNS = ("Id", "Name", "Department", "Present", "Absent", "Late", "Left", "Attendance")
WORD = re.compile(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>', re.S)
# What only says in which direction a text runs.
DIRECTION = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))


def text(path, *options):
    return subprocess.run(["pdftotext", *options, path, "-"], check=True, text=True,
                          capture_output=True).stdout


def letters(name):
    """A name without blanks; one that runs from right to left without its order, which pdftotext does
    not always find back."""
    plain = unicodedata.normalize("NFKC", name).translate(DIRECTION)
    plain = "".join(c for c in plain if not c.isspace())
    if any(unicodedata.bidirectional(c) in ("R", "AL") for c in plain):
        return "".join(sorted(plain))
    return plain


def _words(page):
    unescape = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'"}
    for x0, y0, x1, y1, word in WORD.findall(page):
        yield (float(x0), float(x1), (float(y0) + float(y1)) / 2,
               re.sub(r"&\w+;", lambda m: unescape[m[0]], word))


def _head(words):
    """Where columns begin, and where the head ends."""
    y = next(y for x0, _, y, word in words if word == "Department")
    line = [w for w in words if abs(w[2] - y) < 2]
    assert [w[3] for w in sorted(line)[:3]] == list(COLUMNS[:3])
    begin = {w[3]: w[0] for w in line}
    end = {w[3]: w[1] for w in line}
    edges = [begin["Id"], begin["Name"] - 2, begin["Department"] - 2,
             *(end[c] + 2 for c in COLUMNS[2 + 1:-1])]
    first = min(x0 for x0, x1, yy, _ in words if y - 2 < yy < y + 14 and x0 > begin["Department"] + 20)
    edges.insert(3, first - 8)
    return edges, y + 14


def read(path):
    pages, rows = text(path, "-bbox").split("<page ")[1:], []
    for page in pages:
        words = list(_words(page))
        edges, top = _head(words)
        bottom = max(y for _, _, y, word in words) - 6  # the foot
        body = sorted((w for w in words if top < w[2] < bottom), key=lambda w: w[2])
        starts = sorted(w[2] for w in body if w[0] < edges[1] and w[3].startswith("usr_"))
        for at, start in enumerate(starts):
            end = starts[at + 1] if at + 1 < len(starts) else bottom
            cells = [[] for _ in COLUMNS]
            for x0, x1, y, word in body:
                if start - 4 < y < end - 4:
                    cells[max(i for i, edge in enumerate(edges) if x0 >= edge - 1)].append((round(y / 4), x0, word))
            rows.append([" ".join(word for _, _, word in sorted(cell)) for cell in cells])
    return len(pages), rows
