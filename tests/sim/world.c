#include "world.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdarg.h>

#include "base/hex.h"
#include "base/time.h"

#define LATE_MAX MINUTE       /* of a tick */
#define MONDAY_S 1772409600LL /* 2026-03-02T00:00:00Z */

struct event {
	int64_t at_us;
	uint64_t order;
	void (*happen)(void *arg); /* NULL: cancelled */
	void *arg;
	int64_t latest_us; /* of a tick; 0: no tick */
};

struct world world;
static struct event **heap;
static size_t count, size;
static uint64_t orders;
static FILE *told;
static EVP_MD_CTX *hash;

void world_begin(const struct plan *plan, FILE *to)
{
	world = (struct world){.plan = plan,
		.now_us = MONDAY_S * SECOND,
		.began_us = MONDAY_S * SECOND,
		.until_us = MONDAY_S * SECOND + plan->days * DAY};
	orders = 0;
	told = to;
	hash = EVP_MD_CTX_new();
	assert(hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL));
}

void world_end(char ret_trace[static 65])
{
	uint8_t digest[32];

	for (size_t i = 0; i < count; i++)
		free(heap[i]);
	free(heap);
	heap = NULL;
	count = size = 0;
	assert(EVP_DigestFinal_ex(hash, digest, NULL));
	EVP_MD_CTX_free(hash);
	hash = NULL;
	hex_encode(digest, sizeof digest, ret_trace);
}

/* ---- the heap: earliest first */

static bool before(const struct event *a, const struct event *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

static void sift_up(size_t i)
{
	for (; i > 0 && before(heap[i], heap[(i - 1) / 2]); i = (i - 1) / 2) {
		struct event *parent = heap[(i - 1) / 2];

		heap[(i - 1) / 2] = heap[i];
		heap[i] = parent;
	}
}

static void sift_down(size_t i)
{
	for (;;) {
		size_t least = i, left = 2 * i + 1, right = left + 1;
		struct event *e;

		if (left < count && before(heap[left], heap[least]))
			least = left;
		if (right < count && before(heap[right], heap[least]))
			least = right;
		if (least == i)
			return;
		e = heap[i];
		heap[i] = heap[least];
		heap[least] = e;
		i = least;
	}
}

static void push(struct event *e)
{
	if (count == size) {
		size = size ? size * 2 : 256;
		heap = realloc(heap, size * sizeof(struct event *));
		assert(heap);
	}
	e->order = orders++;
	heap[count++] = e;
	sift_up(count - 1);
}

static struct event *pop(void)
{
	struct event *e = heap[0];

	heap[0] = heap[--count];
	sift_down(0);
	return e;
}

static void drop_cancelled(void)
{
	while (count > 0 && !heap[0]->happen)
		free(pop());
}

/* ---- what happens */

struct event *world_at(int64_t at_us, void (*happen)(void *arg), void *arg)
{
	struct event *e = calloc(1, sizeof *e);

	assert(e);
	e->at_us = at_us > world.now_us ? at_us : world.now_us;
	e->happen = happen;
	e->arg = arg;
	push(e);
	return e;
}

struct event *world_in(int64_t delay_us, void (*happen)(void *arg), void *arg)
{
	return world_at(world.now_us + delay_us, happen, arg);
}

struct event *world_tick_in(int64_t delay_us, void (*happen)(void *arg), void *arg)
{
	struct event *e = world_in(delay_us, happen, arg);

	e->latest_us = e->at_us + LATE_MAX;
	return e;
}

void world_cancel(struct event *e)
{
	if (e)
		e->happen = NULL;
}

/* A tick waits for the next thing that really happens. */
static bool put_off(struct event *e)
{
	int64_t next_us;

	drop_cancelled();
	if (e->latest_us == 0 || count == 0)
		return false;
	next_us = heap[0]->at_us < e->latest_us ? heap[0]->at_us : e->latest_us;
	if (next_us <= e->at_us)
		return false;
	e->at_us = next_us;
	e->latest_us = next_us; /* not once more */
	push(e);
	return true;
}

bool world_step(void)
{
	struct event *e;

	do {
		drop_cancelled();
		if (count == 0)
			return false;
		e = pop();
	} while (put_off(e));
	world.now_us = e->at_us;
	world.steps++;
	e->happen(e->arg);
	free(e);
	return true;
}

/* ---- the story */

const char *when(int64_t at_us)
{
	static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static char texts[4][32];
	static int turn;
	char *text = texts[turn = (turn + 1) % 4];
	int64_t s = at_us / SECOND, day = s / 86400;

	snprintf(text, sizeof texts[0], "%s%lld %02d:%02d:%02d.%03d", days[((day % 7) + 7) % 7],
		(long long)(day - world.began_us / DAY), (int)(s / 3600 % 24), (int)(s / 60 % 60),
		(int)(s % 60), (int)(at_us / MS % 1000));
	return text;
}

static void add_line(const char *line, int n)
{
	assert(EVP_DigestUpdate(hash, line, (size_t)n));
	if (told)
		fwrite(line, 1, (size_t)n, told);
}

void tell(const char *format, ...)
{
	char line[1024];
	va_list ap;
	int n = snprintf(line, sizeof line, "%s ", when(world.now_us));

	va_start(ap, format);
	n += vsnprintf(line + n, sizeof line - (size_t)n - 1, format, ap);
	va_end(ap);
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n++] = '\n';
	add_line(line, n);
}

void law_broken(const char *law, const char *format, ...)
{
	va_list ap;

	if (world.broken[0])
		return;
	snprintf(world.broken, sizeof world.broken, "%s", law);
	va_start(ap, format);
	vsnprintf(world.how, sizeof world.how, format, ap);
	va_end(ap);
	tell("BROKEN %s: %s", world.broken, world.how);
	world.over = true;
}
