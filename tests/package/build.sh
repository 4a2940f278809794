#!/bin/bash
# Build the Debian packages and have lintian look at them: tests/package/build.sh [--twice] [RELEASE].
#
# What is built is the tree as it stands: all that git tracks, and new files that it does not ignore,
# so that a change that is not committed yet is not left out in silence. It is copied first, and the
# tree is not touched. The results lie in build-packages/RELEASE.
#
# The machine's own release builds here, any other in a chroot of its own, made from the apt sources
# that the machine has, kept in build-packages/chroot-RELEASE and without network while it builds.
#
# --twice builds again in another folder, and fails where a package then is another one.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'package: %s\n' "$*" >&2; exit 1; }

twice=
[ "${1:-}" != --twice ] || { twice=yes && shift; }
# shellcheck disable=SC1091 # a file of the machine
own=$(. /etc/os-release && echo "$VERSION_CODENAME")
release=${1:-$own}
folder=$PWD/build-packages
out=$folder/$release
chroot=$folder/chroot-$release
version=$(dpkg-parsechangelog -S Version)
stamp=$(dpkg-parsechangelog -S Timestamp)
readonly own release folder out chroot version stamp

# Every file is as old as the last entry of the changelog: so nothing of this checkout's hours gets
# into the packages.
export_tree() {
	local to=$1
	mkdir -p "$to"
	git ls-files -z -co --exclude-standard --deduplicate |
		while IFS= read -r -d '' name; do
			[ ! -e "$name" ] && [ ! -L "$name" ] || printf '%s\0' "$name"
		done |
		tar -c --null --no-recursion -T - --mtime="@$stamp" | tar -x -C "$to"
}

# ---- a chroot of another release

# The machine's own archive, as apt knows it.
archive() { apt-get indextargets --format "\$(REPO_URI)" "Codename: $1" "Origin: Debian" |
	head -n 1; }

sources() {
	local main security
	main=$(archive "$own")
	security=$(archive "$own-security")
	[ -n "$main" ] || die "apt knows no archive of $own: run apt-get update"
	printf 'deb %s %s main\n' "$main" "$release"
	[ -z "$security" ] || printf 'deb %s %s-security main\n' "$security" "$release"
}

make_chroot() {
	[ ! -d "$chroot" ] || return 0
	[ "$(id -u)" = 0 ] || die "a chroot needs root"
	say "making a chroot of $release"
	rm -rf "$chroot.part"
	sources | mmdebstrap --quiet --variant=buildd --include=lintian "$release" "$chroot.part" -
	mv "$chroot.part" "$chroot"
}

# within NETWORK COMMAND…: in the chroot; NETWORK is yes, or no for nothing but a loopback. What is
# mounted for it is gone when it ends.
within() {
	local unshare=(unshare --mount --pid --fork --kill-child)
	[ "$1" = yes ] || unshare+=(--net)
	# shellcheck disable=SC2016 # the inner shell's
	"${unshare[@]}" sh -ec '
		[ "$2" = yes ] || ip link set lo up
		mount --rbind /dev "$1/dev"
		mount -t proc proc "$1/proc"
		cd /
		tree=$1
		shift 2
		exec chroot "$tree" "$@"' sh "$chroot" "$1" "${@:2}"
}

prepare_chroot() {
	make_chroot
	rm -rf "$chroot/build"
	mkdir "$chroot/build"
	cp -a "$1" "$chroot/build/"
	cp /etc/resolv.conf "$chroot/etc/resolv.conf"
	within yes sh -ec 'export DEBIAN_FRONTEND=noninteractive
		apt-get update -qq
		cd /build/*/
		apt-get build-dep -y -qq ./ >/dev/null'
}

# ---- building; $1 is the folder with the tree, ends with the packages beside it

build_here() { (cd "$1" && dpkg-buildpackage -us -uc -j"$(nproc)" >"$2" 2>&1); }

build_in_chroot() {
	local name
	name=$(basename "$1")
	prepare_chroot "$1"
	within no env "DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS:-}" sh -ec \
		"cd '/build/$name' && dpkg-buildpackage -us -uc -j$(nproc)" >"$2" 2>&1 || return
	find "$chroot/build" -maxdepth 1 -type f -exec cp -t "$(dirname "$1")" {} +
}

look_here() { lintian --allow-root --fail-on error,warning --tag-display-limit 0 --info "$1"; }
look_in_chroot() {
	within no lintian --allow-root --fail-on error,warning --tag-display-limit 0 --info \
		"/build/$(basename "$1")"
}

where=here
[ "$release" = "$own" ] || where=in_chroot

# build FOLDER: its packages and build.log end there.
build() {
	local tree=$1/punchd-$version log=$1/build.log
	mkdir -p "$1"
	export_tree "$tree"
	"build_$where" "$tree" "$log" || {
		tail -n 60 "$log" >&2
		die "it does not build: $log"
	}
	rm -rf "$tree"
	! grep -n 'warning:' "$log" || die "the compiler warns: $log"
}

build_again() {
	local deb
	say "building once more, elsewhere"
	DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:+$DEB_BUILD_OPTIONS }nocheck" build "$out/once-more"
	for deb in "$out"/*.deb; do
		cmp "$deb" "$out/once-more/$(basename "$deb")" || die "it is another one: $deb"
	done
	rm -rf "$out/once-more"
	say "the packages are the same"
}

[ -z "$(git status --porcelain)" ] || say "with changes that are not committed"
say "building punchd $version for $release"
rm -rf "$out"
build "$out"
[ -z "$twice" ] || build_again
say "lintian"
"look_$where" "$out/"*.changes || die "lintian finds fault"
say "lintian finds neither errors nor warnings"
printf '%s\n' "$out"/*.deb
