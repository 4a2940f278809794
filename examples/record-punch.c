/*
 * Record one punch: record-punch [--url BASE_URL] [--ca FILE] USER_ID DEVICE_ID check_in|check_out
 *                                [TIME [IDEMPOTENCY_KEY]]
 *
 * TIME is 2023-01-15T10:30:00Z; without one it is now. Exit: 0 recorded, 1 refused or not sent, 2 usage,
 * 3 in doubt: the record may exist. Who is in doubt runs it again with the TIME and the IDEMPOTENCY_KEY
 * that it printed: a cloud that honours the key answers with the record that is there.
 *
 * The API key is in the file that PUNCH_API_KEY_FILE names.
 */
#include <getopt.h>
#include <inttypes.h>
#include <punch-api.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define WAIT_MS 120000 /* for room, where the key's window is used up */

static int read_key(char *key, size_t size)
{
	const char *path = getenv("PUNCH_API_KEY_FILE");
	FILE *file = path ? fopen(path, "r") : NULL;
	int found = file && fgets(key, (int)size, file) != NULL;

	if (file)
		fclose(file);
	if (found)
		key[strcspn(key, "\r\n")] = '\0';
	return found;
}

/* ---- what makes the punch one and the same, also when it is sent again */

static const char *time_now(char *ret, size_t size)
{
	time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(ret, size, "%Y-%m-%dT%H:%M:%SZ", &utc);
	return ret;
}

static const char *new_idempotency_key(char ret[static 33])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		abort();
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
	return ret;
}

/* ---- what came of it */

static int tell(const struct api_attendance *a, const struct api_reply *reply)
{
	const char *outcome = api_outcome_name(reply->outcome);

	if (reply->outcome == API_DONE || reply->outcome == API_DONE_NO_ID) {
		printf("recorded %s%s\n", reply->id[0] ? reply->id : "without an id",
			reply->echo_differs ? ", but not as it was sent" : "");
		return 0;
	}
	if (api_outcome_in_doubt(reply->outcome)) {
		printf("in doubt (%s: %s); to send it again: %s %s\n", outcome, reply->message,
			a->timestamp, a->key);
		return 3;
	}
	if (reply->outcome == API_REFUSED)
		printf("refused: %s (%s%s%s)\n", reply->message, reply->code,
			reply->param[0] ? ", " : "", reply->param);
	else
		printf("not recorded (%s: %s)\n", outcome, reply->message);
	return 1;
}

static int record(struct api_sync *api, const struct api_attendance *a)
{
	const struct api_reply *reply;
	int r = api_sync_room(api, API_CALL_ATTENDANCE, WAIT_MS);

	if (r == 0)
		r = api_sync_attendance_create(api, a, &reply);
	if (r == 0)
		return tell(a, reply);
	fprintf(stderr, "record-punch: %s\n", strerror(-r));
	return 1;
}

static int run(const struct api_settings *settings, const struct api_curl_settings *network,
	const struct api_attendance *a)
{
	char key[4098] = "";
	struct api_sync *api;
	int r;

	if (!read_key(key, sizeof key)) {
		fprintf(stderr, "record-punch: PUNCH_API_KEY_FILE names no file with a key\n");
		return 1;
	}
	r = api_sync_new(settings, network, key, &api);
	if (r < 0) {
		fprintf(stderr, "record-punch: --url or --ca: %s\n", strerror(-r));
		return 1;
	}
	r = record(api, a);
	api_sync_free(api);
	return r;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"url", required_argument, NULL, 'u'}, {"ca", required_argument, NULL, 'c'}, {0}};
	struct api_settings settings = {.base_url = "https://api.bthdevelopers.com/v1"};
	struct api_curl_settings network = {.user_agent = "record-punch"};
	struct api_attendance a;
	char now[32], idempotency_key[33];
	int option, count;

	signal(SIGPIPE, SIG_IGN);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'u': settings.base_url = optarg; break;
		case 'c': network.ca_file = optarg; break;
		default: return 2;
		}
	}
	argv += optind;
	count = argc - optind;
	if (count < 3 || count > 5) {
		fprintf(stderr,
			"usage: record-punch [--url BASE_URL] [--ca FILE] USER_ID "
			"DEVICE_ID TYPE [TIME [IDEMPOTENCY_KEY]]\n");
		return 2;
	}
	a.user_id = argv[0];
	a.device_id = argv[1];
	a.type = argv[2];
	a.timestamp = count > 3 ? argv[3] : time_now(now, sizeof now);
	a.key = count > 4 ? argv[4] : new_idempotency_key(idempotency_key);
	return run(&settings, &network, &a);
}
