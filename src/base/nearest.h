/* What somebody meant who mistyped a word: which of the words that there are is the nearest. */
#ifndef PUNCHD_BASE_NEAREST_H
#define PUNCHD_BASE_NEAREST_H

#define NEAREST_FAR 1000u

/*
 * How many letters must be left out, put in, changed, or exchanged with their neighbour to make one
 * word of the other; the case of ASCII letters does not matter. The beginning of the word, from three
 * letters on, is one step away. NEAREST_FAR where that is more than a third of the word: then it is
 * another one.
 */
unsigned nearest_distance(const char *typed, const char *word);

#endif
