#include "herald.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "chance.h"
#include "edge/http_tcp.h"
#include "gateway.h"
#include "world.h"

#define TRIES_MAX 12
#define UNCERTAIN (2 * HOUR)

/* An event that is told until somebody takes it. */
struct told {
	struct told *next;
	char *body;
	int tries;
	bool done;
};

struct http_server {
	http_handle *handle;
	void *arg;
};

struct http_exchange {
	struct told *told;
	bool later;
};

static struct http_server *server;
static struct told *all;
static struct chance chance;
static int64_t others; /* records that are not ours */
static int64_t skew_us,
	certain_us; /* since the cloud's clock jumped last, nobody knows what was before */

void herald_begin(void)
{
	chance_init(&chance, world.plan->seed, "herald", 0);
	all = NULL;
	server = NULL;
	others = certain_us = 0;
	skew_us = cloud.skew_us;
}

void herald_end(void)
{
	struct told *next;

	for (; all; all = next) {
		next = all->next;
		free(all->body);
		free(all);
	}
}

/* ---- edge/http_tcp.h; edge/http.h's server is control.c's */

int http_tls_load(const char *cert_file, const char *key_file, struct http_tls **ret_tls,
	char ret_words[static HTTP_TLS_WORDS_MAX])
{
	(void)cert_file;
	(void)key_file;
	*ret_tls = NULL;
	ret_words[0] = '\0';
	return 0;
}

void http_tls_free(struct http_tls *tls)
{
	(void)tls;
}

int http_tcp_new(struct loop *l, const char *listen, struct http_tls *tls, size_t body_max,
	http_handle *handle, void *arg, struct http_server **ret_server)
{
	struct http_server *s = calloc(1, sizeof *s);

	(void)l;
	(void)listen;
	(void)tls;
	(void)body_max;
	if (!s)
		return -1;
	*s = (struct http_server){.handle = handle, .arg = arg};
	*ret_server = server = s;
	return 0;
}

void herald_server_gone(const struct http_server *s)
{
	if (s == server)
		server = NULL;
}

void http_tcp_set_tls(struct http_server *s, struct http_tls *tls)
{
	(void)s;
	(void)tls;
}

int http_tcp_coming(struct http_server *s)
{
	(void)s;
	return 0;
}

const char *http_header_get(const struct http_request *request, const char *name)
{
	(void)request;
	(void)name;
	return NULL;
}

/* What is asked of the control socket (control.c) is none of ours. */
struct http_later *http_later(const struct http_request *request)
{
	if (!request->exchange)
		return NULL;
	request->exchange->later = true;
	return (struct http_later *)request->exchange->told;
}

static void take_answer(struct told *told, struct http_answer *answer)
{
	/* A dead process says nothing. */
	if (told && gateway_lives() && answer->status == 200)
		told->done = true;
	free(answer->body);
}

void http_later_answer(struct http_later *later, struct http_answer *answer)
{
	take_answer((struct told *)later, answer);
}

/* ---- telling */

static void on_tell(void *arg)
{
	struct told *told = arg;
	struct http_exchange exchange = {.told = told};
	const struct http_request request = {.method = "POST",
		.path = "/webhook/" HERALD_SECRET,
		.exchange = &exchange,
		.body = told->body,
		.body_length = strlen(told->body),
		.address = "192.0.2.1"};
	struct http_answer answer = {.status = 0};

	if (told->done || world.over)
		return;
	if (server && gateway.runs && gateway_lives() && !cloud_line_is_cut()) {
		server->handle(server->arg, &request, &answer);
		if (!exchange.later)
			take_answer(told, &answer);
	}
	if (++told->tries < TRIES_MAX)
		world_in((SECOND / 5) << told->tries, on_tell, told);
}

/* Most come at once, some after their punch has been sent again, some never. */
static void tell_event(
	const struct record *r, const char *att_id, const char *evt_id, int64_t created_us)
{
	char at[TIME_TEXT_SIZE], made[TIME_TEXT_SIZE];
	struct told *told = calloc(1, sizeof *told);
	json_t *json = json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s, s:s}}", "id", evt_id,
		"type", "attendance.created", "created_at",
		time_format_utc(created_us / SECOND, -1, made), "data", "id", att_id, "user_id",
		r->user_id, "device_id", r->device_id, "type", r->type, "timestamp", r->timestamp,
		"created_at", time_format_utc(created_us / SECOND, -1, at));
	int64_t late_us = chance_of(&chance, 800) ? chance_from(&chance, 0, 3000) * MS
						  : chance_from(&chance, 1, 7200) * SECOND;

	told->body = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	told->next = all;
	all = told;
	world_in(late_us, on_tell, told);
	if (chance_of(&chance, 150))
		world_in(chance_from(&chance, 0, 3600) * SECOND, on_tell, told);
}

void herald_recorded(const struct record *record, int64_t number, int64_t at_us)
{
	char att_id[32], evt_id[32];

	if (!world.plan->hooks || chance_of(&chance, 100))
		return;
	snprintf(att_id, sizeof att_id, "att_%06lld", (long long)number);
	snprintf(evt_id, sizeof evt_id, "evt_%06lld", (long long)number);
	tell_event(record, att_id, evt_id, at_us);
}

void herald_first_sent(const struct sent_key *body)
{
	struct record record = {.at_us = 0};
	char att_id[32], evt_id[32];

	if (cloud.skew_us != skew_us)
		certain_us = world.now_us + UNCERTAIN;
	skew_us = cloud.skew_us;
	if (!world.plan->hooks || !chance_of(&chance, 50) || world.now_us < certain_us)
		return;
	others++;
	snprintf(att_id, sizeof att_id, "att_f%05lld", (long long)others);
	snprintf(evt_id, sizeof evt_id, "evt_f%05lld", (long long)others);
	memcpy(record.user_id, body->user_id, sizeof record.user_id);
	memcpy(record.device_id, body->device_id, sizeof record.device_id);
	memcpy(record.type, body->type, sizeof record.type);
	memcpy(record.timestamp, body->timestamp, sizeof record.timestamp);
	tell_event(&record, att_id, evt_id,
		world.now_us + cloud.skew_us - chance_from(&chance, 20, 60) * MINUTE);
}
