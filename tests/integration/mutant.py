"""A punchd with a change in its sources, for tests and measurements that need one.

    tree = copy_of_tree(tmp_path / "tree")
    Gateway(build=mutant(tree, (file, old, new)), …)
"""
import shutil
import subprocess

from conftest import BUILD, ROOT

POSSIBLE = BUILD.parent == ROOT
UNNEEDED = shutil.ignore_patterns(".git", "autom4te.cache", "__pycache__", "*.log", "*.trs")


def _unneeded(folder, names):
    """What no mutant needs: other builds, first of all."""
    builds = {n for n in names if n.startswith("build")} if folder == str(ROOT) else set()
    return UNNEEDED(folder, names) | (builds - {BUILD.name, "build-aux"})


def copy_of_tree(to):
    """The sources and what is built of them, so that make has only the mutant's files to do."""
    shutil.copytree(ROOT, to, symlinks=True, ignore=_unneeded)
    return to


def _forget(build, file):
    """Its objects: the source put right again is as old as the mutant."""
    folder, _, name = file.rpartition("/")
    for stale in (build / folder).glob("*.o"):
        if stale.name.endswith(name.removesuffix(".c") + ".o"):
            stale.unlink()


def mutant(tree, *changes):
    """Build it, each change (file, old, new); the folder with the program. The sources are put right
    again afterwards."""
    build, kept = tree / BUILD.name, {}
    try:
        for file, old, new in changes:
            text = (tree / file).read_text()
            kept.setdefault(file, text)
            assert text.count(old) == 1, f"{file} has changed: the mutant no longer fits"
            (tree / file).write_text(text.replace(old, new))
        subprocess.run(["make", "-C", build, "-s", "punchd"], check=True)
        shutil.copy(build / "punchd", tree / "punchd")
    finally:
        for file, text in kept.items():
            (tree / file).write_text(text)
            _forget(build, file)
    return tree
