import os
import pathlib
import sys

import pytest

import container
import tree as trees

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

sys.path.insert(0, str(HERE))


def pytest_configure(config):
    config.addinivalue_line("markers", "slice: in every ./dev test, and not only in ./dev system-test")


def packages():
    """{name: path} of what ./dev package has built of this tree."""
    folder = pathlib.Path(os.environ.get("PUNCHD_PACKAGES",
                                         ROOT / "build-packages" / trees.release()))
    found = {}
    for path in folder.glob("*.deb"):
        name = path.name.split("_")[0]
        # What is only compiled against is nothing for a machine that runs it.
        if not name.endswith(("-dbgsym", "-dev")):
            found[name] = path
    return found


@pytest.fixture(scope="session")
def debs():
    found = packages()
    assert set(found) >= {"punchd", "punch-sandbox"}, "run ./dev package first"
    return found


@pytest.fixture(scope="session")
def tree(debs):
    assert container.why_not() is None, container.why_not()
    return trees.bare_tree(debs.values())


@pytest.fixture
def bare(tree):
    """A machine on which nothing of ours was ever installed."""
    with container.Container([tree]) as machine:
        yield machine


@pytest.fixture(scope="session")
def installed_layer(tree, debs):
    """What installing both packages has changed, once for all tests."""
    with container.Container([tree]) as machine:
        container.install(machine, debs.values())
        machine.shut_down()
        with machine.keep_layer() as layer:
            yield layer


@pytest.fixture
def machine(tree, installed_layer):
    """A machine with both packages, as they are after installing."""
    with container.Container([installed_layer, tree]) as running:
        yield running
