#include "core/refusals.h"

static bool alike(const struct refusals *r, const char *code, const char *param)
{
	char cut_code[sizeof r->code], cut_param[sizeof r->param];

	punch_text_cut(cut_code, sizeof cut_code, code);
	punch_text_cut(cut_param, sizeof cut_param, param);
	return r->count > 0 && strcmp(r->code, cut_code) == 0 && strcmp(r->param, cut_param) == 0;
}

static void begin(struct refusals *r, const char *code, const char *param)
{
	*r = (struct refusals){.count = 0};
	punch_text_cut(r->code, sizeof r->code, code);
	punch_text_cut(r->param, sizeof r->param, param);
}

static void note_person(struct refusals *r, uint64_t user)
{
	for (int i = 0; i < r->people_count; i++) {
		if (r->people[i] == user)
			return;
	}
	if (r->people_count < REFUSALS_PEOPLE)
		r->people[r->people_count++] = user;
}

void refusals_note(struct refusals *r, const char *code, const char *param, uint64_t user)
{
	if (r->stopped)
		return;
	if (!alike(r, code, param))
		begin(r, code, param);
	r->count++;
	note_person(r, user);
	if (r->count < REFUSALS_ALIKE || r->people_count < REFUSALS_PEOPLE)
		return;
	r->stopped = true;
	snprintf(r->words, sizeof r->words,
		"the API refused the last %d punches alike (%s%s%s): forwarding pauses; mend what "
		"they share, then punchctl resume, SIGHUP or a new key lets it go on",
		r->count, r->code, r->param[0] ? ", " : "", r->param);
}

void refusals_break(struct refusals *r)
{
	if (!r->stopped)
		r->count = 0;
}

void refusals_clear(struct refusals *r)
{
	*r = (struct refusals){.count = 0};
}
