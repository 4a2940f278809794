#include "base/hex.h"

#include <errno.h>

char *hex_encode(const void *bytes, size_t n, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = bytes;
	char *to = ret_text;

	for (size_t i = 0; i < n; i++) {
		*to++ = digits[from[i] >> 4];
		*to++ = digits[from[i] & 15];
	}
	*to = '\0';
	return ret_text;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

int hex_decode(const char *text, void *ret_bytes, size_t max)
{
	uint8_t *to = ret_bytes;
	size_t n = 0;

	for (; *text; text += 2, n++) {
		int high = digit(text[0]), low = high < 0 ? -EINVAL : digit(text[1]);

		if (low < 0)
			return -EINVAL;
		if (n == max)
			return -E2BIG;
		to[n] = (uint8_t)(high << 4 | low);
	}
	return (int)n;
}
