/*
 * Topics of profiles: filters in which `{name}` stands for one level.
 */
#ifndef PUNCHD_CORE_PROFILE_TOPIC_H
#define PUNCHD_CORE_PROFILE_TOPIC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define PROFILE_LEVELS_MAX 16
#define PROFILE_TOPIC_MAX  256 /* bytes of a filter */

/* What the named levels of a filter are in a topic. Points into both. */
struct profile_names {
	size_t count;
	struct {
		const char *name, *value;
		size_t name_length, value_length;
	} at[PROFILE_LEVELS_MAX];
};

/* NULL, or why a text is no filter. */
const char *profile_filter_fault(const char *filter);

/* Whether a topic matches a filter. ret (may be NULL) are its names. */
bool profile_filter_match(const char *filter, const char *topic, struct profile_names *ret);

/* Whether some topic matches both; placeholders of any kind stand for one level. */
bool profile_filters_meet(const char *a, const char *b);

/* Whether a filter has a level of this name. */
bool profile_filter_names(const char *filter, const char *name, size_t n);

/* Append the filter as a broker takes it: + for each named level. */
void profile_filter_print(const char *filter, struct buf *out);

/* Whether a text may be put into a topic as one level: 1 to 64 bytes without / + # $ and control
 * bytes. */
bool profile_level_sound(const char *text, size_t n);

#endif
