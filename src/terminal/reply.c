#include "terminal/reply.h"

#include <errno.h>

#include "base/jget.h"
#include "base/time.h"

#define TEXT_MAX 1024 /* a name, with room */

enum reply_status reply_status_parse(const char *word)
{
	static const char *const words[] = {
		[REPLY_QUEUED] = "queued",
		[REPLY_DUPLICATE] = "duplicate",
		[REPLY_HELD] = "held",
		[REPLY_PARKED] = "parked",
		[REPLY_SUPPRESSED] = "suppressed",
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(word, words[i]) == 0)
			return (enum reply_status)i;
	}
	return REPLY_OTHER;
}

static int read_ack(const json_t *entry, struct reply_ack *ret)
{
	*ret = (struct reply_ack){.reason = "", .name = ""};
	if (!json_is_object(entry) || jget_str(entry, "id", 1, 64, &ret->id) != 1 ||
		jget_str(entry, "status", 1, 64, &ret->status) != 1 ||
		jget_str(entry, "reason", 1, 64, &ret->reason) < 0 ||
		jget_str(entry, "name", 0, TEXT_MAX, &ret->name) < 0)
		return -EBADMSG;
	return 0;
}

int reply_read_acks(const void *payload, size_t length,
	void (*on)(void *arg, const struct reply_ack *ack), void *arg)
{
	json_t *root = json_loadb(payload, length, JSON_REJECT_DUPLICATES, NULL);
	const json_t *list = json_object_get(root, "acks");
	struct reply_ack acks[REPLY_ACKS_MAX];
	size_t n = json_array_size(list);
	int r = json_is_array(list) && n > 0 && n <= REPLY_ACKS_MAX ? 0 : -EBADMSG;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_ack(json_array_get(list, i), &acks[i]);
	for (size_t i = 0; r == 0 && i < n; i++)
		on(arg, &acks[i]);
	json_decref(root);
	return r;
}

static int read_command(const json_t *root, struct reply_command *ret)
{
	const char *id, *op, *when;

	if (!json_is_object(root) || jget_str(root, "id", 1, 64, &id) != 1 ||
		jget_str(root, "op", 1, 64, &op) != 1)
		return -EBADMSG;
	snprintf(ret->id, sizeof ret->id, "%s", id);
	snprintf(ret->op, sizeof ret->op, "%s", op);
	if (strcmp(op, "set_time") != 0)
		return -EOPNOTSUPP;
	if (jget_str(root, "time", 1, 64, &when) != 1 || time_parse_rfc3339(when, &ret->time_s) < 0)
		return -EBADMSG;
	return 0;
}

int reply_read_command(const void *payload, size_t length, struct reply_command *ret_command)
{
	json_t *root = json_loadb(payload, length, JSON_REJECT_DUPLICATES, NULL);
	int r;

	*ret_command = (struct reply_command){0};
	r = read_command(root, ret_command);
	json_decref(root);
	return r;
}
