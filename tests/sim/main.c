/* punchd's simulation: docs/testing.md. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "story.h"
#include "world.h"

static const char usage[] =
	"usage: sim --seed N [OPTION]…       tell one story\n"
	"       sim --seeds A-B [OPTION]…    play many, tell what failed\n"
	"       sim --seed-file FILE         play those that a file lists, one a line\n"
	"  --weeks W        how long (1)\n"
	"  --log            with the daemon's own log\n"
	"  --quiet          only the last line\n"
	"  --no-shrink      leave a failing story as long as it is\n"
	"  --first          end with the first that fails\n"
	"  --people N --terminals N --days N --deeds N --links N --only LIST   of a smaller story: "
	"LIST are\n"
	"                   numbers of troubles, or none\n";

struct options {
	int64_t first, last;
	const char *file;
	int weeks, people, terminals, days, deeds, links;
	const char *only;
	bool log, quiet, no_shrink, end_first;
};

static void print_line(const struct plan *p, int weeks, const struct result *r)
{
	printf("seed=%llu weeks=%d ", (unsigned long long)p->seed, weeks);
	if (r->crashed)
		printf("FAILED: the process ended\n");
	else if (r->broken[0])
		printf("steps=%llu trace=%s FAILED: %s, at step %llu: %s\n",
			(unsigned long long)r->steps, r->trace, r->broken,
			(unsigned long long)r->steps, r->how);
	else
		printf("steps=%llu trace=%s ok\n", (unsigned long long)r->steps, r->trace);
	fflush(stdout);
}

static void print_options(const struct plan *p, int weeks)
{
	const char *gap = "";

	printf("the shortest: --seed %llu --weeks %d --days %d --people %d --terminals %d --deeds "
	       "%d --links %d --only ",
		(unsigned long long)p->seed, weeks, p->days, p->people, p->terminals, p->deeds,
		p->links);
	for (int i = 0; i < p->troubles; i++) {
		if (!p->left_out[i]) {
			printf("%s%d", gap, i);
			gap = ",";
		}
	}
	printf("%s\n", gap[0] ? "" : "none");
}

static void make_plan(struct plan *p, uint64_t seed, const struct options *o)
{
	plan_make(p, seed, o->weeks);
	if (o->people > 0)
		p->people = o->people;
	if (o->terminals > 0)
		p->terminals = o->terminals;
	if (o->days > 0)
		p->days = o->days;
	if (o->deeds >= 0)
		p->deeds = o->deeds;
	if (o->links >= 0)
		p->links = o->links;
	for (int i = 0; o->only && i < p->troubles; i++)
		p->left_out[i] = true;
	for (const char *at = o->only; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : "") {
		long n = strtol(at, NULL, 10);

		if (*at != 'n' && n >= 0 && n < p->troubles)
			p->left_out[n] = false;
	}
}

static bool failed(const struct result *r)
{
	return r->crashed || r->broken[0];
}

static int tell_one(const struct options *o)
{
	struct plan p;
	struct result r;

	make_plan(&p, (uint64_t)o->first, o);
	if (o->quiet)
		story_play_apart(&p, &r);
	else
		story_play(&p, stdout, o->log ? stdout : NULL, &r);
	if (!failed(&r) && !o->quiet)
		printf("%lld taps, %lld records and %lld of them twice, %lld starts in %lld boots, "
		       "%lld windows used to the full\n",
			(long long)r.taps, (long long)r.delivered, (long long)r.doubles,
			(long long)r.starts, (long long)r.boots, (long long)r.windows);
	if (failed(&r) && !o->no_shrink) {
		story_shrink(&p, &r);
		print_options(&p, o->weeks);
	}
	print_line(&p, o->weeks, &r);
	return failed(&r);
}

/* ---- many, side by side */

struct worker {
	pid_t pid;
	uint64_t seed;
	struct result *result; /* shared with the child */
};

struct run {
	const struct options *options;
	const uint64_t *seeds;
	int64_t count, next;
	int64_t passed, failed;
	int64_t taps, doubles, windows, starts;
	uint64_t steps;
	struct plan first_failed;
	struct result first_result;
};

static void start_worker(struct run *run, struct worker *w)
{
	struct plan p;

	w->seed = run->seeds[run->next++];
	fflush(NULL);
	w->pid = fork();
	if (w->pid != 0)
		return;
	make_plan(&p, w->seed, run->options);
	alarm(STORY_WEEK_S * (unsigned)run->options->weeks);
	story_play(&p, NULL, NULL, w->result);
	_exit(0);
}

static void take_result(struct run *run, struct worker *w, int status)
{
	struct result r = *w->result;
	struct plan p;

	w->pid = 0;
	r.crashed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	make_plan(&p, w->seed, run->options);
	if (!failed(&r)) {
		run->passed++;
		run->taps += r.taps;
		run->doubles += r.doubles;
		run->windows += r.windows;
		run->starts += r.starts;
		run->steps += r.steps;
		return;
	}
	if (run->failed++ == 0) {
		run->first_failed = p;
		run->first_result = r;
	}
	print_line(&p, run->options->weeks, &r);
	if (run->options->end_first)
		run->next = run->count;
}

