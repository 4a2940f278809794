/* The way to the cloud: edge/apiloop.h, and a transport that loses and delays. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cloud_private.h"
#include "edge/apiloop.h"
#include "gateway.h"
#include "herald.h"
#include "laws.h"

#define TIMEOUT_US (30 * SECOND) /* [api] timeout */

struct apiloop {
	struct api_transport transport;
};

static struct request *requests; /* under way */
static struct chance way;
static bool begun;

/* A request while its answer is on its way back. */
struct returning {
	struct request *request;
	struct response response;
	enum api_fate fate;
};

static void request_free(struct request *q)
{
	struct request **at = &requests;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	free(q->url);
	free(q->authorization);
	free(q->key);
	free(q->body);
	free(q);
}

/* ---- back at the gateway */

static void put_header(char *to, size_t size, int64_t number)
{
	if (number >= 0)
		snprintf(to, size, "%lld", (long long)number);
}

/* IMF-fixdate, RFC 9110 §5.6.7. */
static void put_date(char *to, size_t size, int64_t at_us)
{
	static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct civil c;

	time_to_civil(at_us / SECOND, &c);
	snprintf(to, size, "%s, %02d %s %04lld %02d:%02d:%02d GMT", days[at_us / DAY % 7], c.day,
		months[c.month - 1], (long long)c.year, c.hour, c.minute, c.second);
}

static void hand_back(struct returning *b)
{
	struct request *q = b->request;
	struct api_answer answer = {.fate = b->fate,
		.status = b->response.status,
		.body = b->response.body ? b->response.body : "",
		.trouble = "the way is broken"};

	answer.body_length = strlen(answer.body);
	if (b->fate == API_FATE_ANSWERED) {
		put_date(answer.headers.date, sizeof answer.headers.date, b->response.date_us);
		put_header(answer.headers.limit, sizeof answer.headers.limit, b->response.limit);
		put_header(answer.headers.remaining, sizeof answer.headers.remaining,
			b->response.remaining);
		put_header(answer.headers.reset, sizeof answer.headers.reset, b->response.reset_s);
	}
	laws_answered(q->key, b->fate == API_FATE_ANSWERED ? b->response.status : 0,
		b->fate == API_FATE_NEVER_LEFT, answer.body);
	q->answered(q->arg, &answer);
	gateway_at(POINT_ANSWERED);
}

static void on_back(void *arg)
{
	struct returning *b = arg;

	if (b->request->answered && gateway_at(POINT_ANSWER))
		hand_back(b);
	else if (b->request->answered)
		laws_abandoned(b->request->key);
	request_free(b->request);
	free(b->response.body);
	free(b);
}

static void back_at(struct request *q, int64_t at_us, enum api_fate fate, struct response *r)
{
	struct returning *b = calloc(1, sizeof *b);

	assert(b);
	b->request = q;
	b->fate = fate;
	if (r)
		b->response = *r;
	world_at(at_us, on_back, b);
}

/* ---- at the cloud */

static int64_t latency(void)
{
	return chance_from(&way, world.plan->latency_us / 4, world.plan->latency_us * 3 / 4);
}

static int64_t timeout_at(const struct request *q)
{
	return q->submitted_us + TIMEOUT_US;
}

static void on_arrival(void *arg)
{
	struct request *q = arg;
	struct response r = {.limit = -1, .remaining = -1, .reset_s = -1};
	int64_t back_us = world.now_us + latency();

	if (ailments.line_cut) {
		back_at(q, timeout_at(q), API_FATE_LOST, NULL);
		return;
	}
	cloud_handle(q, &r);
	if (ailments.slow && chance_of(&way, ailments.slow))
		back_us += chance_from(&way, 1, 45) * SECOND;
	if ((ailments.lose_answer && chance_of(&way, ailments.lose_answer)) ||
		back_us > timeout_at(q)) {
		free(r.body);
		if (back_us > timeout_at(q) || chance_of(&way, 500))
			back_us = timeout_at(q);
		back_at(q, back_us, API_FATE_LOST, NULL);
		return;
	}
	back_at(q, back_us, API_FATE_ANSWERED, &r);
}

/* ---- the transport */

static char *copy(const char *text)
{
	char *kept = strdup(text ? text : "");

	assert(kept);
	return kept;
}

static int submit(struct api_transport *t, const struct api_request *request,
	api_answered *answered, void *arg)
{
	struct request *q = calloc(1, sizeof *q);
	bool first;

	(void)t;
	assert(q);
	*q = (struct request){.url = copy(request->url),
		.authorization = copy(request->authorization),
		.key = copy(request->idempotency_key),
		.body = copy(request->body),
		.answered = answered,
		.arg = arg,
		.submitted_us = world.now_us,
		.next = requests};
	requests = q;
	if (!request->authorization) {
		back_at(q, world.now_us + MS, API_FATE_NEVER_LEFT, NULL);
		return 0;
	}
	first = q->key[0] && !cloud_key(q->key);
	laws_submitted(q->key, q->body);
	if (first)
		herald_first_sent(cloud_key(q->key));
	/* A plug that is pulled here takes the request along, or just fails to. */
	if (!gateway_at(POINT_SUBMITTED) && chance_of(&way, 500)) {
		back_at(q, world.now_us, API_FATE_NEVER_LEFT, NULL);
		return 0;
	}
	if (ailments.line_cut)
		back_at(q, chance_of(&way, 500) ? world.now_us + 3 * MS : timeout_at(q),
			API_FATE_NEVER_LEFT, NULL);
	else if (ailments.lose_request && chance_of(&way, ailments.lose_request))
		back_at(q, chance_of(&way, 500) ? world.now_us + latency() : timeout_at(q),
			API_FATE_LOST, NULL);
	else
		world_in(latency(), on_arrival, q);
	return 0;
}

/* What is on the wire goes on; nobody waits for it. */
static void transport_free(struct api_transport *t)
{
	(void)t;
	for (struct request *q = requests; q; q = q->next) {
		if (q->answered)
			laws_abandoned(q->key);
		q->answered = NULL;
	}
}

int apiloop_new(struct loop *l, const struct api_curl_settings *settings, struct apiloop **ret)
{
	struct apiloop *a = calloc(1, sizeof *a);

	(void)l;
	(void)settings;
	assert(a);
	if (!begun)
		chance_init(&way, world.plan->seed, "way", 0);
	begun = true;
	a->transport = (struct api_transport){.submit = submit, .free = transport_free};
	*ret = a;
	return 0;
}

struct api_transport *apiloop_transport(struct apiloop *a)
{
	return &a->transport;
}

void apiloop_free(struct apiloop *a)
{
	free(a);
}

void way_end(void)
{
	while (requests)
		request_free(requests);
	begun = false;
}
