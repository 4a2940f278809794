/*
 * A growable byte buffer with a cap that is given at its creation.
 *
 * The first failure (cap reached, no memory) sticks: later additions do nothing, and buf_error()
 * says what it was. So a caller adds without looking, and asks once at the end. data is always
 * followed by a NUL that is not counted in len; an empty buffer's data is "".
 */
#ifndef PUNCHD_BASE_BUF_H
#define PUNCHD_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data;  /* owned; valid as a string at any time */
	size_t len;  /* bytes in use, without the NUL */
	size_t size; /* bytes allocated; 0: data is static */
	size_t cap;  /* len never exceeds this */
	int error;   /* 0, -ENOMEM or -E2BIG: sticky */
};

/* Start an empty buffer that never holds more than cap bytes. Allocates nothing. */
void buf_init(struct buf *b, size_t cap);

/* Free what it holds and make it empty again, with the same cap. */
void buf_done(struct buf *b);

/* Forget content and error, keep the memory. */
void buf_clear(struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));

/* 0, or the first failure: -E2BIG (cap) or -ENOMEM. */
int buf_error(const struct buf *b);

/* Hand the content over to the caller, who frees it; NULL after a failure. The buffer is empty. */
char *buf_steal(struct buf *b);

#endif
