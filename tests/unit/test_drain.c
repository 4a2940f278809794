/*
 * A backlog drained in virtual time: the outbox and the API's client with all that they decide by, over
 * a store in an array and a server that counts by minutes. How many minutes it takes of those that the
 * plan allows, what becomes of live punches meanwhile, what is said of the end, and what happens when
 * the server fails for an hour, to one gateway and to a hundred.
 */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/api.h"
#include "api/transport.h"
#include "core/outbox.h"

#define S        CLOCK_US_PER_S
#define MS       1000LL
#define DAY_S    86400
#define EPOCH    1772409600LL /* 2026-03-02T00:00:00Z, a Monday */
#define FLIGHTS  10
#define READ_MAX 512

/* ---- the store */

struct row {
	int64_t time_s;
	int32_t user;
	bool live, there, delivered;
	int64_t came_us; /* monotonic; 0: it was there from the beginning */
};

/* One gateway with its store, its outbox and its client. */
struct gateway {
	struct row *rows; /* seq - 1; the first `sorted` in order of time */
	size_t count, sorted, left;
	size_t *of_user, *first_of_user; /* the sorted ones by user, and where each begins */
	int users;
	struct outbox box;
	struct api_client *client;
	struct flight *flights;
	int64_t wake_us;
	uint64_t failed_user;
	int64_t read_rows, posts;
	int64_t slowest_live_us;
	uint64_t chance;
};

