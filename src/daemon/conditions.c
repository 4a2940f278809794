#include "daemon/conditions.h"

void conditions_of_api(struct context *c, const struct forward *forward,
	const struct api_client *client, bool has_key)
{
	struct alarms *a = &c->alarms;
	const char *refusing = forward_refusing(forward), *doubles = cloudmarks_doubles(c);
	struct api_status s;

	api_client_status(client, &s);
	alarms_set(a, ALARM_API_AUTH,
		!has_key || s.unauthorized || s.forbidden[API_CALL_ATTENDANCE] ||
			s.forbidden[API_CALL_USERS] || s.forbidden[API_CALL_DEVICES],
		"%s",
		!has_key ? "there is no API key: put it into the file that [api] key_file names"
			: s.unauthorized ? "the API refuses the key (401): put a valid "
					   "one into the key file; it is tried "
					   "at once"
					 : "the API forbids this key what is asked "
					   "(403): the key's rights are too small");
	alarms_set(a, ALARM_API_OFFLINE,
		s.state == API_STATE_OFFLINE || s.state == API_STATE_BACKOFF, "%s",
		s.state == API_STATE_OFFLINE
			? "the API cannot be reached: punches are kept and sent when it is back"
			: "the API answers with errors: punches are kept and sent when it is well");
	alarms_set(a, ALARM_API_GARBLED, s.garbled || forward_echo_differed(forward), "%s",
		s.garbled ? "what answers is not the API: a proxy, a firewall or a wrong base_url"
			  : "the API confirmed a record that differs from what was sent");
	alarms_set(a, ALARM_API_REFUSING, refusing != NULL, "%s", refusing ? refusing : "");
	alarms_set(a, ALARM_CLOUD_DOUBLES, doubles != NULL, "%s", doubles ? doubles : "");
}

void conditions_of_queue(struct context *c)
{
	struct alarms *a = &c->alarms;
	struct store_counts n;

	store_counts(c->store, &n);
	alarms_set(a, ALARM_HELD, n.open[PUNCH_HELD] > 0,
		"%lld punches wait for something: punchctl punches --state held says for what",
		(long long)n.open[PUNCH_HELD]);
	alarms_set(a, ALARM_PARKED, n.open[PUNCH_PARKED] > 0,
		"%lld punches need a person: punchctl punches --state parked lists them",
		(long long)n.open[PUNCH_PARKED]);
}

void conditions_of_terminals(struct context *c, struct terminals *terminals)
{
	char names[TERMINALS_NAMES_MAX] = "";
	size_t n;

	if (terminals->up_us == 0)
		return;
	n = terminals_silent(terminals, names);
	alarms_set(&c->alarms, ALARM_TERMINAL_SILENT, n > 0,
		"%zu %s heard any more: %s. Look at power and network there; one that is no longer "
		"in use is set inactive in the cloud",
		n, n == 1 ? "terminal is not" : "terminals are not", names);
}
