/* Any message under every shipped profile: that one reads it without harm, and answers under its own
 * topics alone. The input is a profile's name, a NUL, the topic, a NUL, and the payload; a name that
 * none has stands for all of them. */
#include "reading.h"

#include <dirent.h>

#include "base/file.h"

static struct shipped {
	char name[64];
	struct profile *profile;
} shipped[32];
static size_t shipped_count;

static void load(const char *folder, const char *file)
{
	struct shipped *s = &shipped[shipped_count++];
	struct buf text, faults;
	char path[4400];

	HOLDS(shipped_count <= sizeof shipped / sizeof *shipped);
	snprintf(path, sizeof path, "%s/%s", folder, file);
	snprintf(s->name, sizeof s->name, "%.*s", (int)strcspn(file, "."), file);
	buf_init(&text, PROFILE_FILE_MAX);
	buf_init(&faults, 65536);
	HOLDS(file_read(path, &text, NULL) == 0);
	HOLDS(profile_load(file, text.data, text.len, &faults, &s->profile) == 0 && s->profile);
	buf_done(&text);
	buf_done(&faults);
}

static void load_all(void)
{
	const char *root = getenv("PUNCHD_SRCDIR");
	const struct dirent *entry;
	char folder[4096];
	DIR *dir;

	snprintf(folder, sizeof folder, "%s/etc/profiles", root ? root : ".");
	dir = opendir(folder);
	HOLDS(dir);
	while ((entry = readdir(dir))) {
		if (strstr(entry->d_name, ".json"))
			load(folder, entry->d_name);
	}
	closedir(dir);
	HOLDS(shipped_count > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t name_length, topic_length;
	char *name = reading_cut(&data, &size, &name_length);
	char *topic = reading_cut(&data, &size, &topic_length);
	bool found = false;

	if (shipped_count == 0)
		load_all();
	for (size_t i = 0; i < shipped_count; i++) {
		if (strcmp(shipped[i].name, name) == 0) {
			reading_check(shipped[i].profile, topic, data, size);
			found = true;
		}
	}
	for (size_t i = 0; i < shipped_count && !found; i++)
		reading_check(shipped[i].profile, topic, data, size);
	free(name);
	free(topic);
	return 0;
}
