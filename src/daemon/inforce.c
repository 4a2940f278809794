#include "daemon/inforce.h"

#include "daemon/settings.h"
#include "daemon/view.h"

void inforce_look(struct inforce *f, const char *file)
{
	f->file = file;
	f->seen = settings_fingerprint(file);
}

void inforce_taken(struct inforce *f, int64_t now_us, const struct buf *restart)
{
	f->read_us = now_us;
	f->refused_us = 0;
	f->faults = 0;
	f->fault[0] = '\0';
	snprintf(f->restart, sizeof f->restart, "%s", restart ? restart->data : "");
}

void inforce_refused(struct inforce *f, int64_t now_us, const struct buf *faults)
{
	f->refused_us = now_us;
	f->faults = 0;
	for (const char *s = faults->data; *s; s++)
		f->faults += *s == '\n';
	snprintf(f->fault, sizeof f->fault, "%.*s", (int)strcspn(faults->data, "\n"), faults->data);
}

json_t *inforce_restart_keys(const struct inforce *f)
{
	json_t *list = json_array();
	const char *keys = f->restart;

	while (list && *keys) {
		const char *next = strstr(keys, " [");
		size_t n = next ? (size_t)(next - keys) : strlen(keys);

		json_array_append_new(list, json_stringn(keys, n));
		keys += n + (next != NULL);
	}
	return list;
}

json_t *inforce_json(const struct inforce *f)
{
	return json_pack("{s:o, s:o, s:o, s:i, s:o, s:b, s:o}", "file", view_words(f->file), "read",
		view_time(f->read_us, false), "refused",
		f->refused_us ? view_time(f->refused_us, false) : json_null(), "faults", f->faults,
		"fault", view_words(f->fault), "changed", settings_fingerprint(f->file) != f->seen,
		"restart_keys", inforce_restart_keys(f));
}
