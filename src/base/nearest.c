#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

#define WORD_MAX  40 /* longer ones are not compared */
#define BEGIN_MIN 3  /* letters from which on the beginning of a word says which one is meant */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static int lower(char c)
{
	return tolower((unsigned char)c);
}

/* Optimal string alignment: row i holds the distances of the first i letters of a. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned rows[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		rows[i][0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			bool same = lower(a[i - 1]) == lower(b[j - 1]);
			unsigned best = least(rows[i - 1][j], rows[i][j - 1]) + 1;

			best = least(best, rows[i - 1][j - 1] + !same);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
				lower(a[i - 2]) == lower(b[j - 1]))
				best = least(best, rows[i - 2][j - 2] + 1);
			rows[i][j] = best;
		}
	}
	return rows[n][m];
}

unsigned nearest_distance(const char *typed, const char *word)
{
	size_t n = strlen(typed), m = strlen(word);
	unsigned steps;

	if (n > WORD_MAX || m > WORD_MAX)
		return NEAREST_FAR;
	if (n >= BEGIN_MIN && n < m && strncasecmp(typed, word, n) == 0)
		return 1;
	steps = distance(typed, n, word, m);
	return steps * 3 <= m ? steps : NEAREST_FAR;
}
