#include "sandbox/gate.h"

#include <strings.h>

#include "sandbox/answer.h"
#include "sandbox/idempotency.h"
#include "sandbox/sandbox.h"

/* Each returns whether it goes on; if not, the answer is there. */

static const char *bearer(const struct exchange *x)
{
	const char *text = exchange_header(x, "Authorization");

	if (!text || strncasecmp(text, "Bearer ", 7) != 0)
		return NULL;
	text += 7;
	return text + strspn(text, " ");
}

static void count_window(struct sandbox *sandbox, int64_t now_ms, bool within)
{
	struct stats *stats = &sandbox->stats;
	int64_t window = now_ms / sandbox->keys.window_ms;
	struct window_count *last =
		&stats->windows[(stats->window_count + SANDBOX_WINDOWS - 1) % SANDBOX_WINDOWS];

	if (stats->window_count == 0 || last->window != window) {
		last = &stats->windows[stats->window_count++ % SANDBOX_WINDOWS];
		*last = (struct window_count){.window = window, .first_ms = now_ms};
	}
	last->accepted += within;
	last->refused += !within;
	last->last_ms = now_ms;
}

static bool gate_key_and_rate(struct exchange *x)
{
	const struct keys *keys = &x->sandbox->keys;
	const char *key = bearer(x);
	struct keys_entry *entry = key ? keys_find(keys, key) : NULL;

	/* A fault's skew, which may be one request's, only moves what is said about windows. */
	int64_t now_ms = x->now_ms - x->plan.skew_ms;
	bool within = true;

	if (entry) {
		within = keys_take(keys, entry, now_ms, &x->rate);
		count_window(x->sandbox, now_ms, within);
	} else {
		keys_view_untouched(keys, now_ms, &x->rate);
	}
	x->rate.reset_s += x->plan.skew_ms / 1000;
	if (!entry)
		answer_error(x, 401, key ? "invalid_api_key" : "missing_api_key", NULL,
			key ? "this API key is not valid"
			    : "no API key: send Authorization: Bearer KEY");
	else if (!within)
		answer_error(x, 429, "rate_limit_exceeded", NULL,
			"more than %lld requests in this window", (long long)x->rate.limit);
	else if (!keys_may(entry->rights, x->method, x->path + strlen(SANDBOX_API)))
		answer_error(x, 403, "forbidden", NULL, "this API key may not do that: %s",
			entry->rights == KEYS_READ ? "it only reads"
						   : "it only records attendance");
	return x->status == 0;
}

static bool gate_fault(struct exchange *x)
{
	faults_pick_end(&x->sandbox->faults, x->method, x->path + strlen(SANDBOX_API), &x->plan);
	return fault_end_works(x->plan.end);
}

static bool gate_route(struct exchange *x)
{
	if (x->route)
		return true;
	if (x->allow)
		answer_error(
			x, 405, "method_not_allowed", NULL, "%s has no %s", x->path, x->method);
	else
		answer_error(x, 404, "unknown_endpoint", NULL, "there is no %s", x->path);
	return false;
}

/* A fault that keeps the work from being done still lets the key be counted: the POST came. */
bool gate_pass(struct exchange *x)
{
	if (x->is_admin) {
		if (!x->route)
			gate_route(x);
		return x->status == 0;
	}
	if (!gate_key_and_rate(x))
		return false;
	if (!gate_fault(x)) {
		idempotency_count(x);
		return false;
	}
	return idempotency_gate(x) && gate_route(x);
}
