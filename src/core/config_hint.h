/*
 * What somebody probably meant whose settings are at fault, as the end of the message that says so:
 * ": base_url?". Appends nothing where nothing is near. Private to the files core/config*.c.
 */
#ifndef PUNCHD_CORE_CONFIG_HINT_H
#define PUNCHD_CORE_CONFIG_HINT_H

#include "core/config_keys.h"

/* A key that is not in this section: where it is, or which is meant. section "": before the first. */
void config_hint_key(const char *section, const char *name, struct buf *out);

void config_hint_section(const char *name, struct buf *out);

/* A value that the key does not take: how it is written. Never shows a value that may hold a secret. */
void config_hint_value(const struct config_key *k, const char *value, struct buf *out);

#endif
