/*
 * What libcurl alone makes of the road to the cloud: so many POSTs as punchd sends them, over so many
 * connections that are kept, with nothing read, judged, stored or decided. ./dev bench forward shows
 * punchd beside it.
 *
 *	bare_curl BASE_URL CA_FILE API_KEY CONNECTIONS COUNT LABEL
 *
 * LABEL makes the idempotency keys those of this run. Prints `seconds=… cpu_s=… accepted=…`.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/units.h"

#define CONNECTIONS_MAX 64
#define BODY_MAX        256
#define HEADER_MAX      320
#define USERS           200
#define TIME_OF_DAY     "2023-01-16T%02d:%02d:%02dZ"

struct lane {
	CURL *easy;
	struct curl_slist *headers;
	char body[BODY_MAX];
};

static struct {
	const char *base_url, *ca_file, *key, *label;
	int64_t connections, count;
	int64_t sent, ended, accepted;
	CURLM *multi;
	struct lane lanes[CONNECTIONS_MAX];
} run;

static void give_up(const char *why)
{
	fprintf(stderr, "bare_curl: %s\n", why);
	exit(1);
}

static size_t on_body(char *bytes, size_t one, size_t n, void *arg)
{
	(void)bytes, (void)one, (void)arg;
	return n;
}

static void add_header(struct lane *lane, const char *begin, const char *value)
{
	char line[HEADER_MAX];
	struct curl_slist *longer;

	if (snprintf(line, sizeof line, "%s%s", begin, value) >= (int)sizeof line)
		give_up("a header is too long");
	longer = curl_slist_append(lane->headers, line);
	if (!longer)
		give_up("out of memory");
	lane->headers = longer;
}

/* The next of all requests; a handle is used again, and with it its connection. */
static void send_next(struct lane *lane)
{
	char key[HEADER_MAX / 2];
	int s = (int)(run.sent % 86400);

	snprintf(key, sizeof key, "%s-%" PRId64, run.label, run.sent);
	snprintf(lane->body, sizeof lane->body,
		"{\"user_id\":\"usr_%06d\",\"device_id\":\"dev_000001\",\"type\":\"check_in\","
		"\"timestamp\":\"" TIME_OF_DAY "\"}",
		(int)(run.sent % USERS) + 1, s / 3600, s / 60 % 60, s % 60);
	curl_slist_free_all(lane->headers);
	lane->headers = NULL;
	add_header(lane, "Authorization: Bearer ", run.key);
	add_header(lane, "Accept: application/json", "");
	add_header(lane, "Expect:", "");
	add_header(lane, "Content-Type: application/json", "");
	add_header(lane, "Idempotency-Key: ", key);
	if (curl_easy_setopt(lane->easy, CURLOPT_HTTPHEADER, lane->headers) != CURLE_OK ||
		curl_easy_setopt(lane->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(lane->body)) !=
			CURLE_OK ||
		curl_easy_setopt(lane->easy, CURLOPT_POSTFIELDS, lane->body) != CURLE_OK ||
		curl_multi_add_handle(run.multi, lane->easy) != CURLM_OK)
		give_up("a request cannot be made");
	run.sent++;
}

static void open_lane(struct lane *lane)
{
	char url[1024];

	snprintf(url, sizeof url, "%s/attendance", run.base_url);
	lane->easy = curl_easy_init();
	if (!lane->easy || curl_easy_setopt(lane->easy, CURLOPT_URL, url) != CURLE_OK ||
		curl_easy_setopt(lane->easy, CURLOPT_CAINFO, run.ca_file) != CURLE_OK ||
		curl_easy_setopt(lane->easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
		curl_easy_setopt(lane->easy, CURLOPT_POST, 1L) != CURLE_OK ||
		curl_easy_setopt(lane->easy, CURLOPT_PROXY, "") != CURLE_OK ||
		curl_easy_setopt(lane->easy, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK ||
		curl_easy_setopt(lane->easy, CURLOPT_PRIVATE, lane) != CURLE_OK)
		give_up("a handle cannot be made");
}

static void take_ended(void)
{
	const CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(run.multi, &left))) {
		CURL *easy = message->easy_handle;
		struct lane *lane = NULL;
		long status = 0;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &lane);
		curl_multi_remove_handle(run.multi, easy);
		run.ended++;
		run.accepted += status == 201;
		if (run.sent < run.count)
			send_next(lane);
	}
}

static double cpu_s(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void play(void)
{
	int64_t began_us = clock_now().mono_us;
	int running;

	for (int64_t i = 0; i < run.connections; i++)
		open_lane(&run.lanes[i]);
	for (int64_t i = 0; i < run.connections && run.sent < run.count; i++)
		send_next(&run.lanes[i]);
	while (run.ended < run.count) {
		if (curl_multi_perform(run.multi, &running) != CURLM_OK)
			give_up("libcurl fails");
		take_ended();
		if (run.ended < run.count &&
			curl_multi_poll(run.multi, NULL, 0, 1000, NULL) != CURLM_OK)
			give_up("libcurl fails");
	}
	printf("seconds=%.3f cpu_s=%.3f accepted=%" PRId64 "\n",
		(double)(clock_now().mono_us - began_us) / CLOCK_US_PER_S, cpu_s(), run.accepted);
}

int main(int argc, char **argv)
{
	if (argc != 7 || units_parse_int(argv[4], &run.connections) < 0 ||
		units_parse_int(argv[5], &run.count) < 0 || run.connections < 1 ||
		run.connections > CONNECTIONS_MAX || run.count < 1)
		give_up("usage: bare_curl BASE_URL CA_FILE API_KEY CONNECTIONS COUNT LABEL");
	run.base_url = argv[1];
	run.ca_file = argv[2];
	run.key = argv[3];
	run.label = argv[6];
	curl_global_init(CURL_GLOBAL_DEFAULT);
	run.multi = curl_multi_init();
	if (!run.multi ||
		curl_multi_setopt(run.multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
			(long)run.connections) != CURLM_OK)
		give_up("libcurl does not start");
	play();
	for (int64_t i = 0; i < run.connections; i++) {
		curl_easy_cleanup(run.lanes[i].easy);
		curl_slist_free_all(run.lanes[i].headers);
	}
	curl_multi_cleanup(run.multi);
	curl_global_cleanup();
	return 0;
}
