/* Whole small files: secrets, settings, samples. */
#ifndef PUNCHD_BASE_FILE_H
#define PUNCHD_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"

/*
 * Append a regular file's bytes to b. *ret_mode (may be NULL) is its mode.
 * Returns 0, -E2BIG (more than b's cap), -EINVAL (no regular file), or another negative errno.
 */
int file_read(const char *path, struct buf *b, mode_t *ret_mode);

/*
 * A secret: the file's text without one trailing newline (\n or \r\n). *ret_secret is freed by
 * file_secret_free.
 * Returns 0, -ENODATA (empty), -EBADMSG (NUL or other control bytes inside), -E2BIG (over 4 KiB),
 * or another negative errno.
 */
int file_read_secret(const char *path, char **ret_secret, mode_t *ret_mode);

/* Overwrite and free; NULL is taken. */
void file_secret_free(char *secret);

#endif
