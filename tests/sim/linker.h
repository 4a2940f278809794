/*
 * An operator who says whom terminals mean by their PINs: links them, takes links away, and makes them
 * again, always of the same person. What was answered is noted at the person.
 */
#ifndef PUNCHD_SIM_LINKER_H
#define PUNCHD_SIM_LINKER_H

#include <stdbool.h>

/* Choose who has a PIN, and lay out when links are made and taken away; after terminals_begin. */
void linker_begin(void);

/* Make sure of those of which nobody knows whether they were made. Returns whether nothing is unsure
 * any more. */
bool linker_ends(void);

#endif
