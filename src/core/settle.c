#include "core/settle.h"

enum settle_step settle_step(enum api_outcome outcome, int conflicts, bool holds)
{
	switch (outcome) {
	case API_DONE:
	case API_DONE_NO_ID: return SETTLE_DELIVERED;
	case API_REFUSED: return SETTLE_PARKED;
	case API_CONFLICT: return conflicts == 0 ? SETTLE_LATER : SETTLE_PARKED;
	case API_FORBIDDEN: return SETTLE_SUSPECT;
	case API_NEVER_LEFT: return SETTLE_THAW;
	case API_UNAUTHORIZED:
	case API_RATE_LIMITED:
	case API_SERVER_ERROR:
	case API_ROAD_FAULT: return SETTLE_AGAIN;
	case API_GARBLED:
	case API_SERVER_DOUBT:
	case API_LOST:
	case API_CANCELLED: break;
	}
	return holds ? SETTLE_HOLD : SETTLE_IN_DOUBT;
}

void settle_hold(struct punch *p)
{
	p->state = PUNCH_HELD;
	p->reason = REASON_IN_DOUBT;
	p->flags |= FLAG_IN_DOUBT;
}

static void note_error(struct punch *p, const struct settle_facts *facts)
{
	punch_text_cut(p->error_code, sizeof p->error_code, facts->code);
	punch_text_cut(p->error_message, sizeof p->error_message, facts->message);
	punch_text_cut(p->error_param, sizeof p->error_param, facts->param);
	p->tries = facts->tries;
}

static void apply_delivered(struct punch *p, const struct settle_facts *facts)
{
	p->state = PUNCH_DELIVERED;
	p->reason = REASON_NONE;
	p->settled_us = facts->now_us;
	p->tries = facts->tries;
	punch_text_set(p->att_id, sizeof p->att_id, facts->att_id);
	if (facts->outcome == API_DONE_NO_ID || p->att_id[0] == '\0')
		p->flags |= FLAG_NO_ID;
}

void settle_apply(struct punch *p, enum settle_step step, const struct settle_facts *facts)
{
	switch (step) {
	case SETTLE_DELIVERED: apply_delivered(p, facts); break;
	case SETTLE_PARKED:
		p->state = PUNCH_PARKED;
		p->reason = REASON_API + facts->status;
		note_error(p, facts);
		break;
	case SETTLE_THAW:
		/* Only where no earlier send is in doubt: such a body stands for ever. */
		if (!(p->flags & FLAG_IN_DOUBT))
			p->frozen_us = 0;
		break;
	case SETTLE_IN_DOUBT:
	case SETTLE_LATER: p->flags |= FLAG_IN_DOUBT; break;
	case SETTLE_HOLD: settle_hold(p); break;
	case SETTLE_AGAIN:
	case SETTLE_SUSPECT: break;
	}
}
