/* watch: the looks; how they are shown is in watch_screen.c and watch_lines.c. */
#include "base/clock.h"
#include "ctl/commands.h"
#include "ctl/doc.h"
#include "ctl/watch.h"

#define INTERVAL_MS 1000
#define ANSWER_MS   3000 /* a view that stands still for longer misleads */

void watch_look(struct watch *w)
{
	int64_t limit_ms = ctl_limit_ms(w->ctl, ANSWER_MS);
	json_t *status, *page = NULL;
	char path[64];

	snprintf(path, sizeof path, "/v1/punches?limit=%d", WATCH_PUNCHES);
	status = ctl_try(w->ctl, "GET", "/v1/status", limit_ms, w->words);
	if (status && !doc_text(status, "state")[0])
		snprintf(w->words, sizeof w->words, "the answer tells no state: is that punchd?");
	else if (status)
		page = ctl_try(w->ctl, "GET", path, limit_ms, w->words);
	w->ctl->times.now_s = clock_now().wall_us / CLOCK_US_PER_S;
	if (page) {
		json_decref(w->status);
		json_decref(w->punches);
		w->status = json_incref(status);
		w->punches = json_incref(doc_get(page, "data"));
	} else if (!w->away) {
		w->away_since_s = w->ctl->times.now_s;
	}
	w->away = !page;
	json_decref(status);
	json_decref(page);
}

bool watch_goes_on(struct watch *w)
{
	return --w->looks_left > 0;
}

int run_watch(struct ctl *ctl)
{
	struct watch w = {
		.ctl = ctl,
		.interval_ms = ctl->text[OPTION_INTERVAL] ? ctl->number[OPTION_INTERVAL]
							  : INTERVAL_MS,
		.looks_left = ctl->text[OPTION_COUNT] ? ctl->number[OPTION_COUNT] : INT64_MAX,
	};
	int r = ctl->obeys && !ctl->text[OPTION_JSON] ? watch_on_screen(&w) : watch_as_lines(&w);

	if (r == CTL_DONE && w.away) {
		ctl_complain("%s", w.words);
		r = CTL_AWAY;
	}
	json_decref(w.status);
	json_decref(w.punches);
	return r;
}
