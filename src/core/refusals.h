/*
 * The same refusal again and again: one mistake in the settings, not many bad punches.
 *
 * Where the API refuses 20 punches of 5 people in a row with the same code and param, the next ones
 * would be parked for the same reason. Forwarding stops then, and a person is told what they share
 * (CLOUD-API.md, Errors). Pure: refusals in, a decision out.
 */
#ifndef PUNCHD_CORE_REFUSALS_H
#define PUNCHD_CORE_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/punch.h"

#define REFUSALS_ALIKE      20
#define REFUSALS_PEOPLE     5
#define REFUSALS_WORDS_SIZE 320

/* All zero: none yet. */
struct refusals {
	char code[CLOUD_ID_MAX + 1];
	char param[CLOUD_ID_MAX + 1];
	int count;
	uint64_t people[REFUSALS_PEOPLE];
	int people_count;
	bool stopped; /* until refusals_clear */
	char words[REFUSALS_WORDS_SIZE];
};

/* A punch of this user (outbox_user_hash) was refused: code and param as the API said. */
void refusals_note(struct refusals *r, const char *code, const char *param, uint64_t user);

/* A punch was delivered: the row is broken. What has stopped stays so: answers to what was under way
 * then still come. */
void refusals_break(struct refusals *r);

/* A person says that it is mended: go on. */
void refusals_clear(struct refusals *r);

#endif
