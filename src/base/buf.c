#include "base/buf.h"

#include <errno.h>

static char empty[1];

void buf_init(struct buf *b, size_t cap)
{
	*b = (struct buf){.data = empty, .cap = cap};
}

void buf_done(struct buf *b)
{
	if (b->size > 0)
		free(b->data);
	buf_init(b, b->cap);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->error = 0;
	if (b->size > 0)
		b->data[0] = '\0';
}

/* Make room for n more bytes and the NUL. */
static int buf_reserve(struct buf *b, size_t n)
{
	size_t size = b->size ? b->size : 64;
	char *data;

	if (b->error)
		return b->error;
	if (n > b->cap - b->len)
		return b->error = -E2BIG;
	if (b->len + n < b->size)
		return 0;
	while (size <= b->len + n)
		size += size / 2;
	data = realloc(b->size ? b->data : NULL, size);
	if (!data)
		return b->error = -ENOMEM;
	b->data = data;
	b->size = size;
	return 0;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (n == 0 || buf_reserve(b, n) < 0)
		return;
	memcpy(b->data + b->len, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_vaddf(struct buf *b, const char *format, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, ap);
	/* A text over INT_MAX is over any cap; one that cannot be written must not just be missing. */
	if (n < 0 && !b->error)
		b->error = -E2BIG;
	if (n > 0 && buf_reserve(b, (size_t)n) == 0) {
		vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void buf_addf(struct buf *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vaddf(b, format, ap);
	va_end(ap);
}

int buf_error(const struct buf *b)
{
	return b->error;
}

char *buf_steal(struct buf *b)
{
	char *data = NULL;

	if (buf_error(b) == 0) {
		data = b->size ? b->data : strdup("");
		b->size = 0;
	}
	buf_done(b);
	return data;
}
