#include "base/utf8.h"

#include <stdint.h>

static size_t length_of_lead(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* What the second byte may be, so that nothing is overlong, a surrogate or beyond U+10FFFF. */
static bool second_fits(uint8_t lead, uint8_t second)
{
	uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

size_t utf8_length(const char *bytes, size_t n)
{
	const uint8_t *p = (const uint8_t *)bytes;
	size_t length = n > 0 ? length_of_lead(p[0]) : 0;

	if (length > n || (length > 1 && !second_fits(p[0], p[1])))
		return 0;
	for (size_t i = 2; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return length;
}

bool utf8_valid(const char *text)
{
	size_t n = strlen(text);

	while (n > 0) {
		size_t length = utf8_length(text, n);

		if (length == 0)
			return false;
		text += length;
		n -= length;
	}
	return true;
}
