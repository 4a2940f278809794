#include "core/punch.h"

#include <errno.h>

#include "base/units.h"

/* One table a vocabulary: printer and parser both come from it. */
struct word {
	int value;
	const char *name;
};

static const struct word states[] = {
	{PUNCH_QUEUED, "queued"},
	{PUNCH_HELD, "held"},
	{PUNCH_DELIVERED, "delivered"},
	{PUNCH_SUPPRESSED, "suppressed"},
	{PUNCH_PARKED, "parked"},
	{PUNCH_DISCARDED, "discarded"},
	{0, NULL},
};

static const struct word reasons[] = {
	{REASON_RESTORED, "restored"},
	{REASON_NO_TIME, "no_time"},
	{REASON_BEFORE_START, "before_start"},
	{REASON_STALE, "stale"},
	{REASON_FUTURE_TIME, "future_time"},
	{REASON_UNKNOWN_DEVICE, "unknown_device"},
	{REASON_INACTIVE_DEVICE, "inactive_device"},
	{REASON_UNKNOWN_USER, "unknown_user"},
	{REASON_NO_DIRECTION, "no_direction"},
	{REASON_IN_DOUBT, "in_doubt"},
	{REASON_DOUBLE_TAP, "double_tap"},
	{REASON_MALFORMED, "malformed"},
	{REASON_BAD_TIME, "bad_time"},
	{REASON_TOO_LARGE, "too_large"},
	{REASON_CRASHED, "crashed"},
	{REASON_EXPORTED, "exported"},
	{0, NULL},
};

static const struct word types[] = {
	{TYPE_CHECK_IN, "check_in"},
	{TYPE_CHECK_OUT, "check_out"},
	{0, NULL},
};

static const struct word froms[] = {
	{FROM_TERMINAL, "terminal"},
	{FROM_SETTING, "setting"},
	{FROM_ALTERNATE, "alternate"},
	{FROM_PERSON, "person"},
	{0, NULL},
};

static const struct word kinds[] = {
	{USER_ID, "id"},
	{USER_PIN, "pin"},
	{USER_CARD, "card"},
	{USER_SLOT, "slot"},
	{USER_EMAIL, "email"},
	{USER_PHONE, "phone"},
	{0, NULL},
};

static const char *name_of(const struct word *words, int value)
{
	for (; words->name; words++) {
		if (words->value == value)
			return words->name;
	}
	return "";
}

static int value_of(const struct word *words, const char *name, int *ret)
{
	for (; words->name; words++) {
		if (strcmp(words->name, name) == 0) {
			*ret = words->value;
			return 0;
		}
	}
	return -EINVAL;
}

struct punch_place punch_place(const struct punch *p)
{
	struct punch_place place = {.time_s = p->time_s};

	memcpy(place.identity, p->identity, sizeof place.identity);
	return place;
}

int punch_place_compare(const struct punch_place *a, const struct punch_place *b)
{
	if (a->time_s != b->time_s)
		return a->time_s < b->time_s ? -1 : 1;
	return memcmp(a->identity, b->identity, sizeof a->identity);
}

bool punch_settled(enum punch_state state)
{
	switch (state) {
	case PUNCH_DELIVERED:
	case PUNCH_SUPPRESSED:
	case PUNCH_DISCARDED: return true;
	case PUNCH_QUEUED:
	case PUNCH_HELD:
	case PUNCH_PARKED: return false;
	}
	return false;
}

const char *punch_state_name(enum punch_state state)
{
	return name_of(states, (int)state);
}

const char *punch_reason_name(int reason, char ret_text[static REASON_TEXT_SIZE])
{
	if (reason < REASON_API)
		return name_of(reasons, reason);
	snprintf(ret_text, REASON_TEXT_SIZE, "api_%d", reason - REASON_API);
	return ret_text;
}

const char *punch_type_name(enum punch_type type)
{
	return name_of(types, (int)type);
}

const char *type_from_name(enum type_from from)
{
	return name_of(froms, (int)from);
}

const char *user_kind_name(enum user_kind kind)
{
	return name_of(kinds, (int)kind);
}

int punch_state_parse(const char *name, enum punch_state *ret)
{
	int value, r = value_of(states, name, &value);

	if (r == 0)
		*ret = (enum punch_state)value;
	return r;
}

int punch_reason_parse(const char *name, int *ret)
{
	int64_t status;

	if (strncmp(name, "api_", 4) != 0)
		return value_of(reasons, name, ret);
	if (units_parse_int(name + 4, &status) < 0 || status < 100 || status > 599)
		return -EINVAL;
	*ret = REASON_API + (int)status;
	return 0;
}

int punch_type_parse(const char *name, enum punch_type *ret)
{
	int value, r = value_of(types, name, &value);

	if (r == 0)
		*ret = (enum punch_type)value;
	return r;
}

int user_kind_parse(const char *name, enum user_kind *ret)
{
	int value, r = value_of(kinds, name, &value);

	if (r == 0)
		*ret = (enum user_kind)value;
	return r;
}

int punch_text_set(char *to, size_t size, const char *text)
{
	size_t n = strlen(text);

	to[0] = '\0';
	if (n >= size)
		return -E2BIG;
	memcpy(to, text, n + 1);
	return 0;
}

void punch_text_cut(char *to, size_t size, const char *text)
{
	size_t n = strnlen(text, size);

	if (n == size) {
		/* Step back over the continuation bytes of a character that would be torn. */
		for (n = size - 1; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			;
	}
	memcpy(to, text, n);
	to[n] = '\0';
}
