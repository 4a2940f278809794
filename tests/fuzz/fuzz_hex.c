/* Any bytes encode and decode to themselves; a text that decodes encodes to its lower case. */
#include "fuzz.h"

#include <ctype.h>

#include "base/hex.h"

#define BYTES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[2 * BYTES + 2], encoded[2 * BYTES + 1];
	uint8_t bytes[BYTES];
	int n;

	if (size <= BYTES) {
		hex_encode(data, size, encoded);
		HOLDS(strlen(encoded) == 2 * size);
		HOLDS(hex_decode(encoded, bytes, size) == (int)size);
		HOLDS(memcmp(bytes, data, size) == 0);
	}
	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	n = hex_decode(text, bytes, BYTES);
	HOLDS(n < 0 || (size_t)n * 2 == strlen(text));
	for (size_t i = 0; n >= 0 && text[i]; i++)
		text[i] = (char)tolower((unsigned char)text[i]);
	HOLDS(n < 0 || strcmp(hex_encode(bytes, (size_t)n, encoded), text) == 0);
	return 0;
}
