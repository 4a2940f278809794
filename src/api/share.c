#include "api/share.h"

static bool others_are_due(const struct share *s)
{
	return s->since_others >= SHARE_OTHERS_EVERY - 1;
}

static int64_t kept_until(const struct share *s)
{
	int64_t refresh_us = s->kept_until_us[SHARE_REFRESH];
	int64_t person_us = s->kept_until_us[SHARE_PERSON];

	return refresh_us > person_us ? refresh_us : person_us;
}

static int64_t punch_room(struct share *s, int64_t room, int64_t now_us, int64_t *ret_wait_us)
{
	s->offered = room;
	if (s->refresh_first) {
		s->offered = 0;
		if (*ret_wait_us >= 0 && *ret_wait_us < SHARE_ASK_US)
			*ret_wait_us = SHARE_ASK_US;
		return 0;
	}
	if (room == 0 || now_us >= kept_until(s) || s->since_others + room < SHARE_OTHERS_EVERY)
		return room;
	s->offered = room - 1;
	if (s->offered == 0)
		*ret_wait_us = kept_until(s) - now_us;
	return s->offered;
}

/* Whether the last place is the other's, who waits for it. */
static bool gives_way(const struct share *s, enum share_class class, int64_t room, int64_t now_us)
{
	enum share_class other = class == SHARE_PERSON ? SHARE_REFRESH : SHARE_PERSON;

	return room <= 1 && s->last == class && now_us < s->kept_until_us[other];
}

static int64_t other_room(
	struct share *s, enum share_class class, int64_t room, int64_t now_us, int64_t *ret_wait_us)
{
	bool pressing = s->offered == 0 && s->punches > 0 && !s->refresh_first;
	int64_t allowed = pressing && room > 0 ? others_are_due(s) : room;

	if (allowed > 0 && !gives_way(s, class, allowed, now_us))
		return allowed;
	s->kept_until_us[class] = now_us + SHARE_KEEP_US;
	/* Punches that run end at any time, and nobody tells the others. */
	if (room > 0 || *ret_wait_us < 0)
		*ret_wait_us = SHARE_ASK_US;
	return 0;
}

int64_t share_room(
	struct share *s, enum share_class class, int64_t room, int64_t now_us, int64_t *ret_wait_us)
{
	switch (class) {
	case SHARE_PUNCH: return punch_room(s, room, now_us, ret_wait_us);
	case SHARE_REFRESH:
	case SHARE_PERSON: return other_room(s, class, room, now_us, ret_wait_us);
	}
	return 0;
}

void share_sent(struct share *s, enum share_class class)
{
	if (class != SHARE_PUNCH) {
		s->since_others = 0;
		s->last = class;
		s->kept_until_us[class] = 0;
		return;
	}
	s->punches++;
	s->since_others += s->since_others < SHARE_OTHERS_EVERY;
	s->offered -= s->offered > 0;
}

void share_ended(struct share *s, enum share_class class)
{
	s->punches -= class == SHARE_PUNCH;
}
