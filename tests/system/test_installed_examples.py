"""The commands of README, man pages and docs that need an installed system, in their order, on a machine
on which nothing of ours was installed before. The others are run by integration/test_examples.py."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import examples

HOME = "/root"


def run(machine, command):
    stdin = "a-key-of-the-site\n" if command.asks_for_key else None
    return machine.run("bash", "-c", f"cd {HOME}; {command.text}", check=False, stdin=stdin)


def test_the_installed_examples(bare, debs):
    for deb in debs.values():
        bare.bring(deb, f"{HOME}/{deb.name}")
    # What a person says when apt asks back.
    bare.put("/etc/apt/apt.conf.d/90yes", 'APT::Get::Assume-Yes "true";\n')
    files = {name: text for name, text in examples.installed_files().items()
             if name.startswith("/etc/punchd/")}
    found = examples.installed_examples()
    assert len(found) > 8
    for command in found:
        if command.file != "README.md":
            # The pages' own files are there from then on.
            for name, text in files.items():
                bare.put(name, text)
        # The service finds the broker again a moment after that was started anew, and what a person
        # asks again may be asked again here.
        looks = command.text.startswith(("sudo punchctl doctor", "systemctl status"))
        done = run(bare, command)
        if looks and done.code != 0:
            bare.wait(lambda: run(bare, command).code == 0, lambda: f"{command}\n{done.out}", 30)
            continue
        assert done.code == 0, f"{command}\n{done.out}{done.err}"
        if command.shown is not None:
            assert examples.shows(command.shown, done.out), f"{command}\n{done.out}"
