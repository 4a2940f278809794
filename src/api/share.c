#include "api/share.h"

static bool refresh_is_due(const struct share *s)
{
	return s->since_refresh >= SHARE_REFRESH_EVERY - 1;
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
	if (room == 0 || now_us >= s->kept_until_us ||
		s->since_refresh + room < SHARE_REFRESH_EVERY)
		return room;
	s->offered = room - 1;
	if (s->offered == 0)
		*ret_wait_us = s->kept_until_us - now_us;
	return s->offered;
}

static int64_t refresh_room(struct share *s, int64_t room, int64_t now_us, int64_t *ret_wait_us)
{
	bool pressing = s->offered == 0 && s->punches > 0;

	if (room > 0 && (!pressing || s->refresh_first))
		return room;
	if (room > 0 && refresh_is_due(s))
		return 1;
	s->kept_until_us = now_us + SHARE_KEEP_US;
	/* Punches that run end at any time, and nobody tells the refresh. */
	if (room > 0 || *ret_wait_us < 0)
		*ret_wait_us = SHARE_ASK_US;
	return 0;
}

int64_t share_room(
	struct share *s, enum api_class class, int64_t room, int64_t now_us, int64_t *ret_wait_us)
{
	switch (class) {
	case API_CLASS_PUNCH: return punch_room(s, room, now_us, ret_wait_us);
	case API_CLASS_REFRESH: return refresh_room(s, room, now_us, ret_wait_us);
	}
	return 0;
}

void share_sent(struct share *s, enum api_class class)
{
	if (class == API_CLASS_REFRESH) {
		s->since_refresh = 0;
		s->kept_until_us = 0;
		return;
	}
	s->punches++;
	s->since_refresh += s->since_refresh < SHARE_REFRESH_EVERY;
	s->offered -= s->offered > 0;
}

void share_ended(struct share *s, enum api_class class)
{
	s->punches -= class == API_CLASS_PUNCH;
}
