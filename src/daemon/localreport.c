#include "daemon/localreport.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/workday.h"
#include "store/store_report.h"

#define STACK (512 * 1024)

struct localreport {
	struct store_report *store;
	struct report report;
	char *holidays, *user_id, *department; /* copies: the settings may change meanwhile */
	int64_t from_s;                        /* what accept_from says, or INT64_MIN */
	int64_t now_s;

	pthread_t thread;
	bool started;
	int ended_fd; /* the thread writes it as the last thing it does */
	int error;
	struct loop_watch *watch;
	localreport_done *done;
	void *arg;
};

/* ---- in the thread */

static int on_user(void *arg, const char *id, const char *name, const char *department)
{
	return report_add_user(arg, id, name, department);
}

static int on_tap(void *arg, const char *user_id, int type, int64_t time_s)
{
	report_tap(arg, user_id, (enum punch_type)type, time_s);
	return 0;
}

static int on_waiting(void *arg, const char *user_id, int state, bool in_doubt, int64_t time_s)
{
	struct report *r = arg;
	int64_t day = report_day_of(r, time_s);

	if (day >= r->first_day && day <= r->last_day)
		report_waiting(r, user_id, (enum punch_state)state, in_doubt);
	return 0;
}

static int read_day(struct localreport *l, int64_t day)
{
	const struct report_rules *rules = &l->report.rules;
	int64_t from_s, to_s;

	if (!report_works(&l->report, day))
		return 0;
	workday_span(rules->zone, rules->day_start_s, (int32_t)day, &from_s, &to_s);
	report_begin_day(&l->report, day);
	return store_report_taps(l->store, from_s, to_s, l->user_id, on_tap, &l->report);
}

static int read_waiting(struct localreport *l)
{
	const struct report_rules *rules = &l->report.rules;
	int64_t from_s, to_s, unused_s;

	workday_span(
		rules->zone, rules->day_start_s, (int32_t)l->report.first_day, &from_s, &unused_s);
	workday_span(
		rules->zone, rules->day_start_s, (int32_t)l->report.last_day, &unused_s, &to_s);
	return store_report_waiting(l->store, from_s, to_s, on_waiting, &l->report);
}

/* The first day of which all is there: behind what was purged, else from where the gateway began. */
static int read_reach(struct localreport *l)
{
	int64_t first_s, purged_s, from_s = l->from_s, day;
	int r = store_report_reach(l->store, &first_s, &purged_s);

	if (r < 0)
		return r;
	if (from_s == INT64_MIN)
		from_s = first_s == INT64_MIN ? l->now_s : first_s;
	if (purged_s != INT64_MIN)
		from_s = purged_s + 1;
	day = report_day_of(&l->report, from_s - 1) + 1;
	if (day > l->report.first_day)
		l->report.completeness.complete_from = day;
	return 0;
}

static int compute(struct localreport *l)
{
	struct report *report = &l->report;
	int r = store_report_users(l->store, l->user_id, l->department, on_user, report);

	if (r == 0 && l->user_id && report->count == 0 && !l->department)
		r = -ENOENT;
	for (int64_t day = report->first_day; day <= report->last_day && r == 0; day++)
		r = read_day(l, day);
	report_end(report);
	if (r == 0)
		r = read_waiting(l);
	return r == 0 ? read_reach(l) : r;
}

static void *run(void *arg)
{
	struct localreport *l = arg;

	l->error = compute(l);
	eventfd_write(l->ended_fd, 1);
	return NULL;
}

/* ---- in the loop's thread */

static void on_ended(void *arg, int events)
{
	struct localreport *l = arg;

	(void)events;
	pthread_join(l->thread, NULL);
	l->started = false;
	loop_watch_set(l->watch, 0);
	l->done(l->arg, l->error, store_report_words(l->store));
}

/* Signals are for the loop's thread. */
static int start_thread(struct localreport *l)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	r = pthread_create(&l->thread, &attr, run, l);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	l->started = r == 0;
	return r == 0 ? 0 : -ENOMEM;
}

