#!/bin/bash
# Planted bugs, one at a time: which of them does the simulation find, and after how many seeds?
# mutants.sh TREE WORK SEEDS [NAME]…: TREE is left alone, WORK is a folder to build in.
set -euo pipefail
tree=$1 work=$2 seeds=$3
shift 3
cd "$tree"

# A copy of the sources with a build of its own, in which only what a patch touches is built anew.
mkdir -p "$work"
rm -rf "$work/tree"
git ls-files -co --exclude-standard | tar -c -T - -f - | (mkdir "$work/tree" && tar -x -C "$work/tree" -f -)
cd "$work/tree"
autoreconf -fi >/dev/null 2>&1
(mkdir build && cd build && ../configure --quiet CFLAGS='-O2 -g')
make -C build -s -j"$(nproc)" tests/sim/sim >/dev/null

found=0 missed=0
for patch in tests/sim/mutants/*.patch; do
	name=$(basename "$patch" .patch)
	if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
	patch -s -p1 <"$patch"
	make -C build -s -j"$(nproc)" tests/sim/sim >/dev/null
	line=$(build/tests/sim/sim --seeds "1-$seeds" --first --no-shrink 2>/dev/null | grep FAILED | head -1) || true
	patch -s -R -p1 <"$patch"
	if [[ $line =~ ^seed=([0-9]+)\ .*FAILED:\ ([^,:]*) ]]; then
		found=$((found + 1))
		printf '%-28s seed %-5s %s\n' "$name" "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
	else
		missed=$((missed + 1))
		printf '%-28s survived %s seeds: %s\n' "$name" "$seeds" "$(head -1 "$patch")"
	fi
done
printf '%s passed, %s failed\n' "$found" "$missed"
[ "$missed" = 0 ]
