/*
 * Told at once when a file has become another one: written, replaced, swapped behind a symbolic link,
 * removed, or there at last (inotify(7)).
 *
 * The folder is watched, since a file that is replaced is another inode; and the folder that the file
 * really lies in, where a link leads there. What is further up, as a folder that is not there yet, is
 * not: so the owner looks at its file from time to time by itself, too, and tells the path again.
 */
#ifndef PUNCHD_EDGE_WATCHFILE_H
#define PUNCHD_EDGE_WATCHFILE_H

#include "edge/loop.h"

struct watchfile;

/* on: something has happened there; mostly it is the file, but not always. NULL, which the other calls
 * take: there is no memory, or the kernel watches nothing more. */
struct watchfile *watchfile_new(struct loop *l, void (*on)(void *arg), void *arg);
void watchfile_free(struct watchfile *w);

/* Watch what this path leads to now, and nothing else. To be called again whenever that may be
 * something else; cheap where it is not. */
void watchfile_set(struct watchfile *w, const char *path);

/* Something has happened there, and on is about to be called: whoever looks by itself leaves it to that,
 * since a file that is just being changed may be half of one. */
bool watchfile_settles(const struct watchfile *w);

#endif
