/*
 * Words for a man page, as mdoc(7) and troff want them.
 *
 * What a program's tables say of its options goes into its man page by these. Sources of pages are
 * ASCII, so other characters are written as `\[u2026]`; what troff would obey is masked.
 */
#ifndef PUNCHD_BASE_MDOC_H
#define PUNCHD_BASE_MDOC_H

#include <stdio.h>

/* Plain sentences, each on lines of its own that fit 78 columns. The first letter is made a capital,
 * and a full stop stands at the end. */
void mdoc_text(FILE *out, const char *text);

/* `.It Fl -NAME Ar argument`; the argument in small letters, NULL where it takes none. */
void mdoc_option(FILE *out, const char *name, const char *argument);

/* `Default: …`, nothing where it is NULL. */
void mdoc_preset(FILE *out, const char *preset);

/* A word of a macro's line. */
void mdoc_word(FILE *out, const char *word);

#endif
