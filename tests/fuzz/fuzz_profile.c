/* A profile and a message: whatever the file says, it is refused with a fault or reads any message
 * without harm; and what it would publish lies under the level its own topics begin with. The input
 * is the profile, a NUL, the topic, a NUL, and the payload. */
#include "reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t profile_length, topic_length;
	char *text = reading_cut(&data, &size, &profile_length);
	char *topic = reading_cut(&data, &size, &topic_length);
	struct profile *p;
	struct buf faults;

	buf_init(&faults, 1024 * 1024);
	HOLDS(profile_load("f", text, profile_length, &faults, &p) == 0);
	HOLDS((p == NULL) == (faults.len > 0));
	if (p)
		reading_check(p, topic, data, size);
	profile_free(p);
	buf_done(&faults);
	free(text);
	free(topic);
	return 0;
}
