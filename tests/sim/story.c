#include "story.h"

#include <assert.h>
#include <ftw.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "broker.h"
#include "cloud.h"
#include "gateway.h"
#include "laws.h"
#include "linker.h"
#include "operator.h"
#include "laws_private.h"
#include "terminal.h"
#include "trouble.h"

#define LOOK_EVERY (2 * MINUTE)
#define CALM_LOOKS 3          /* in a row without anything left */
#define GRACE      (3 * HOUR) /* for backoffs, beside the time that the allowance gives */

/* The end: when nothing has been left for a while, everything is judged. */
static struct {
	bool asked;
	int calm;
	int64_t deadline_us;
} ending;

/* ---- the daemon's log, in virtual time */

static ssize_t write_log(void *cookie, const char *bytes, size_t n)
{
	FILE *to = cookie;

	if (to)
		fprintf(to, "%s    | %.*s", when(world.now_us), (int)n, bytes);
	return (ssize_t)n;
}

static FILE *open_log(FILE *to)
{
	return fopencookie(to, "w", (cookie_io_functions_t){.write = write_log});
}

/* ---- the end */

static bool nothing_is_left(void)
{
	return terminals_keep() == 0 && broker_waiting() == 0 && laws_queued() == 0 &&
		laws_held_in_doubt() == 0;
}

static int64_t allowance_us(void)
{
	int64_t windows = (tap_count * 2 + 40) / cloud.limit + 2;
	int64_t by_rate = windows * world.plan->window_s * SECOND * 100 / 90;
	int64_t by_flight = tap_count * 2 * (world.plan->latency_us + 50 * MS);

	return by_rate + by_flight + GRACE;
}

static void ask_for_all(void)
{
	int status;
	char *answer = gateway_ask("POST", "/v1/sync", &status);

	ending.asked = answer != NULL && linker_ends();
	free(answer);
	if (ending.asked)
		gateway_signal(SIGHUP);
}

static void on_look(void *arg)
{
	(void)arg;
	if (laws_held_in_doubt() > 0)
		operator_release_all();
	if (!ending.asked)
		ask_for_all();
	else
		ending.calm = nothing_is_left() ? ending.calm + 1 : 0;
	if (ending.calm >= CALM_LOOKS) {
		laws_judge_end();
		world.over = true;
		return;
	}
	LAW(world.now_us < ending.deadline_us, "everything drains",
		"%d punches at terminals, %zu messages at the broker, %lld queued, %s asked",
		terminals_keep(), broker_waiting(), (long long)laws_queued(),
		ending.asked ? "was" : "could not be");
	world_in(LOOK_EVERY, on_look, NULL);
}

static void on_quiet(void *arg)
{
	(void)arg;
	troubles_over();
	ending.deadline_us = world.now_us + allowance_us();
	world_in(LOOK_EVERY, on_look, NULL);
}

/* ---- a folder that costs nothing */

static int remove_one(const char *path, const struct stat *st, int what, struct FTW *ftw)
{
	(void)st;
	(void)what;
	(void)ftw;
	return remove(path);
}

static void folder_of(pid_t pid, char path[static 64])
{
	snprintf(path, 64, "%s/punchd-sim-%ld", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
		(long)pid);
}

void story_clear(pid_t pid)
{
	char path[64];

	folder_of(pid, path);
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- a story */

static void gather(struct result *ret)
{
	*ret = (struct result){.steps = world.steps,
		.taps = tap_count,
		.delivered = 0,
		.windows = watcher.full_windows,
		.starts = gateway.starts,
		.boots = gateway.boots,
		.ends_us = world.now_us - world.began_us};
	for (size_t i = 0; i < cloud.record_count; i++) {
		const struct sent_key *k = cloud_key(cloud.records[i].key);

		if (k->first == (int64_t)i)
			ret->delivered++;
		else
			ret->doubles++;
	}
	snprintf(ret->broken, sizeof ret->broken, "%s", world.broken);
	snprintf(ret->how, sizeof ret->how, "%s", world.how);
}

void story_play(const struct plan *plan, FILE *told, FILE *logs, struct result *ret)
{
	char folder[64], trace[65];
	FILE *log = open_log(logs);

	assert(log);
	log_set_stream(log);
	story_clear(getpid());
	folder_of(getpid(), folder);
	assert(mkdir(folder, 0700) == 0);
	json_object_seed(1);
	memset(&ending, 0, sizeof ending);
	world_begin(plan, told);
	world.logs = logs != NULL;
	cloud_begin();
	broker_begin();
	gateway_begin(folder);
	laws_begin();
	terminals_begin();
	troubles_begin();
	operator_begin();
	linker_begin();
	world_at(world.until_us, on_quiet, NULL);
	gateway_live();
	gather(ret);
	laws_end();
	gateway_end();
	broker_end();
	terminals_end();
	way_end();
	cloud_end();
	world_end(trace);
	snprintf(ret->trace, sizeof ret->trace, "%s", trace);
	log_set_stream(NULL);
	fclose(log);
	story_clear(getpid());
}