static uint64_t next_random(uint64_t *chance)
{
	uint64_t z = (*chance += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static int64_t below(struct gateway *g, int64_t n)
{
	return (int64_t)(next_random(&g->chance) % (uint64_t)n);
}

static struct punch_place place_of(const struct gateway *g, size_t i)
{
	struct punch_place place = {.time_s = g->rows[i].time_s};

	for (int b = 0; b < 8; b++)
		place.identity[8 + b] = (uint8_t)((uint64_t)i >> (56 - 8 * b));
	return place;
}

static void punch_of(const struct gateway *g, size_t i, char name[16], struct outbox_punch *ret)
{
	const struct row *r = &g->rows[i];

	snprintf(name, 16, "usr_%d", r->user);
	*ret = (struct outbox_punch){
		.seq = (int64_t)i + 1,
		.place = place_of(g, i),
		.user_id = name,
		.day = (int32_t)(r->time_s / DAY_S),
		.live = r->live,
		.terminal = "T",
	};
}

static bool is_behind(const struct gateway *g, size_t i, const struct punch_place *place)
{
	struct punch_place own = place_of(g, i);

	return punch_place_compare(&own, place) > 0;
}

/* The first of a list (NULL: of all) that lies behind a place. The lists are in order. */
static size_t first_behind(
	const struct gateway *g, const size_t *list, size_t count, const struct punch_place *place)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_behind(g, list ? list[middle] : middle, place))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void read_queue(struct gateway *g)
{
	struct outbox_punch p;
	char name[16];
	size_t i = first_behind(g, NULL, g->sorted, &g->box.cursor);

	for (int n = 0; i < g->sorted; i++) {
		if (!g->rows[i].there)
			continue;
		if (n++ == READ_MAX)
			return;
		g->read_rows++;
		punch_of(g, i, name, &p);
		if (outbox_read(&g->box, &p) < 0)
			return;
	}
	/* What came live lies behind all that was there. */
	for (i = g->sorted; i < g->count; i++) {
		if (g->rows[i].there && is_behind(g, i, &g->box.cursor)) {
			punch_of(g, i, name, &p);
			if (outbox_read(&g->box, &p) < 0)
				return;
		}
	}
	outbox_read_all(&g->box);
}

static void read_line(struct gateway *g, struct outbox_line *line)
{
	int user = (int)strtol(line->user_id + 4, NULL, 10);
	const size_t *list = g->of_user + g->first_of_user[user];
	size_t count = g->first_of_user[user + 1] - g->first_of_user[user];
	struct punch_place from = {.time_s = (int64_t)line->day * DAY_S};
	size_t i = first_behind(g, list, count,
		punch_place_compare(&from, &line->known) > 0 ? &from : &line->known);
	struct outbox_punch p;
	char name[16];

	for (; i < count && g->rows[list[i]].time_s / DAY_S == line->day; i++) {
		if (!g->rows[list[i]].there)
			continue;
		g->read_rows++;
		punch_of(g, list[i], name, &p);
		if (outbox_line_read(&g->box, line, &p) != 0)
			return;
	}
	for (i = g->sorted; i < g->count; i++) {
		if (!g->rows[i].there || g->rows[i].user != user || !is_behind(g, i, &line->known))
			continue;
		punch_of(g, i, name, &p);
		if (outbox_line_read(&g->box, line, &p) != 0)
			return;
	}
	outbox_line_read_all(&g->box, line);
}

/* ---- the server, and the way to it */

static struct {
	struct moment now;
	int64_t limit;
	int64_t window, used;
	int64_t latency_us;
	int64_t down_from_us, down_to_us; /* it answers 503, or is not there at all */
	bool unreachable;
	int64_t probes, limited;
	int64_t a_second[8 * 3600];
} server;

struct flight {
	struct gateway *g;
	int64_t due_us; /* of what happens next; 0: free */
	bool arrived;
	int status; /* 0: never left */
	struct api_headers headers;
	char body[128];
	int64_t seq; /* 0: a list */
	api_answered *answered;
	void *arg;
};

struct way {
	struct api_transport base;
	struct gateway *g;
};

static bool is_down(void)
{
	return server.now.mono_us >= server.down_from_us && server.now.mono_us < server.down_to_us;
}

static int64_t flight_time(struct gateway *g)
{
	return 1 + server.latency_us / 2 + below(g, server.latency_us);
}

static int submit(struct api_transport *t, const struct api_request *request,
	api_answered *answered, void *arg)
{
	struct gateway *g = ((struct way *)(void *)t)->g;
	struct flight *f = g->flights;

	while (f->due_us)
		f++;
	assert_true(f < g->flights + FLIGHTS);
	*f = (struct flight){.g = g,
		.due_us = server.now.mono_us + flight_time(g),
		.seq = request->idempotency_key ? strtoll(request->idempotency_key, NULL, 10) : 0,
		.answered = answered,
		.arg = arg};
	g->posts++;
	return 0;
}

static void free_way(struct api_transport *t)
{
	free(t);
}

static void put_date(char *to, size_t size, int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(to, size, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static void arrive(struct flight *f)
{
	int64_t clock_us = server.now.wall_us, window = clock_us / (60 * S);
	struct api_headers *h = &f->headers;

	f->arrived = true;
	f->due_us = server.now.mono_us + flight_time(f->g);
	if (is_down()) {
		server.probes++;
		f->status = server.unreachable ? 0 : 503;
		return;
	}
	server.a_second[server.now.mono_us / S % (8 * 3600)]++;
	if (window != server.window)
		server.used = 0;
	server.window = window;
	f->status = server.used < server.limit ? 201 : 429;
	server.used += f->status == 201;
	server.limited += f->status == 429;
	put_date(h->date, sizeof h->date, clock_us / S);
	snprintf(h->limit, sizeof h->limit, "%" PRId64, server.limit);
	snprintf(h->remaining, sizeof h->remaining, "%" PRId64, server.limit - server.used);
	snprintf(h->reset, sizeof h->reset, "%" PRId64, (window + 1) * 60);
	snprintf(f->body, sizeof f->body, "{\"data\":{\"id\":\"att_%" PRId64 "\"}}", f->seq);
}

static void answer(struct flight *f)
{
	struct flight copy = *f;
	const struct api_answer a = {
		.fate = f->status ? API_FATE_ANSWERED : API_FATE_NEVER_LEFT,
		.status = f->status,
		.headers = copy.headers,
		.body = copy.body,
		.body_length = strlen(copy.body),
		.trouble = f->status ? NULL : "connection refused",
	};

	f->due_us = 0;
	copy.answered(copy.arg, &a);
}

/* ---- forwarding, as daemon/forward does it */

struct call {
	struct gateway *g;
	int64_t seq;
};

static void on_reply(void *arg, const struct api_reply *reply)
{
	struct call *call = arg;
	struct gateway *g = call->g;
	struct row *r = &g->rows[call->seq - 1];
	struct outbox_entry *e = outbox_find(&g->box, call->seq);

	if (reply->outcome == API_DONE) {
		assert_false(r->delivered);
		r->delivered = true;
		r->there = false;
		g->left--;
		if (r->live && reply->received.mono_us - r->came_us > g->slowest_live_us)
			g->slowest_live_us = reply->received.mono_us - r->came_us;
		if (g->failed_user == e->line->user)
			g->failed_user = 0;
		outbox_remove(&g->box, call->seq);
	} else if (reply->outcome != API_CANCELLED) {
		g->failed_user = e->line->user;
		e->step = OUTBOX_WAITING;
		outbox_changed(&g->box, e);
	}
	g->wake_us = server.now.mono_us;
	free(call);
}

/* Returns false where nothing can go now. */
static bool send_next(struct gateway *g)
{
	uint64_t not_user = api_client_probing(g->client) ? g->failed_user : 0;
	struct outbox_choice choice;
	char user[CLOUD_ID_MAX + 1], key[24];
	struct call *call;
	struct api_attendance a = {.user_id = user,
		.device_id = "dev_1",
		.type = "check_in",
		.timestamp = "2026-03-02T00:00:00Z",
		.key = key};

	switch (outbox_next(&g->box, server.now.mono_us, not_user, &choice)) {
	case OUTBOX_LINE: read_line(g, choice.line); return true;
	case OUTBOX_READ: read_queue(g); return true;
	case OUTBOX_NONE: return false;
	case OUTBOX_GO: break;
	}
	call = malloc(sizeof *call);
	assert_non_null(call);
	*call = (struct call){.g = g, .seq = choice.entry->seq};
	snprintf(user, sizeof user, "%s", choice.line->user_id);
	snprintf(key, sizeof key, "%" PRId64, call->seq);
	assert_int_equal(api_attendance_create(g->client, &a, on_reply, call), 0);
	return true;
}

static void pump(struct gateway *g)
{
	int64_t wait_us;

	g->wake_us = INT64_MAX;
	while (api_client_room(g->client, API_CALL_ATTENDANCE, &wait_us) > 0) {
		if (!send_next(g))
			return;
	}
	if (wait_us >= 0)
		g->wake_us = server.now.mono_us + (wait_us > 0 ? wait_us : 1);
}

/* ---- time */

static struct api_moment world_now(void *arg)
{
	(void)arg;
	return api_moment_of(server.now);
}

static uint64_t world_random(void *arg)
{
	return next_random(&((struct gateway *)arg)->chance);
}

static void begin_world(int64_t limit)
{
	memset(&server, 0, sizeof server);
	server.now = (struct moment){.wall_us = EPOCH * S + 12345678, .mono_us = 1000 * S};
	server.limit = limit;
	server.latency_us = 80 * MS;
}

static void begin_gateway(struct gateway *g, size_t rows_max, int users, uint64_t seed)
{
	static const struct api_settings settings = {
		.base_url = "https://api.example.com/v1",
		.max_in_flight = 8,
		.retry_min_ms = 1000,
		.retry_max_ms = 15 * 60 * 1000,
		.auth_retry_ms = 300000,
	};
	struct api_world world = {.now = world_now, .random = world_random, .arg = g};
	struct way *way = calloc(1, sizeof *way);

	*g = (struct gateway){.users = users, .chance = seed};
	g->rows = calloc(rows_max, sizeof *g->rows);
	g->of_user = calloc(rows_max, sizeof *g->of_user);
	g->first_of_user = calloc((size_t)users + 2, sizeof *g->first_of_user);
	g->flights = calloc(FLIGHTS, sizeof *g->flights);
	assert_true(way && g->rows && g->of_user && g->first_of_user && g->flights);
	*way = (struct way){.base = {.submit = submit, .free = free_way}, .g = g};
	outbox_init(&g->box, seed);
	assert_int_equal(api_client_new(&settings, &world, &way->base, &g->client), 0);
	assert_int_equal(api_client_set_key(g->client, "sk_live_0123456789"), 0);
}

static void end_gateway(struct gateway *g)
{
	api_client_free(g->client);
	outbox_done(&g->box);
	free(g->rows);
	free(g->of_user);
	free(g->first_of_user);
	free(g->flights);
}

/* What has been put in so far is the backlog; it is in order of time. */
static void sort_backlog(struct gateway *g)
{
	g->sorted = g->left = g->count;
	for (size_t i = 0; i < g->count; i++)
		g->first_of_user[g->rows[i].user + 1]++;
	for (int u = 0; u <= g->users; u++)
		g->first_of_user[u + 1] += g->first_of_user[u];
	for (size_t i = g->count; i-- > 0;)
		g->of_user[--g->first_of_user[g->rows[i].user + 1]] = i;
	/* Each was moved down to where its user begins, one place too far to the right. */
	memmove(g->first_of_user, g->first_of_user + 1,
		(size_t)(g->users + 1) * sizeof *g->first_of_user);
	g->first_of_user[g->users] = g->count;
}

static void put(struct gateway *g, int64_t time_s, int user)
{
	g->rows[g->count++] = (struct row){.time_s = time_s, .user = user, .there = true};
}

static void come_live(struct gateway *g, int user)
{
	struct outbox_punch p;
	char name[16];

	g->rows[g->count++] = (struct row){.time_s = server.now.wall_us / S,
		.user = user,
		.live = true,
		.there = true,
		.came_us = server.now.mono_us};
	g->left++;
	punch_of(g, g->count - 1, name, &p);
	assert_int_equal(outbox_came(&g->box, &p), 0);
	g->wake_us = server.now.mono_us;
}

static int64_t next_event(const struct gateway *g)
{
	int64_t next_us = g->wake_us;

	for (int i = 0; i < FLIGHTS; i++) {
		if (g->flights[i].due_us && g->flights[i].due_us < next_us)
			next_us = g->flights[i].due_us;
	}
	return next_us;
}

static void step_gateway(struct gateway *g)
{
	for (int i = 0; i < FLIGHTS; i++) {
		struct flight *f = &g->flights[i];

		if (f->due_us == 0 || f->due_us > server.now.mono_us)
			continue;
		if (f->arrived)
			answer(f);
		else
			arrive(f);
	}
	if (g->wake_us <= server.now.mono_us)
		pump(g);
}

static void go_to(int64_t mono_us)
{
	if (mono_us <= server.now.mono_us)
		return;
	server.now.wall_us += mono_us - server.now.mono_us;
	server.now.mono_us = mono_us;
}

static int64_t eta_us(const struct gateway *g)
{
	return api_client_time_for(g->client, (int64_t)g->left, (int64_t)outbox_lines(&g->box));
}

/* ---- a week */

#define USERS       500
#define A_DAY       5000
#define SAMPLES_MAX 4096

static struct {
	int64_t at_us, eta_us;
} samples[SAMPLES_MAX];
static int sample_count;

/* Until all is gone: a live punch each live_us; what is expected is noted each minute. */
static void drain(struct gateway *g, int64_t live_us)
{
	int64_t live_at_us = server.now.mono_us + live_us, sample_us = server.now.mono_us;

	sample_count = 0;
	g->wake_us = server.now.mono_us;
	while (g->left > 0) {
		int64_t next_us = next_event(g);

		if (live_us && live_at_us < next_us)
			next_us = live_at_us;
		if (sample_us < next_us)
			next_us = sample_us;
		assert_true(next_us < INT64_MAX);
		go_to(next_us);
		if (live_us && server.now.mono_us >= live_at_us) {
			come_live(g, (int)below(g, g->users));
			live_at_us += live_us;
		}
		step_gateway(g);
		if (server.now.mono_us >= sample_us) {
			assert_true(sample_count < SAMPLES_MAX);
			samples[sample_count].at_us = server.now.mono_us;
			samples[sample_count++].eta_us = eta_us(g);
			sample_us += 60 * S;
		}
	}
}

/* Within a tenth, or one window; from the third minute on, when the plan is known. */
static double worst_eta(int64_t end_us)
{
	double worst = 0;

	for (int i = 2; i < sample_count; i++) {
		int64_t really_us = end_us - samples[i].at_us;
		int64_t off_us = llabs(samples[i].eta_us - really_us);

		if (samples[i].eta_us < 0 || off_us < 60 * S)
			continue;
		if ((double)off_us / (double)really_us > worst)
			worst = (double)off_us / (double)really_us;
	}
	return worst;
}

/* Seven days and this morning: 500 people, ten punches each a day. */
static void put_week(struct gateway *g)
{
	for (int day = -7; day <= 0; day++) {
		for (int i = 0; i < (day < 0 ? A_DAY : A_DAY / 2); i++)
			put(g, EPOCH + day * (int64_t)DAY_S + (day < 0 ? i * 16 : i / 250),
				i % USERS);
	}
	sort_backlog(g);
}

/* The minutes that a plan needs of those that it allows, while people go on as ever. */
static void drain_week(int64_t limit)
{
	struct gateway g;
	int64_t begin_us, requests;
	double minutes, allowed;

	begin_world(limit);
	begin_gateway(&g, 60000, USERS, (uint64_t)limit);
	put_week(&g);
	begin_us = server.now.mono_us;
	drain(&g, DAY_S * S / A_DAY);
	minutes = (double)(server.now.mono_us - begin_us) / (double)(60 * S);
	requests = (int64_t)g.count;
	allowed = (double)requests / (double)limit;
	print_message("plan %" PRId64
		      ": %zu punches in %.1f minutes, %.3f of what is allowed; a live "
		      "one took %.1f s at most; the end was known within %.1f %%\n",
		limit, g.count, minutes, minutes / allowed, (double)g.slowest_live_us / (double)S,
		worst_eta(server.now.mono_us) * 100);
	assert_int_equal(server.limited, 0);
	assert_true(minutes <= allowed * 1.02 + 1);
	assert_true(g.slowest_live_us <= 2 * 60 * S);
	assert_true(worst_eta(server.now.mono_us) <= 0.1);
	end_gateway(&g);
}

static void test_a_week(void **state)
{
	(void)state;
	drain_week(100);
	drain_week(500);
	drain_week(1000);
}

/* ---- an hour of 503 */

static void test_an_hour_of_503(void **state)
{
	struct gateway g;
	int64_t back_us;

	(void)state;
	begin_world(500);
	begin_gateway(&g, 60000, USERS, 7);
	put_week(&g);
	server.down_from_us = server.now.mono_us + 10 * 60 * S;
	server.down_to_us = server.down_from_us + 3600 * S;
	back_us = server.down_to_us;
	drain(&g, 0);
	print_message("an hour of 503: %" PRId64 " requests in it\n", server.probes);
	/* Eight were under way; then one a wait, which doubles from a second to a quarter of an hour. */
	assert_in_range(server.probes, 4, 8 + 40);
	for (int i = 0; i < sample_count; i++) {
		bool away = samples[i].at_us > server.down_from_us + S &&
			samples[i].at_us < server.down_to_us;

		if (away)
			assert_int_equal(samples[i].eta_us, -1);
	}
	assert_true(server.now.mono_us > back_us);
	assert_int_equal(server.limited, 0);
	end_gateway(&g);
}

/* ---- a hundred gateways that lost the same server */

#define GATEWAYS 100

static void test_a_hundred_come_back(void **state)
{
	static struct gateway all[GATEWAYS];
	int64_t most = 0, first_minute = 0, end_us;

	(void)state;
	begin_world(INT64_MAX / 4);
	server.unreachable = true;
	server.down_from_us = server.now.mono_us + S;
	server.down_to_us = server.down_from_us + 3600 * S;
	for (int i = 0; i < GATEWAYS; i++) {
		begin_gateway(&all[i], 5000, 50, (uint64_t)i + 1);
		for (int k = 0; k < 4000; k++)
			put(&all[i], EPOCH - 80000 + k * 20, k % 50);
		sort_backlog(&all[i]);
		all[i].wake_us = server.now.mono_us;
	}
	end_us = server.down_to_us + 20 * 60 * S;
	for (;;) {
		int64_t next_us = INT64_MAX;

		for (int i = 0; i < GATEWAYS; i++) {
			int64_t at_us = next_event(&all[i]);

			next_us = at_us < next_us ? at_us : next_us;
		}
		if (next_us > end_us)
			break;
		go_to(next_us);
		for (int i = 0; i < GATEWAYS; i++)
			step_gateway(&all[i]);
	}
	for (int64_t s = 0; s < 60; s++) {
		int64_t n = server.a_second[(server.down_to_us / S + s) % (8 * 3600)];

		first_minute += n;
		most = n > most ? n : most;
	}
	print_message("a hundred gateways after an hour: %" PRId64
		      " requests in the first minute, %" PRId64 " in its busiest second, %" PRId64
		      " tries in the hour before\n",
		first_minute, most, server.probes);
	/* All at once would be 800 side by side, again and again; each has waited its own time. */
	assert_true(server.a_second[server.down_to_us / S % (8 * 3600)] <= 100);
	for (int i = 0; i < GATEWAYS; i++) {
		assert_int_equal(all[i].left, 0);
		end_gateway(&all[i]);
	}
}

/* ---- many that wait */

static void drain_many(int users, size_t rows)
{
	struct gateway g;
	size_t most_lines = 0;
	clock_t began;
	double cpu_us;

	begin_world(INT64_MAX / 4);
	server.latency_us = 10;
	begin_gateway(&g, rows, users, 3);
	for (size_t i = 0; i < rows; i++)
		put(&g, EPOCH - 30 * DAY_S + (int64_t)i * (30 * DAY_S) / (int64_t)rows,
			(int)(i % (size_t)users));
	sort_backlog(&g);
	began = clock();
	g.wake_us = server.now.mono_us;
	while (g.left > 0) {
		go_to(next_event(&g));
		step_gateway(&g);
		if (outbox_lines(&g.box) > most_lines)
			most_lines = outbox_lines(&g.box);
	}
	cpu_us = (double)(clock() - began) * 1e6 / CLOCKS_PER_SEC;
	print_message(
		"%zu waiting of %d people: %.1f us of CPU a punch, %.2f rows read, %zu lines\n",
		rows, users, cpu_us / (double)rows, (double)g.read_rows / (double)rows, most_lines);
	assert_true(most_lines <= OUTBOX_LINES);
	assert_true(g.read_rows <= 3 * (int64_t)rows);
	assert_int_equal(g.posts, rows);
	end_gateway(&g);
}

static void test_many_of_few(void **state)
{
	(void)state;
	drain_many(3, 100000);
	drain_many(30000, 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_week),
		cmocka_unit_test(test_an_hour_of_503),
		cmocka_unit_test(test_a_hundred_come_back),
		cmocka_unit_test(test_many_of_few),
	};

	return cmocka_run_group_tests_name("drain", tests, NULL, NULL);
}
