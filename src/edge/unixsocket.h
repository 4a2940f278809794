/*
 * Where a UNIX stream socket listens: its file, and who may connect.
 */
#ifndef PUNCHD_EDGE_UNIXSOCKET_H
#define PUNCHD_EDGE_UNIXSOCKET_H

/*
 * Bind, for the owner alone (0600). The folder must exist. A socket that nobody listens on any more
 * is replaced.
 * Returns a descriptor to listen on, -EADDRINUSE (somebody listens there), -ENAMETOOLONG, -EEXIST (a
 * file that is no socket), or another negative errno.
 */
int unixsocket_listen(const char *path);

/* Let a group connect, too (0660). Returns 0, -ENOENT (no such group), or why not. */
int unixsocket_let_in(const char *path, const char *group);

#endif
