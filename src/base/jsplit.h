/*
 * The elements of a JSON array, found without reading them: by its brackets, quotes and commas alone.
 * So one that is wrong in itself (a key twice, a byte that is no UTF-8) can be told from its
 * neighbours, which a parser of the whole would give up with it.
 */
#ifndef PUNCHD_BASE_JSPLIT_H
#define PUNCHD_BASE_JSPLIT_H

#include <stdbool.h>
#include <stddef.h>

/* Where an element lies, without the blanks around it; nothing between two commas is an empty one. */
struct jspan {
	size_t at, length;
};

/* Whether brackets outside of texts nest deeper than max. jansson would follow 2048. */
bool jsplit_deeper(const char *json, size_t n, int max);

/*
 * The spans of at most max elements. Returns how many elements there are, also beyond max, or
 * -EINVAL: the text is no array, is cut off, or something follows it.
 */
int jsplit(const char *json, size_t n, struct jspan *ret_spans, size_t max);

#endif
