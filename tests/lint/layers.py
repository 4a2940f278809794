#!/usr/bin/python3
"""Check the includes of src/ against src/LAYERS: none up, none sideways out of turn, no circle."""
import pathlib
import re
import sys

# Installed: there it stands without a folder, and so do those beside it.
INSTALLED = {"api/punch-api.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def read_rules(path):
    """folder -> (floor, names it may include)"""
    rules = {}
    for line in path.read_text().splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        head, _, allowed = line.partition(":")
        floor, folder = head.split()
        rules[folder] = (int(floor), set(allowed.split()))
    return rules


def check_rules(rules):
    """The rules themselves: nothing unknown, nothing above."""
    for folder, (floor, allowed) in rules.items():
        for name in allowed:
            target = name.split("/")[0]
            if target not in rules:
                yield f"LAYERS: {folder} may include {name}, which is no folder of LAYERS"
            elif rules[target][0] > floor:
                yield f"LAYERS: {folder} may include {name}, which is above it"


def check_file(src, path, rules, graph):
    here = path.relative_to(src).as_posix()
    folder = here.split("/")[0]
    if folder not in rules:
        yield f"{here}: its folder is not in LAYERS"
        return
    for include in INCLUDE.findall(path.read_text()):
        if here in INSTALLED and "/" not in include:
            include = f"{folder}/{include}"
        target = include.split("/")[0]
        if not (src / include).exists() and "/" in include:
            yield f"{here}: includes {include}, which does not exist under src/"
        elif "/" not in include:
            yield f'{here}: includes "{include}": name its folder'
        elif target != folder and not {target, include} & rules[folder][1]:
            yield f"{here}: includes {include}, which src/LAYERS does not allow to {folder}/"
        graph.setdefault(here, set()).add(include)


def circles(graph):
    """Headers that include each other, each circle once."""
    done, path, found = set(), [], []

    def walk(node):
        if node in path:
            found.append(path[path.index(node):] + [node])
            return
        if node in done:
            return
        path.append(node)
        for target in sorted(graph.get(node, ())):
            walk(target)
        path.pop()
        done.add(node)

    for node in sorted(graph):
        walk(node)
    return found


def main():
    src = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    rules = read_rules(src / "LAYERS")
    faults, graph = list(check_rules(rules)), {}
    for path in sorted(src.rglob("*.[ch]")):
        faults += check_file(src, path, rules, graph)
    headers = {k: v for k, v in graph.items() if k.endswith(".h")}
    faults += ["circle: " + " -> ".join(c) for c in circles(headers)]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
