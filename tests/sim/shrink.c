/* A story apart from this process, and smaller and smaller ones of a plan that fails. */
#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "story.h"

void story_play_apart(const struct plan *plan, struct result *ret)
{
	struct result *shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t pid;

	assert(shared != MAP_FAILED);
	fflush(NULL);
	pid = fork();
	assert(pid >= 0);
	if (pid == 0) {
		alarm(STORY_WEEK_S * (unsigned)(plan->days / 7 + 1));
		story_play(plan, NULL, NULL, shared);
		_exit(0);
	}
	assert(waitpid(pid, &status, 0) == pid);
	story_clear(pid);
	*ret = *shared;
	ret->crashed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	munmap(shared, sizeof *shared);
}

static bool fails_alike(const struct plan *plan, const struct result *failed)
{
	struct result r;

	story_play_apart(plan, &r);
	if (failed->crashed)
		return r.crashed;
	return !r.crashed && strcmp(r.broken, failed->broken) == 0;
}

/* Take the smaller plan where it still fails. */
static bool take(struct plan *plan, const struct plan *smaller, const struct result *failed)
{
	if (!fails_alike(smaller, failed))
		return false;
	*plan = *smaller;
	return true;
}

static void fewer(struct plan *plan, int *(*of)(struct plan *plan), const struct result *failed)
{
	for (int step = *of(plan) / 2; step > 0; step /= 2) {
		struct plan smaller = *plan;

		while (*of(&smaller) > step) {
			*of(&smaller) -= step;
			if (!take(plan, &smaller, failed))
				break;
		}
	}
}

static int *people_of(struct plan *plan)
{
	return &plan->people;
}

static int *deeds_of(struct plan *plan)
{
	return &plan->deeds;
}

static int *links_of(struct plan *plan)
{
	return &plan->links;
}

static int *terminals_of(struct plan *plan)
{
	return &plan->terminals;
}

static void without_troubles(struct plan *plan, const struct result *failed)
{
	for (int chunk = plan->troubles; chunk > 0; chunk /= 2) {
		for (int first = 0; first < plan->troubles; first += chunk) {
			struct plan smaller = *plan;
			bool any = false;

			for (int i = first; i < first + chunk && i < plan->troubles; i++) {
				any = any || !smaller.left_out[i];
				smaller.left_out[i] = true;
			}
			if (any)
				take(plan, &smaller, failed);
		}
	}
}

void story_shrink(struct plan *plan, const struct result *failed)
{
	for (int round = 0; round < 2; round++) {
		without_troubles(plan, failed);
		fewer(plan, people_of, failed);
		fewer(plan, terminals_of, failed);
		fewer(plan, deeds_of, failed);
		fewer(plan, links_of, failed);
	}
}
