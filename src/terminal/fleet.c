#include "terminal/fleet.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/strmap.h"
#include "terminal/pattern.h"
#include "terminal/terminal.h"

#define DEFAULT_SERIAL "BIO-FP-%03d"
#define GOODBYE_US     (5 * CLOCK_US_PER_S) /* for all together */
#define TROUBLE_US     (5 * CLOCK_US_PER_S) /* the same trouble of many is told this often */

struct fleet {
	struct terminal_env env;
	struct make make;
	struct event_base *base;
	struct event *flush, *tick, *timeout, *terminate, *interrupt;
	struct terminal **terminals;
	int64_t count, done;
	struct strmap by_serial;
	bool flush_due;
	int error; /* what broke the run */
	int64_t started_us;

	char trouble[160]; /* told last */
	int64_t trouble_us, trouble_count;
	int64_t foreign; /* records in the keep of terminals that are not played */
};

/* ---- what the terminals call */

static void break_off(struct fleet *f, int error, const char *token, const char *words)
{
	if (f->error == 0)
		log_error(token, words, LOG_S("error", strerror(-error)),
			LOG_S("store", keep_words(f->env.keep)));
	f->error = error;
	event_base_loopbreak(f->base);
}

static void on_broken(void *arg, int error)
{
	break_off(arg, error, "broken", "a punch could not be kept");
}

static void on_dirty(void *arg)
{
	struct fleet *f = arg;

	if (f->flush_due)
		return;
	f->flush_due = true;
	event_add(f->flush, &(struct timeval){0});
}

static void on_done(void *arg)
{
	struct fleet *f = arg;

	/* The loop ends behind the flush, so that the last acks are noted. */
	if (++f->done == f->count)
		on_dirty(f);
}

static void on_trouble(void *arg, const char *serial, const char *words)
{
	struct fleet *f = arg;
	int64_t now_us = clock_now().mono_us;

	f->trouble_count++;
	if (strcmp(f->trouble, words) == 0 && now_us - f->trouble_us < TROUBLE_US)
		return;
	log_warn("not_connected", words, LOG_S("host", f->env.options->host),
		LOG_I("port", f->env.options->port), LOG_S("serial", serial),
		LOG_I("times", f->trouble_count));
	snprintf(f->trouble, sizeof f->trouble, "%s", words);
	f->trouble_us = now_us;
	f->trouble_count = 0;
}

/* ---- events */

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct fleet *f = arg;
	int r;

	(void)fd;
	(void)what;
	f->flush_due = false;
	r = journal_flush(f->env.journal, JOURNAL_FACT);
	if (r == 0)
		r = keep_commit(f->env.keep);
	if (r == 0)
		r = journal_flush(f->env.journal, JOURNAL_MADE);
	if (r < 0) {
		break_off(f, r, "broken", "what happened could not be noted");
		return;
	}
	for (int64_t i = 0; i < f->count; i++)
		terminal_flush(f->terminals[i]);
	if (f->done == f->count && !f->flush_due)
		event_base_loopbreak(f->base);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct fleet *f = arg;

	(void)fd;
	(void)what;
	for (int64_t i = 0; i < f->count; i++)
		terminal_tick(f->terminals[i]);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	struct fleet *f = arg;

	(void)fd;
	if (what & EV_TIMEOUT)
		log_warn("timeout", "giving up after --timeout");
	event_base_loopbreak(f->base);
}

/* ---- building */

static int64_t terminals_wanted(const struct options *o, bool *ret_by_pattern)
{
	*ret_by_pattern = o->serials.count == 0 ||
		(o->serials.count == 1 && pattern_check(o->serials.items[0]) == 1);
	if (*ret_by_pattern)
		return o->terminals ? o->terminals : 1;
	return (int64_t)o->serials.count;
}

static bool check_serials(const struct options *o, bool by_pattern)
{
	if (by_pattern)
		return true;
	for (size_t i = 0; i < o->serials.count; i++) {
		if (strchr(o->serials.items[i], '%')) {
			log_error("serial",
				"a pattern has one %d or %0Nd, and is the only --serial",
				LOG_S("serial", o->serials.items[i]));
			return false;
		}
	}
	if (o->terminals && o->terminals != (int64_t)o->serials.count) {
		log_error("serial", "--terminals and the number of --serial differ",
			LOG_I("terminals", o->terminals),
			LOG_I("serials", (int64_t)o->serials.count));
		return false;
	}
	return true;
}

