#include "daemon/punchd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/store_guard.h"

/* A message that was acknowledged and not parsed yet is a punch as well, at least one. */
static int64_t unparsed(struct store *s)
{
	struct store_guarded g;
	int r = store_guard_first(s, &g);

	if (r > 0)
		store_guarded_done(&g);
	return r;
}

static int64_t count(struct store *s)
{
	struct store_counts n;
	int64_t raw = unparsed(s);

	store_counts(s, &n);
	return raw < 0 ? raw
		       : raw + n.open[PUNCH_QUEUED] + n.open[PUNCH_HELD] + n.open[PUNCH_PARKED];
}

int punchd_unsettled(const char *path)
{
	struct store *s = NULL;
	char words[STORE_WORDS_MAX] = "";
	int64_t n = -1;

	/* Opening would make one. */
	if (access(path, F_OK) < 0)
		snprintf(words, sizeof words, "there is no such file");
	else if (store_open(path, &s, words) == 0 && (n = count(s)) < 0)
		snprintf(words, sizeof words, "%s", store_words(s));
	store_close(s);
	if (n < 0) {
		fprintf(stderr, "punchd: %s: %s\n", path, words);
		return PUNCHD_EXIT_FAILED;
	}
	printf("%" PRId64 "\n", n);
	return PUNCHD_EXIT_OK;
}
