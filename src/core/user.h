/* How the names that terminals give to people are compared (INTERFACES.md, JUDGING.md §3). */
#ifndef PUNCHD_CORE_USER_H
#define PUNCHD_CORE_USER_H

#include "core/punch.h"

/*
 * The form in which two values of a kind are compared: blanks around it cut off, and then
 * a card upper case without `-`, `:` and blanks; an e-mail address lower case (ASCII); a phone
 * number as + and digits, without blanks, dots, dashes, slashes and brackets, a leading 00 read as +.
 * Returns 0, -EINVAL where nothing is left, -E2BIG where it has more than USER_MAX bytes.
 */
int user_normalise(enum user_kind kind, const char *text, char ret[static USER_MAX + 1]);

/* The kind a terminal means that does not say: `usr_…` is an id, anything else a PIN. */
enum user_kind user_kind_guess(const char *text);

#endif
