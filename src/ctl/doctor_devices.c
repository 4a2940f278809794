/* What the list of devices and who is to be created in the cloud tell a doctor. */
#include "ctl/doc.h"
#include "ctl/doctor.h"

#define NAMED_MAX  3
#define NAMES_SIZE 512

/* ---- terminals that are no device of the cloud */

/* `BIO-FP-009 (calls itself 005a…), 12 punches wait` */
static size_t add_stranger(char *to, size_t size, const json_t *device)
{
	const char *serial = doc_text(device, "serial"), *name = serial;
	const json_t *names = doc_get(device, "terminals");
	int64_t held = doc_count(device, "held_for_device");
	size_t n;

	if (json_is_string(json_array_get(names, 0)))
		name = json_string_value(json_array_get(names, 0));
	n = (size_t)snprintf(to, size, "%.64s", serial);
	if (strcmp(name, serial) != 0 && n < size)
		n += (size_t)snprintf(to + n, size - n, " (calls itself %.64s)", name);
	if (held > 0 && n < size)
		n += (size_t)snprintf(
			to + n, size - n, ", for which %lld punches wait", (long long)held);
	return n < size ? n : size - 1;
}

static void strangers(struct doctor *d, const json_t *devices)
{
	char names[NAMES_SIZE] = "";
	const json_t *device;
	size_t i, n = 0, count = 0;

	json_array_foreach(devices, i, device)
	{
		if (doc_true(device, "known") || count++ >= NAMED_MAX)
			continue;
		if (count > 1)
			n += (size_t)snprintf(names + n, sizeof names - n, "; ");
		n += add_stranger(names + n, sizeof names - n, device);
	}
	if (count == 0)
		return;
	doctor_note(d, "unknown terminals", RESULT_WARN,
		"register devices with these serial numbers in the cloud, then punchctl sync "
		"--wait; or give the serial numbers that they have there in [terminal]",
		"%zu: %s%s", count, names, count > NAMED_MAX ? "; and others" : "");
}

void doctor_look_at_devices(struct doctor *d)
{
	char words[CTL_WORDS_MAX];
	json_t *document;

	/* Before the first list nobody is known, which the check of devices says. */
	if (!doc_text(d->status, "directory.devices_synced_at")[0])
		return;
	document = ctl_try(
		d->ctl, "GET", "/v1/devices", ctl_limit_ms(d->ctl, CTL_ANSWER_MS), words);
	if (document)
		strangers(d, doc_get(document, "data"));
	else
		doctor_note(d, "unknown terminals", RESULT_WARN, NULL, "%s", words);
	json_decref(document);
}

/* ---- who is to be created */

void doctor_look_at_new_users(struct doctor *d)
{
	int64_t queued = doc_count(d->status, "people.queued");
	int64_t doubt = doc_count(d->status, "people.in_doubt");
	int64_t refused = doc_count(d->status, "people.refused");

	if (queued + doubt + refused == 0)
		doctor_note(d, "new users", RESULT_OK, NULL, "nobody waits to be created");
	else
		doctor_note(d, "new users", refused + doubt > 0 ? RESULT_WARN : RESULT_OK,
			"punchctl users pending says why; users cancel takes one off that list",
			"%lld wait to be created in the cloud, %lld may have been, %lld were "
			"refused",
			(long long)queued, (long long)doubt, (long long)refused);
}
