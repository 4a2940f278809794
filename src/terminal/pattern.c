#include "terminal/pattern.h"

#include <ctype.h>
#include <errno.h>

#include "base/buf.h"

#define WIDTH_MAX 18

/* The conversion at p, just behind the per cent sign. Returns its length, 0 if it is none. */
static size_t conversion(const char *p, int *ret_width)
{
	size_t n = 0;

	*ret_width = 0;
	if (p[0] == '0') {
		for (n = 1; isdigit((unsigned char)p[n]) && *ret_width <= WIDTH_MAX; n++)
			*ret_width = *ret_width * 10 + (p[n] - '0');
	}
	return p[n] == 'd' && *ret_width <= WIDTH_MAX ? n + 1 : 0;
}

/* Returns how many numbers were put in, or -EINVAL. */
static int expand(const char *pattern, int64_t number, struct buf *b)
{
	int numbers = 0, width;

	for (const char *p = pattern; *p; p++) {
		size_t n;

		if (*p != '%') {
			buf_add_char(b, *p);
			continue;
		}
		if (p[1] == '%') {
			buf_add_char(b, *p++);
			continue;
		}
		n = conversion(p + 1, &width);
		if (n == 0 || ++numbers > 1)
			return -EINVAL;
		buf_addf(b, "%0*lld", width, (long long)number);
		p += n;
	}
	return numbers;
}

int pattern_check(const char *pattern)
{
	struct buf b;
	int r;

	buf_init(&b, 4096);
	r = expand(pattern, 1, &b);
	buf_done(&b);
	return r;
}

int pattern_expand(const char *pattern, int64_t number, char *ret_text, size_t size)
{
	struct buf b;
	int r;

	buf_init(&b, size - 1);
	r = expand(pattern, number, &b);
	if (r >= 0)
		r = buf_error(&b);
	if (r == 0)
		memcpy(ret_text, b.data, b.len + 1);
	buf_done(&b);
	return r;
}