struct silence {
	struct report_completeness *into;
	int64_t until_us; /* what fell silent later is silent of another time */
	bool failed;
};

static void on_silent(void *arg, const char *serial, int64_t since_us)
{
	struct silence *s = arg;
	struct report_completeness *c = s->into;
	struct report_silent *more;

	if (since_us > s->until_us)
		return;
	more = reallocarray(c->silent, c->silent_count + 1, sizeof *more);
	if (!more) {
		s->failed = true;
		return;
	}
	c->silent = more;
	c->silent[c->silent_count] = (struct report_silent){.since_us = since_us};
	punch_text_cut(c->silent[c->silent_count].serial, sizeof more->serial, serial);
	c->silent_count++;
}

static int take_facts(struct localreport *l, struct context *context, struct terminals *terminals)
{
	const struct report *r = &l->report;
	struct silence silence = {.into = &l->report.completeness};
	int64_t from_s, to_s;

	workday_span(r->rules.zone, r->rules.day_start_s, (int32_t)r->last_day, &from_s, &to_s);
	silence.until_us = to_s * CLOCK_US_PER_S;
	terminals_each_silent(terminals, on_silent, &silence);
	l->report.completeness.users_synced_us = context->users_pass_ms * 1000;
	l->from_s = context->config.punches.accept_from_s;
	l->now_s = loop_now(context->loop).wall_us / CLOCK_US_PER_S;
	return silence.failed ? -ENOMEM : 0;
}

static char *copy(const char *text, bool *failed)
{
	char *mine = text ? strdup(text) : NULL;

	*failed |= text && !mine;
	return mine;
}

static int prepare(struct localreport *l, struct context *context, struct terminals *terminals,
	const struct localreport_query *query)
{
	bool failed = false;
	struct report_rules rules = {.zone = context->zone,
		.day_start_s = (int32_t)context->config.site.day_start_s,
		.week = context->config.site.working_days,
		.late_after_s = context->config.site.late_after_s,
		.early_before_s = context->config.site.early_before_s};

	rules.holidays = l->holidays = copy(context->config.site.holidays, &failed);
	l->user_id = copy(query->user_id, &failed);
	l->department = copy(query->department, &failed);
	if (failed)
		return -ENOMEM;
	report_init(
		&l->report, &rules, query->first_day, query->last_day, loop_random(context->loop));
	l->report.confined = query->user_id || query->department;
	return take_facts(l, context, terminals);
}

int localreport_start(struct context *context, struct terminals *terminals,
	const struct localreport_query *query, localreport_done *done, void *arg,
	struct localreport **ret, char ret_words[static STORE_WORDS_MAX])
{
	struct localreport *l = calloc(1, sizeof *l);
	int r;

	snprintf(ret_words, STORE_WORDS_MAX, "%s", strerror(ENOMEM));
	if (!l)
		return -ENOMEM;
	*l = (struct localreport){.done = done, .arg = arg};
	l->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = l->ended_fd < 0 ? -errno : prepare(l, context, terminals, query);
	if (r == 0)
		r = store_report_new(context->store, &l->store, ret_words);
	if (r == 0) {
		l->watch = loop_watch_new(context->loop, l->ended_fd, on_ended, l);
		if (!l->watch || loop_watch_set(l->watch, LOOP_READ) < 0 || start_thread(l) < 0)
			r = -ENOMEM;
	}
	if (r < 0)
		localreport_free(l);
	else
		*ret = l;
	return r;
}

const struct report *localreport_report(const struct localreport *l)
{
	return &l->report;
}

void localreport_free(struct localreport *l)
{
	if (!l)
		return;
	if (l->started) {
		store_report_stop(l->store);
		pthread_join(l->thread, NULL);
	}
	loop_watch_free(l->watch);
	if (l->ended_fd >= 0)
		close(l->ended_fd);
	store_report_free(l->store);
	report_done(&l->report);
	free(l->holidays);
	free(l->user_id);
	free(l->department);
	free(l);
}
