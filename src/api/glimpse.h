/*
 * What an answer that was cut off still shows: the id of the record that it tells of. Pure.
 *
 * Such an answer leaves its punch in doubt all the same (CLOUD-API.md, Errors); but where the send
 * that follows is answered with another id, the cloud has made two records.
 */
#ifndef PUNCHD_API_GLIMPSE_H
#define PUNCHD_API_GLIMPSE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The id in the beginning of `{"data":{"id":"att_…",…`: any members before it, as long as they are
 * plain texts, and the id whole, with its quote, in visible ASCII. Nothing is guessed: false for all else.
 */
bool glimpse_id(const char *json, size_t n, char *ret, size_t size);

#endif
