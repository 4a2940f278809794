#include "operator.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "cloud.h"
#include "gateway.h"
#include "laws.h"
#include "laws_private.h"

static struct chance chance;

enum deed { RELEASE, RETRY, DISCARD, AMEND_IN, AMEND_OUT, DEEDS };

static const struct {
	const char *verb, *body, *where;
} deeds[DEEDS] = {
	[RELEASE] = {"release", "{\"note\":\"let it go\"}", "state IN (1, 3)"},
	/* Those that may have been sent before they were refused are rare, and come first. */
	[RETRY] = {"retry", "", "state = 4 AND reason >= 1000"},
	[DISCARD] = {"discard", "{}", "state IN (0, 1, 3, 4)"},
	[AMEND_IN] = {"amend", "{\"type\":\"check_in\",\"note\":\"she says\"}",
		"state IN (0, 1, 3, 4) AND time IS NOT NULL"},
	[AMEND_OUT] = {"amend", "{\"type\":\"check_out\"}",
		"state IN (0, 1, 3, 4) AND time IS NOT NULL"},
};

/* Columns 0 to 5 as in laws_tap_of, and the identity. */
static sqlite3_stmt *some_row(enum deed deed)
{
	sqlite3_stmt *s = NULL;
	char sql[512];

	snprintf(sql, sizeof sql,
		"SELECT seq, (SELECT name FROM terminal WHERE id = terminal), record_id, time_sent,"
		" user, type_sent, lower(hex(identity)) FROM punch WHERE %s"
		" ORDER BY %sseq DESC LIMIT 1 OFFSET %lld",
		deeds[deed].where, deed == RETRY ? "(flags & 8) DESC, " : "",
		(long long)chance_below(&chance, deed == RETRY ? 2 : 6));
	if (sqlite3_prepare_v2(watcher.db, sql, -1, &s, NULL) != SQLITE_OK)
		abort();
	if (sqlite3_step(s) == SQLITE_ROW)
		return s;
	sqlite3_finalize(s);
	return NULL;
}

/* What a deed that may have been done means for what is to be expected. */
static void note(struct tap *t, int64_t seq, enum deed deed, int status)
{
	/* It died over it, or its disk failed: done or not, the next start shows. */
	if (status == 0 || status >= 500) {
		t->unsure = true;
		laws_may_change_key(seq);
		laws_may_send_again(seq);
		return;
	}
	if (status != 200)
		return;
	t->touched = true;
	t->deed_seq = seq;
	switch (deed) {
	case RELEASE:
		t->released = true;
		laws_may_send_again(seq);
		break;
	case RETRY: laws_may_change_key(seq); break;
	case DISCARD: t->discarded = true; break;
	case AMEND_IN:
	case AMEND_OUT:
		t->amended = deed == AMEND_IN ? WAY_IN : WAY_OUT;
		laws_may_change_key(seq);
		break;
	case DEEDS: break;
	}
}

/* Returns whether there was anything to do it to. */
static bool act(enum deed deed)
{
	sqlite3_stmt *s = some_row(deed);
	int64_t seq;
	struct tap *t;
	char path[96], *answer;
	int status = 0;

	if (!s)
		return false;
	t = laws_tap_of(s);
	seq = sqlite3_column_int64(s, 0);
	snprintf(path, sizeof path, "/v1/punches/%s/%s", laws_column(s, 6), deeds[deed].verb);
	sqlite3_finalize(s);
	/* Noise, or nobody knows which; or its other row, where it came twice without a time. */
	if (!t || t->twin || (t->deed_seq && t->deed_seq != seq))
		return true;
	answer = gateway_ask_with("POST", path, deeds[deed].body, &status);
	if (!gateway_lives())
		status = 0;
	tell("an operator would %s row %lld: %d", deeds[deed].verb, (long long)seq, status);
	free(answer);
	note(t, seq, deed, status);
	return true;
}

static void on_deed(void *arg)
{
	int first = (int)chance_below(&chance, DEEDS);
	bool done = false;

	(void)arg;
	if (world.quiet)
		return;
	if (gateway.runs && gateway_lives() && watcher.db) {
		for (int i = 0; i < DEEDS && !done; i++)
			done = act((enum deed)((first + i) % DEEDS));
	}
	/* Nothing waits just now. */
	if (!done)
		world_in(chance_from(&chance, 10, 200) * MINUTE, on_deed, NULL);
}

void operator_release_all(void)
{
	static const char body[] = "{\"state\":\"held\",\"reason\":\"in_doubt\"}";
	sqlite3_stmt *s = watcher.doubted;
	int status = 0;

	while (sqlite3_step(s) == SQLITE_ROW) {
		struct sent_key *k = cloud_key(laws_column(s, 0));

		if (k)
			k->releases++;
	}
	sqlite3_reset(s);
	free(gateway_ask_with("POST", "/v1/punches/release", body, &status));
	tell("an operator lets go all that is in doubt: %d", status);
}

void operator_begin(void)
{
	chance_init(&chance, world.plan->seed, "operator", 0);
	for (int i = 0; i < world.plan->deeds; i++)
		world_at(world.began_us + chance_below(&chance, world.plan->days * DAY), on_deed,
			NULL);
}
