# shellcheck shell=bash
# Bash completion for punchctl(1).

# begin: tests/unit/test_ctl_pages writes this from src/ctl/vocabulary.c
_punchctl_commands='status watch punches trace release retry discard amend users devices sync pause resume lobby link unlink links report alarms doctor try-profile'
_punchctl_options='--socket --json --utc --timeout --help --version'
_punchctl_options_of() {
	case $1 in
	watch) echo '--interval --count' ;;
	punches) echo '--state --reason --user --device --from --to --limit' ;;
	release) echo '--state --reason --user --device --from --to --note' ;;
	retry) echo '--state --reason --user --device --from --to --note' ;;
	discard) echo '--state --reason --user --device --from --to --note' ;;
	amend) echo '--type --time --received --user --note' ;;
	users) echo '--limit --name --email --phone --department --link --device --all --force' ;;
	sync) echo '--wait' ;;
	link) echo '--device --note' ;;
	unlink) echo '--device --note' ;;
	links) echo '--dry-run --allow-unknown --note' ;;
	report) echo '--from --to --user --department --format --local --compare --output' ;;
	doctor) echo '--broker-conf' ;;
	try-profile) echo '--zone' ;;
	esac
}
# Fails where an option takes no value.
_punchctl_values_of() {
	case $1 in
	--socket) echo 'FILE' ;;
	--timeout) echo '' ;;
	--state) echo 'queued held delivered suppressed parked discarded' ;;
	--reason) echo 'unknown_user unknown_device inactive_device no_direction no_time future_time stale before_start in_doubt restored double_tap malformed bad_time too_large crashed exported api_400 api_403 api_404 api_409 api_422' ;;
	--user) echo '' ;;
	--device) echo '' ;;
	--from) echo '' ;;
	--to) echo '' ;;
	--limit) echo '' ;;
	--interval) echo '' ;;
	--count) echo '' ;;
	--broker-conf) echo 'FILE' ;;
	--zone) echo '' ;;
	--note) echo '' ;;
	--type) echo 'check_in check_out' ;;
	--time) echo '' ;;
	--name) echo '' ;;
	--email) echo '' ;;
	--phone) echo '' ;;
	--department) echo '' ;;
	--link) echo '' ;;
	--format) echo 'json csv pdf' ;;
	--output) echo 'FILE' ;;
	*) return 1 ;;
	esac
}
# end

# The command among the words so far, if there is one yet.
_punchctl_command() {
	local i word
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		=) ((i++)) ;;
		-*) _punchctl_values_of "$word" >/dev/null && [ "${COMP_WORDS[i + 1]}" != = ] && ((i++)) ;;
		*) echo "$word" && return ;;
		esac
	done
}

_punchctl() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} values command
	# --option=VALUE comes as three words.
	[ "$current" != = ] || { before=$current current=; }
	[ "$before" != = ] || before=${COMP_WORDS[COMP_CWORD - (${#current} ? 2 : 1)]}
	COMPREPLY=()
	if values=$(_punchctl_values_of "$before"); then
		case $values in
		FILE)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
			;;
		?*) mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current") ;;
		esac
		return
	fi
	command=$(_punchctl_command)
	case $current in
	-*) values="$_punchctl_options $(_punchctl_options_of "$command")" ;;
	*) values=$([ "$command" ] || echo "$_punchctl_commands") ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
}

complete -F _punchctl punchctl
