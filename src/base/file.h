/* Whole small files: secrets, settings, samples. */
#ifndef PUNCHD_BASE_FILE_H
#define PUNCHD_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/buf.h"

/*
 * Append a regular file's bytes to b. *ret_stat (may be NULL) is what fstat says of it.
 * Returns 0, -E2BIG (more than b's cap), -EINVAL (no regular file), or another negative errno.
 */
int file_read(const char *path, struct buf *b, struct stat *ret_stat);

/*
 * A secret: the file's text without one trailing newline (\n or \r\n). *ret_secret is freed by
 * file_secret_free.
 * Returns 0, -ENODATA (empty), -EBADMSG (NUL or other control bytes inside), -E2BIG (over 4 KiB),
 * or another negative errno.
 */
int file_read_secret(const char *path, char **ret_secret, struct stat *ret_stat);

/* Whether its mode gives a secret to more than who needs it: to others, or to a group, unless the file
 * is root's and the group one of this process (root:punchd 0640). */
bool file_others_can_read(const struct stat *st);

/* Overwrite and free; NULL is taken. */
void file_secret_free(char *secret);

#endif
