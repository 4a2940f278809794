/* What is seen of an answer that was cut off is seen of every longer part of it, and is what the whole
 * answer says. */
#include "fuzz.h"

#include <jansson.h>

#include "api/glimpse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char seen[64], id[64];
	bool found = false;
	json_t *whole;

	for (size_t n = 0; n <= size && n <= 512; n++) {
		bool now = glimpse_id(text, n, id, sizeof id);

		HOLDS(!found || (now && strcmp(id, seen) == 0));
		if (now)
			memcpy(seen, id, sizeof seen);
		found = now;
	}
	whole = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	if (whole && glimpse_id(text, size, id, sizeof id)) {
		const char *says = json_string_value(
			json_object_get(json_object_get(whole, "data"), "id"));

		HOLDS(says && strcmp(says, id) == 0);
	}
	json_decref(whole);
	return 0;
}
