"""docs/api/statements.md: each statement of the cloud's documentation has its two proofs, and they exist."""
import re

import pytest

from conftest import ROOT

PAGE = (ROOT / "docs/api/statements.md").read_text()
ROW = re.compile(r"^\| (\d+) \| (.+) \| (.+) \| (.+) \|$", re.M)
COLUMNS = ("sandbox", "punchd")
REFERENCE = re.compile(r"`((?:unit/)?test_\w+\.(?:py|c))::(test_\w+)`")

# Cells that wait for what is not there yet: (row, column). None does, and a new statement needs both.
WAITING = set()


def cells():
    for number, _, *proofs in ROW.findall(PAGE):
        for column, cell in zip(COLUMNS, proofs):
            yield (int(number), column), cell


def test_the_table_is_whole():
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| no.")]
    rows = ROW.findall(PAGE)
    assert len(lines) == len(rows) >= 100
    assert [int(number) for number, *_ in rows] == list(range(1, len(rows) + 1))
    assert len({text for _, text, *_ in rows}) == len(rows)
    headings = {re.sub(r"[^a-z]", "", h.lower()) for h in re.findall(r"(?m)^## (.+)$", PAGE)}
    assert {"groundrules", "users", "devices", "attendance", "reports", "ratelimits", "webhooks"} <= headings
    assert sum("*(open)*" in text for _, text, *_ in rows) >= 5


def test_what_waits_is_what_is_said_to_wait():
    waiting = {key for key, cell in cells() if cell == "waiting"}
    assert waiting == WAITING, "the list and the table differ"


@pytest.mark.parametrize("column", COLUMNS)
def test_no_cell_is_empty_and_every_test_is_there(column):
    for (row, of), cell in cells():
        if of != column or cell == "waiting":
            continue
        named = REFERENCE.findall(cell)
        assert named and ", ".join(f"`{file}::{name}`" for file, name in named) == cell, (row, cell)
        for file, name in named:
            assert name in defined_in(file), f"row {row}: {file} has no {name}"


def defined_in(file):
    if file.startswith("unit/"):
        text = (ROOT / "tests" / file).read_text()
        # Written, and in the list of those that run.
        return {name for name in re.findall(r"(?m)^static void (test_\w+)\(", text)
                if re.search(rf"\(\s*{name}\s*[,)]", text[text.rindex("int main("):])}
    path = ROOT / "tests/integration" / file
    return set(re.findall(r"(?m)^def (test_\w+)\(", path.read_text()))
