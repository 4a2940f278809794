#!/bin/bash
# Broker, cloud, gateway and terminals on the loopback, with temporary data: ./dev demo [--once].
#
# Without --once it shows punches flow until q or Ctrl-C. With it, it sends a fixed number of punches
# and ends with 0 only if the cloud has every one of them, once, and the doctor finds nothing wrong.
set -euo pipefail
build=$1
once=${2:-}
readonly terminals=5 people=20 punches=40 # of each terminal, with --once
readonly plan=100 window=3                # the cloud takes so many requests in so many seconds

dir=$(mktemp -d)
pids=()
PATH=$PATH:/usr/sbin

finish() {
	local pid
	trap - EXIT INT TERM
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	wait 2>/dev/null || true
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM
[ "$once" ] || trap 'exit 0' INT

say() { printf '%s\n' "$*" >&2; }
fail() {
	say "demo: $1"
	tail -n 30 "$dir"/*.log >&2 || true
	exit 1
}

# until_true WHAT SECONDS COMMAND…: wait for a condition.
until_true() {
	local what=$1 deadline=$((SECONDS + $2))
	shift 2
	until "$@"; do
		[ $SECONDS -lt $deadline ] || fail "waited in vain: $what"
		sleep 0.1
	done
}

accepts() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
cloud() { # PATH: what the sandbox says, as JSON
	python3 -c 'import ssl, sys, urllib.request as u
c = ssl.create_default_context(cafile=sys.argv[1])
print(u.urlopen(sys.argv[2], context=c, timeout=10).read().decode())' \
		"$dir/cloud/ca.pem" "$origin$1"
}
field() { python3 -c 'import json, sys
d = json.load(sys.stdin)
for k in sys.argv[1].split("."): d = d[k]
print(d)' "$1"; }
ctl() { "$build/punchctl" --socket "$dir/punchd.sock" "$@"; }
answers() { ctl status >/dev/null 2>&1; }
connected() { [ "$(ctl status --json | field mqtt.connected)" = True ]; }
# Whether so many are delivered; tells how the queue gets shorter.
delivered() {
	local status queued
	status=$(ctl status --json)
	queued=$(field queue.queued <<<"$status")
	[ "$queued" = "${told:-}" ] || say "queue: $queued wait for the cloud"
	told=$queued
	[ "$(field counts.delivered <<<"$status")" -ge "$1" ]
}

# ---- the broker, as punchd ships its settings
port=$(free_port)
mkdir "$dir/broker"
{
	cat etc/mosquitto/punchd.conf
	printf 'listener %s 127.0.0.1\nallow_anonymous true\nuser %s\n' "$port" "$(id -un)"
	printf 'persistence true\npersistence_location %s/broker/\n' "$dir"
} >"$dir/mosquitto.conf"
mosquitto -c "$dir/mosquitto.conf" >"$dir/broker.log" 2>&1 &
pids+=($!)
until_true "the broker listens" 20 accepts "$port"

# ---- the cloud
serials=$(seq -s, -f 'BIO-FP-%03g' 1 $terminals)
"$build/punch-sandbox" --listen 127.0.0.1:0 --data "$dir/cloud" --key demo-key --users $people \
	--devices "$serials" --plan $plan --window ${window}s >"$dir/ready" 2>"$dir/cloud.log" &
pids+=($!)
until_true "the sandbox serves" 30 grep -q '^ready ' "$dir/ready"
base_url=$(cut -d' ' -f2 "$dir/ready")
origin=${base_url%/v1}

# ---- the gateway
(umask 077 && printf 'demo-key\n' >"$dir/api.key")
cat >"$dir/punchd.conf" <<-CONF
	[api]
	base_url = $base_url
	ca_file = $dir/cloud/ca.pem
	key_file = $dir/api.key
	[mqtt]
	port = $port
	client_id = punchd-demo
	[site]
	name = demo
	[store]
	path = $dir/punchd.db
	[control]
	socket = $dir/punchd.sock
	group =
CONF
"$build/punchd" -c "$dir/punchd.conf" >"$dir/punchd.log" 2>&1 &
pids+=($!)
until_true "punchd answers" 20 answers
until_true "punchd reaches the broker" 20 connected
ctl sync --wait >/dev/null || fail "users and devices could not be fetched"

# ---- the terminals
# In place of the subshell that calls it, so that finish ends the program itself.
play() {
	exec "$build/punch-terminal" --port "$port" --terminals $terminals --users $people "$@"
}

if [ "$once" = --once ]; then
	say "demo: $terminals terminals send $punches punches each; the cloud takes $plan in $window s"
	summary=$(play --count $punches --timeout 120s 2>"$dir/terminals.log") ||
		fail "not every punch was acknowledged: $summary"
	say "terminals: $summary"
	total=$((terminals * punches))
	until_true "everything is delivered" 120 delivered $total
	ctl status
	echo
	ctl doctor --broker-conf "$dir/mosquitto.conf" || fail "the doctor is not content"
	echo
	records=$(cloud /_sandbox/stats | field data.records)
	keys=$(cloud /_sandbox/stats | field data.keys)
	say "cloud: $records records under $keys keys, of $total punches"
	if [ "$records" != $total ] || [ "$keys" != $total ]; then fail "the cloud lacks punches, or has too many"; fi
	say "demo: every punch arrived, once"
	exit 0
fi

play --count 0 --rate 0.3 --quiet >/dev/null 2>"$dir/terminals.log" &
pids+=($!)
say "demo: base_url $base_url, socket $dir/punchd.sock, broker 127.0.0.1:$port"
ctl watch --interval 500ms
