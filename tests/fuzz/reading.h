/* A message read through a profile, and what has to hold of all that comes of it. */
#ifndef PUNCHD_TESTS_FUZZ_READING_H
#define PUNCHD_TESTS_FUZZ_READING_H

#include "fuzz.h"

#include "core/profile.h"

/* The next text of the input, up to a NUL or the end; owned by the caller. */
char *reading_cut(const uint8_t **at, size_t *left, size_t *ret_length);

/* Read it whole, fill every answer that the profile has. topic need not match the profile's. */
void reading_check(
	const struct profile *p, const char *topic, const uint8_t *payload, size_t length);

#endif
