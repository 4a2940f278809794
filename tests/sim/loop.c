/* edge/loop.h and base/clock.h in virtual time. */
#include "edge/loop.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"
#include "laws.h"

#define TICK_MS 1000 /* what sets itself again after so long is a tick that may come late */

struct loop {
	struct loop_signal *signals;
	bool stopped;
	int code;
};

struct loop_timer {
	struct loop *loop;
	void (*on)(void *arg);
	void *arg;
	struct event *event;
	bool in_callback;
};

struct loop_signal {
	struct loop_signal *next;
	struct loop *loop;
	int signo;
	void (*on)(void *arg);
	void *arg;
};

static struct loop *running;

struct loop *loop_new(void)
{
	return calloc(1, sizeof(struct loop));
}

void loop_free(struct loop *l)
{
	free(l);
}

int loop_run(struct loop *l)
{
	running = l;
	gateway.runs = true;
	laws_started();
	while (!l->stopped && gateway_lives() && !world.over && world_step())
		laws_after_step();
	laws_stopped();
	gateway.runs = false;
	running = NULL;
	return l->stopped ? l->code : 1;
}

void loop_stop(struct loop *l, int code)
{
	l->stopped = true;
	l->code = code;
}

struct moment loop_now(struct loop *l)
{
	(void)l;
	return clock_now();
}

uint64_t loop_random(struct loop *l)
{
	(void)l;
	return chance_bits(&gateway.chance);
}

/* ---- timers */

struct loop_timer *loop_timer_new(struct loop *l, void (*on)(void *arg), void *arg)
{
	struct loop_timer *t = calloc(1, sizeof *t);

	if (t)
		*t = (struct loop_timer){.loop = l, .on = on, .arg = arg};
	return t;
}

static void fire(void *arg)
{
	struct loop_timer *t = arg;

	t->event = NULL;
	if (running != t->loop || !gateway_lives())
		return;
	t->in_callback = true;
	t->on(t->arg);
	t->in_callback = false;
}

void loop_timer_set(struct loop_timer *t, int64_t delay_ms)
{
	int64_t delay_us = delay_ms > 0 ? delay_ms * MS : 0;

	assert(delay_ms < INT64_MAX / 2 / MS);
	loop_timer_stop(t);
	t->event = t->in_callback && delay_ms == TICK_MS ? world_tick_in(delay_us, fire, t)
							 : world_in(delay_us, fire, t);
}

void loop_timer_stop(struct loop_timer *t)
{
	world_cancel(t->event);
	t->event = NULL;
}

bool loop_timer_armed(const struct loop_timer *t)
{
	return t->event != NULL;
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	loop_timer_stop(t);
	free(t);
}

/* ---- descriptors: nobody watches one in here */

struct loop_watch *loop_watch_new(
	struct loop *l, int fd, void (*on)(void *arg, int events), void *arg)
{
	(void)l;
	(void)fd;
	(void)on;
	(void)arg;
	return NULL;
}

int loop_watch_set(struct loop_watch *w, int events)
{
	(void)w;
	(void)events;
	return -1;
}

void loop_watch_free(struct loop_watch *w)
{
	(void)w;
}

/* ---- signals */

struct loop_signal *loop_signal_new(struct loop *l, int signo, void (*on)(void *arg), void *arg)
{
	struct loop_signal *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	*s = (struct loop_signal){
		.next = l->signals, .loop = l, .signo = signo, .on = on, .arg = arg};
	return l->signals = s;
}

void loop_signal_free(struct loop_signal *s)
{
	struct loop_signal **at;

	if (!s)
		return;
	for (at = &s->loop->signals; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	free(s);
}

void gateway_signal(int signo)
{
	for (struct loop_signal *s = running ? running->signals : NULL; s; s = s->next) {
		if (s->signo == signo) {
			s->on(s->arg);
			return;
		}
	}
}

/* ---- clocks */

struct moment clock_now(void)
{
	return (struct moment){.wall_us = gateway_wall_us(), .mono_us = gateway_mono_us()};
}

bool clock_synchronized(void)
{
	return gateway.synced;
}

int clock_boot_id(char ret_id[static 37])
{
	memcpy(ret_id, gateway.boot_id, sizeof gateway.boot_id);
	return 0;
}
