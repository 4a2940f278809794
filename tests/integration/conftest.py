"""What all integration tests share: their helpers by name, and where the programs are."""
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("PUNCHD_BUILD", ROOT / "build")).resolve()

if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))


def pytest_configure():
    from overheard import Overheard
    Overheard.on = True


@pytest.fixture(autouse=True)
def documented():
    """What was seen and is not so in docs/api fails the test, whoever swallowed the exception."""
    import contract
    yield
    seen = list(contract.violations)
    contract.violations.clear()
    assert not seen, "\n".join(seen[:10])


@pytest.fixture(scope="session")
def build():
    """The build folder, from PUNCHD_BUILD or the tree's own."""
    return BUILD