static int add_terminal(struct fleet *f, const char *serial)
{
	struct terminal *t;
	int r = terminal_new(&f->env, f->count, serial, &t);

	if (r == -EINVAL)
		log_error("serial", "a serial is 1 to 64 bytes without / + # $ and control bytes",
			LOG_S("serial", serial));
	else if (r < 0)
		log_error("serial", "cannot make a terminal", LOG_S("serial", serial),
			LOG_S("error", strerror(-r)));
	if (r < 0)
		return r;
	f->terminals[f->count++] = t;
	if (strmap_get(&f->by_serial, serial)) {
		log_error("serial", "the same serial twice", LOG_S("serial", serial));
		return -EINVAL;
	}
	return strmap_put(&f->by_serial, serial, t, NULL);
}

static int add_terminals(struct fleet *f, bool by_pattern)
{
	const struct options *o = f->env.options;
	const char *pattern = o->serials.count ? o->serials.items[0] : DEFAULT_SERIAL;
	char serial[256];
	int r = 0;

	f->terminals = calloc((size_t)f->make.terminals, sizeof(struct terminal *));
	if (!f->terminals)
		return -ENOMEM;
	for (int64_t i = 0; r == 0 && i < f->make.terminals; i++) {
		if (!by_pattern)
			r = add_terminal(f, o->serials.items[i]);
		else if (pattern_expand(pattern, i + 1, serial, sizeof serial) < 0)
			r = add_terminal(f, "");
		else
			r = add_terminal(f, serial);
	}
	return r;
}

static int on_kept(void *arg, const char *serial, int64_t row, const char *id, const char *body)
{
	struct fleet *f = arg;
	struct terminal *t = strmap_get(&f->by_serial, serial);

	if (t)
		return terminal_adopt(t, row, id, body);
	f->foreign++;
	return 0;
}

static int reset_counters(struct fleet *f)
{
	int r = 0;

	for (int64_t i = 0; r == 0 && i < f->count; i++) {
		r = terminal_reset_counter(f->terminals[i]);
		if (r == -EBUSY)
			log_error("counter_reset",
				"its keep holds punches whose ids would be used again: first let "
				"them be acknowledged",
				LOG_S("serial", terminal_serial(f->terminals[i])),
				LOG_I("unacked", terminal_unacked(f->terminals[i])));
	}
	return r;
}

static int load_keep(struct fleet *f)
{
	int r = keep_load(f->env.keep, on_kept, f);

	if (r < 0) {
		log_error("keep", "cannot read the kept punches",
			LOG_S("error", keep_words(f->env.keep)));
		return r;
	}
	if (f->foreign > 0)
		log_warn("keep", "holds punches of terminals that are not played: they stay there",
			LOG_I("punches", f->foreign));
	return f->env.options->counter_reset ? reset_counters(f) : 0;
}

static int open_files(struct fleet *f)
{
	const struct options *o = f->env.options;
	int r = keep_open(o->keep, &f->env.keep);

	if (r == -EBUSY)
		log_error("keep", "another process has this file", LOG_S("file", o->keep));
	else if (r == -EMEDIUMTYPE)
		log_error("keep", "this file is something else", LOG_S("file", o->keep));
	else if (r < 0)
		log_error("keep", "cannot open it", LOG_S("file", o->keep),
			LOG_S("error", keep_words(f->env.keep)));
	if (r < 0)
		return r;
	r = journal_open(o->journal, &f->env.journal);
	if (r < 0)
		log_error("journal", "cannot open it", LOG_S("file", o->journal),
			LOG_S("error", strerror(-r)));
	return r;
}

static int add_events(struct fleet *f)
{
	int64_t ms = f->env.options->timeout_ms;

	f->flush = evtimer_new(f->base, on_flush, f);
	f->tick = event_new(f->base, -1, EV_PERSIST, on_tick, f);
	f->timeout = evtimer_new(f->base, on_end, f);
	f->terminate = evsignal_new(f->base, SIGTERM, on_end, f);
	f->interrupt = evsignal_new(f->base, SIGINT, on_end, f);
	if (!f->flush || !f->tick || !f->timeout || !f->terminate || !f->interrupt)
		return -ENOMEM;
	event_add(f->terminate, NULL);
	event_add(f->interrupt, NULL);
	event_add(f->tick, &(struct timeval){.tv_sec = 1});
	if (ms > 0)
		event_add(f->timeout,
			&(struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000});
	return 0;
}

