"""The library that is laid over the daemon to make it die or look names up wrongly: meddle.c."""
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
MARK = "kills-the-parser"  # as in meddle.c


def environment(work):
    """Build it into the folder; the environment to start punchd in."""
    library = pathlib.Path(work) / "meddle.so"
    if not library.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, HERE / "meddle.c", "-ldl"],
                       check=True)
    # AddressSanitizer wants to be the first library, and does without.
    sanitizer = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": str(library),
            "ASAN_OPTIONS": f"{sanitizer}:verify_asan_link_order=0".lstrip(":")}
