/* edge/watchfile.h: nothing is watched, so the daemon looks every second, which is where it can go
 * wrong. */
#include <stddef.h>

#include "edge/watchfile.h"

struct watchfile *watchfile_new(struct loop *l, void (*on)(void *arg), void *arg)
{
	(void)l;
	(void)on;
	(void)arg;
	return NULL;
}

void watchfile_free(struct watchfile *w)
{
	(void)w;
}

void watchfile_set(struct watchfile *w, const char *path)
{
	(void)w;
	(void)path;
}

bool watchfile_settles(const struct watchfile *w)
{
	(void)w;
	return false;
}
