/* sync: refresh the directory, and wait for how that goes. */
#include <unistd.h>

#include "base/clock.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/doc.h"

#define WAIT_MS  60000
#define LOOK_US  200000
#define US_IN_MS 1000

/* A wait for a pass of the directory. */
struct wait {
	struct ctl *ctl;
	int64_t pass;
	int64_t began_us; /* monotonic */
	int64_t limit_ms;
	bool progress;
};

static int64_t waited_ms(const struct wait *w)
{
	return (clock_now().mono_us - w->began_us) / US_IN_MS;
}

static void show_progress(const struct wait *w)
{
	if (w->progress)
		fprintf(stderr, "\rwaiting for pass %lld, %lld s ", (long long)w->pass,
			(long long)waited_ms(w) / 1000);
}

static void end_progress(const struct wait *w)
{
	if (w->progress)
		fputs("\r\033[K", stderr);
}

static int tell_done(const struct wait *w, const struct answer *a)
{
	const json_t *s = a->document;

	if (w->ctl->text[OPTION_JSON])
		return ctl_show_json(w->ctl, a->body.data, a->body.len);
	printf("pass %lld is complete: %lld users, %lld devices\n", (long long)w->pass,
		(long long)doc_count(s, "directory.users"),
		(long long)doc_count(s, "directory.devices"));
	return CTL_DONE;
}

static int tell_failed(const struct wait *w, const struct answer *a)
{
	const char *error = doc_text(a->document, "directory.pass_error");

	if (w->ctl->text[OPTION_JSON])
		ctl_show_json(w->ctl, a->body.data, a->body.len);
	ctl_complain("pass %lld failed: %s", (long long)w->pass,
		error[0] ? error : "punchd does not say why");
	return CTL_REFUSED;
}

static int tell_late(const struct wait *w)
{
	ctl_complain("pass %lld did not end within %lld ms; punchd goes on with it (punchctl "
		     "status shows the directory)",
		(long long)w->pass, (long long)w->limit_ms);
	return CTL_REFUSED;
}

/* Look once. Returns whether the wait is over; then *ret_exit is how. */
static bool look(struct wait *w, int *ret_exit)
{
	int64_t left_ms = w->limit_ms - waited_ms(w);
	struct answer a;
	bool over = true;

	if (left_ms <= 0) {
		end_progress(w);
		*ret_exit = tell_late(w);
		return true;
	}
	*ret_exit = ctl_ask(
		w->ctl, "GET", "/v1/status", left_ms < CTL_ANSWER_MS ? left_ms : CTL_ANSWER_MS, &a);
	if (*ret_exit != CTL_DONE) {
		answer_done(&a);
		return true;
	}
	if (doc_count(a.document, "directory.pass") >= w->pass) {
		end_progress(w);
		*ret_exit = tell_done(w, &a);
	} else if (doc_count(a.document, "directory.failed_pass") >= w->pass) {
		end_progress(w);
		*ret_exit = tell_failed(w, &a);
	} else {
		over = false;
	}
	answer_done(&a);
	return over;
}

static int wait_for_pass(struct ctl *ctl, int64_t pass)
{
	struct wait w = {.ctl = ctl,
		.pass = pass,
		.began_us = clock_now().mono_us,
		.limit_ms = ctl_limit_ms(ctl, WAIT_MS),
		.progress = isatty(STDERR_FILENO)};
	int r;

	while (!look(&w, &r)) {
		show_progress(&w);
		usleep(LOOK_US);
	}
	return r;
}

int run_sync(struct ctl *ctl)
{
	struct answer a;
	int64_t pass;
	int r = ctl_post(ctl, "/v1/sync", &a);

	if (r != CTL_DONE) {
		answer_done(&a);
		return r;
	}
	if (!doc_number(a.document, "data.pass", &pass)) {
		ctl_complain("the answer does not tell the number of the pass: is that punchd?");
		r = CTL_AWAY;
	} else if (ctl->text[OPTION_WAIT]) {
		r = wait_for_pass(ctl, pass);
	} else if (ctl->text[OPTION_JSON]) {
		r = ctl_show_json(ctl, a.body.data, a.body.len);
	} else {
		printf("punchd fetches users and devices anew: pass %lld\n", (long long)pass);
	}
	answer_done(&a);
	return r;
}