static void play_all(struct run *run)
{
	struct worker workers[64] = {{.pid = 0}};
	long n = sysconf(_SC_NPROCESSORS_ONLN), busy = 0;

	n = n < 1 ? 1 : n > 64 ? 64 : n;
	for (int i = 0; i < n; i++)
		workers[i].result = mmap(NULL, sizeof(struct result), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (;;) {
		int status;
		pid_t pid;

		for (int i = 0; i < n; i++) {
			if (workers[i].pid == 0 && run->next < run->count) {
				start_worker(run, &workers[i]);
				busy++;
			}
		}
		if (busy == 0)
			return;
		pid = wait(&status);
		for (int i = 0; i < n; i++) {
			if (workers[i].pid == pid) {
				story_clear(pid);
				take_result(run, &workers[i], status);
				busy--;
			}
		}
	}
}

static int tell_many(const struct options *o, const uint64_t *seeds, int64_t count)
{
	struct run run = {.options = o, .seeds = seeds, .count = count};
	struct timespec began, ended;
	double s;

	clock_gettime(CLOCK_MONOTONIC, &began);
	play_all(&run);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	s = (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
	printf("%lld weeks in %.1f s, %.1f a second: %llu steps, %lld taps, %lld starts of punchd, "
	       "%lld records twice where keys are ignored, %lld windows used to the full\n",
		(long long)(run.passed * o->weeks), s, (double)(run.passed * o->weeks) / s,
		(unsigned long long)run.steps, (long long)run.taps, (long long)run.starts,
		(long long)run.doubles, (long long)run.windows);
	if (run.failed > 0 && !o->no_shrink) {
		story_shrink(&run.first_failed, &run.first_result);
		print_options(&run.first_failed, o->weeks);
	}
	printf("%lld passed, %lld failed\n", (long long)run.passed, (long long)run.failed);
	return run.failed > 0;
}

static int tell_range(const struct options *o)
{
	int64_t count = o->last - o->first + 1;
	uint64_t *seeds = calloc((size_t)count, sizeof *seeds);
	int r;

	if (!seeds)
		return 1;
	for (int64_t i = 0; i < count; i++)
		seeds[i] = (uint64_t)(o->first + i);
	r = tell_many(o, seeds, count);
	free(seeds);
	return r;
}

static int tell_file(const struct options *o)
{
	FILE *f = fopen(o->file, "r");
	uint64_t seeds[4096];
	int64_t count = 0;
	char line[512];

	if (!f) {
		perror(o->file);
		return 1;
	}
	while (count < 4096 && fgets(line, sizeof line, f)) {
		char *end;
		unsigned long long seed = strtoull(line, &end, 10);

		if (end != line)
			seeds[count++] = seed;
	}
	fclose(f);
	return tell_many(o, seeds, count);
}

int main(int argc, char **argv)
{
	enum {
		SEED = 256,
		SEEDS,
		FILE_,
		WEEKS,
		LOG_,
		QUIET,
		NO_SHRINK,
		FIRST,
		PEOPLE,
		TERMINALS,
		DAYS,
		DEEDS,
		LINKS,
		ONLY
	};
	static const struct option names[] = {{"seed", 1, NULL, SEED}, {"seeds", 1, NULL, SEEDS},
		{"seed-file", 1, NULL, FILE_}, {"weeks", 1, NULL, WEEKS}, {"log", 0, NULL, LOG_},
		{"quiet", 0, NULL, QUIET}, {"no-shrink", 0, NULL, NO_SHRINK},
		{"first", 0, NULL, FIRST}, {"people", 1, NULL, PEOPLE},
		{"terminals", 1, NULL, TERMINALS}, {"days", 1, NULL, DAYS},
		{"deeds", 1, NULL, DEEDS}, {"links", 1, NULL, LINKS}, {"only", 1, NULL, ONLY},
		{NULL, 0, NULL, 0}};
	struct options o = {.first = -1, .weeks = 1, .deeds = -1, .links = -1};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case SEED: o.first = o.last = strtoll(optarg, NULL, 10); break;
		case SEEDS:
			if (sscanf(optarg, "%ld-%ld", &o.first, &o.last) != 2)
				o.first = -1;
			break;
		case FILE_: o.file = optarg; break;
		case WEEKS: o.weeks = (int)strtol(optarg, NULL, 10); break;
		case LOG_: o.log = true; break;
		case QUIET: o.quiet = true; break;
		case NO_SHRINK: o.no_shrink = true; break;
		case FIRST: o.end_first = true; break;
		case PEOPLE: o.people = (int)strtol(optarg, NULL, 10); break;
		case TERMINALS: o.terminals = (int)strtol(optarg, NULL, 10); break;
		case DAYS: o.days = (int)strtol(optarg, NULL, 10); break;
		case DEEDS: o.deeds = (int)strtol(optarg, NULL, 10); break;
		case LINKS: o.links = (int)strtol(optarg, NULL, 10); break;
		case ONLY: o.only = optarg; break;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (o.file)
		return tell_file(&o);
	if (o.first < 0 || o.last < o.first || o.weeks < 1 || o.weeks > 52 ||
		o.people > PLAN_PEOPLE_MAX || o.terminals > PLAN_TERMINALS_MAX) {
		fputs(usage, stderr);
		return 2;
	}
	return o.first == o.last ? tell_one(&o) : tell_range(&o);
}