/* A terminal takes a socket, and libmosquitto a pair to wake itself. */
static void raise_descriptors(int64_t terminals)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)(3 * terminals + 64);

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < wanted)
		log_warn("descriptors", "fewer open files are allowed than the terminals need",
			LOG_I("allowed", (int64_t)limit.rlim_cur),
			LOG_I("needed", (int64_t)wanted));
}

static int build(struct fleet *f)
{
	bool by_pattern;
	int r;

	f->make.terminals = terminals_wanted(f->env.options, &by_pattern);
	if (!check_serials(f->env.options, by_pattern))
		return -EINVAL;
	raise_descriptors(f->make.terminals);
	f->base = f->env.base = event_base_new();
	r = f->base ? open_files(f) : -ENOMEM;
	if (r == 0)
		r = add_events(f);
	if (r == 0)
		r = add_terminals(f, by_pattern);
	return r == 0 ? load_keep(f) : r;
}

static void destroy(struct fleet *f)
{
	struct event *events[] = {f->flush, f->tick, f->timeout, f->terminate, f->interrupt};

	for (int64_t i = 0; i < f->count; i++)
		terminal_free(f->terminals[i]);
	free(f->terminals);
	strmap_done(&f->by_serial);
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
		if (events[i])
			event_free(events[i]);
	}
	journal_close(f->env.journal);
	keep_close(f->env.keep);
	if (f->base)
		event_base_free(f->base);
}

/* ---- the run */

static int64_t unacked(const struct fleet *f)
{
	int64_t n = 0;

	for (int64_t i = 0; i < f->count; i++)
		n += terminal_unacked(f->terminals[i]);
	return n;
}

static void print_summary(const struct fleet *f)
{
	const struct tally *y = &f->env.tally;
	int64_t ms = (clock_now().mono_us - f->started_us) / 1000;

	printf("sent=%lld acked=%lld queued=%lld duplicate=%lld held=%lld parked=%lld "
	       "suppressed=%lld other=%lld unacked=%lld kept=%lld resent=%lld reconnects=%lld "
	       "late=%lld strange=%lld garbled=%lld seconds=%lld.%03lld\n",
		(long long)y->sent, (long long)y->acked, (long long)y->status[REPLY_QUEUED],
		(long long)y->status[REPLY_DUPLICATE], (long long)y->status[REPLY_HELD],
		(long long)y->status[REPLY_PARKED], (long long)y->status[REPLY_SUPPRESSED],
		(long long)y->status[REPLY_OTHER], (long long)unacked(f), (long long)y->kept,
		(long long)y->resent, (long long)y->reconnects, (long long)y->late,
		(long long)y->strange, (long long)y->garbled, (long long)(ms / 1000),
		(long long)(ms % 1000));
	fflush(stdout);
}

/* Note what the last turn brought; what was made and never sent is kept for the next run. */
static void note_last(struct fleet *f)
{
	int r = journal_flush(f->env.journal, JOURNAL_FACT);

	if (r == 0)
		r = keep_commit(f->env.keep);
	if (r == 0)
		r = journal_flush(f->env.journal, JOURNAL_MADE);
	if (r < 0)
		break_off(f, r, "broken", "what happened could not be noted");
}

static int play(struct fleet *f)
{
	int64_t until_us;

	f->started_us = clock_now().mono_us;
	on_dirty(f);
	for (int64_t i = 0; i < f->count; i++)
		terminal_start(f->terminals[i]);
	if (event_base_dispatch(f->base) < 0)
		break_off(f, -EIO, "broken", "the event loop failed");
	if (f->error == 0)
		note_last(f);
	until_us = clock_now().mono_us + GOODBYE_US;
	for (int64_t i = 0; i < f->count; i++)
		terminal_stop(f->terminals[i], until_us);
	print_summary(f);
	return f->error == 0 && unacked(f) == 0 ? 0 : 1;
}

int fleet_run(const struct options *o, const struct people *people, const char *password)
{
	struct fleet f = {
		.make = {.options = o, .people = people},
		.env = {.options = o,
			.password = password,
			.dirty = on_dirty,
			.done = on_done,
			.trouble = on_trouble,
			.broken = on_broken},
	};
	int r;

	f.env.arg = &f;
	f.env.make = &f.make;
	r = build(&f);
	r = r == -EINVAL ? 2 : r < 0 ? 1 : play(&f);
	destroy(&f);
	return r;
}
