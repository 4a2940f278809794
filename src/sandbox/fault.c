#include "sandbox/fault.h"

#include <errno.h>

#include "base/mdoc.h"
#include "base/units.h"

#define SPEC_MAX 512
#define SLOW_MAX 600000LL /* ms */
#define SKEW_MAX (400 * 86400000LL)

enum value_kind {
	VALUE_NONE,
	VALUE_STATUS,
	VALUE_STATUS_OR_200,
	VALUE_DURATION,
	VALUE_DURATION_OR_0,
	VALUE_DURATION_OR_1S,
	VALUE_SIGNED,
};

static const struct kind {
	const char *name;
	enum value_kind value;
	const char *shown; /* with a value, as an example; NULL: it takes none */
	const char *help;
} kinds[FAULT_KINDS] = {
	[FAULT_STATUS] = {"status", VALUE_STATUS, "status=503", "answered so, nothing is done"},
	[FAULT_STATUS_AFTER] = {"status-after", VALUE_STATUS, "status-after=500",
		"done, yet answered so"},
	[FAULT_DROP_BEFORE] = {"drop-before", VALUE_NONE, NULL,
		"connection closed, nothing is done"},
	[FAULT_DROP_AFTER] = {"drop-after", VALUE_NONE, NULL,
		"done, then closed without an answer"},
	[FAULT_GARBAGE] = {"garbage", VALUE_STATUS_OR_200, "garbage[=200]",
		"done, the answer is noise"},
	[FAULT_HTML] = {"html", VALUE_STATUS_OR_200, "html[=200]",
		"a proxy's page without rate headers, nothing is done"},
	[FAULT_CUT] = {"cut", VALUE_STATUS_OR_200, "cut[=200]",
		"done, half of the answer's JSON is missing"},
	[FAULT_EMPTY] = {"empty", VALUE_STATUS_OR_200, "empty[=200]",
		"done, the answer has no body"},
	[FAULT_SLOW] = {"slow", VALUE_DURATION, "slow=2s", "wait before working on it, up to 10m"},
	[FAULT_SKEW] = {"skew", VALUE_SIGNED, "skew=[-]90s",
		"the server's clock is ahead, or behind, in all that it says"},
	[FAULT_NO_HEADERS] = {"no-headers", VALUE_NONE, NULL, "no X-RateLimit headers"},
	[FAULT_NO_IDEMPOTENCY] = {"no-idempotency", VALUE_NONE, NULL, "Idempotency-Key is ignored"},
	[FAULT_NO_UNIQUE] = {"no-unique", VALUE_NONE, NULL,
		"POST /users takes an e-mail address or number that a user has"},
	[FAULT_RETRY_AFTER] = {"retry-after", VALUE_DURATION, "retry-after=5s",
		"a Retry-After header on 429 and 503"},
	[FAULT_RETRY_AFTER_DATE] = {"retry-after-date", VALUE_DURATION, "retry-after-date=5s",
		"the same as a date"},
	[FAULT_SHUFFLE] = {"shuffle", VALUE_NONE, NULL, "GET /users in another order each time"},
	[FAULT_HOOK_DROP] = {"webhook-drop", VALUE_NONE, NULL, "the event is never sent"},
	[FAULT_HOOK_DUPLICATE] = {"webhook-duplicate", VALUE_DURATION_OR_0,
		"webhook-duplicate[=5s]", "taken, it is sent once more, so much later"},
	[FAULT_HOOK_DELAY] = {"webhook-delay", VALUE_DURATION, "webhook-delay=5s",
		"it is sent so late; later ones overtake it"},
	[FAULT_HOOK_SHUFFLE] = {"webhook-shuffle", VALUE_DURATION_OR_1S, "webhook-shuffle[=1s]",
		"it is sent up to so late, by chance"},
	[FAULT_HOOK_BAD_SIGNATURE] = {"webhook-bad-signature", VALUE_NONE, NULL,
		"its first try has a wrong signature"},
};

struct fault {
	struct fault *next;
	enum fault_kind kind;
	int64_t value;
	char path[128];
	bool path_prefix; /* path was given with a * at its end */
	char method[8];
	char type[32]; /* of an event */
	double chance;
	int64_t left; /* -1: without end */
	int64_t picked;
	char spec[SPEC_MAX];
};

void faults_init(struct faults *f, uint64_t seed)
{
	*f = (struct faults){.random = seed};
}

void faults_done(struct faults *f)
{
	faults_clear(f);
}

void faults_clear(struct faults *f)
{
	while (f->first) {
		struct fault *next = f->first->next;

		free(f->first);
		f->first = next;
	}
}

/* SplitMix64: every seed is a good one. */
uint64_t faults_random(struct faults *f)
{
	uint64_t x = f->random += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* ---- sorts */

static bool is_end(enum fault_kind kind)
{
	return kind >= FAULT_STATUS && kind <= FAULT_EMPTY;
}

static bool is_hook(enum fault_kind kind)
{
	return kind >= FAULT_HOOK_DROP;
}

static bool is_manner(enum fault_kind kind)
{
	return !is_end(kind) && !is_hook(kind);
}

/* ---- parsing */

static int refuse(char *why, size_t size, const char *what, const char *text)
{
	snprintf(why, size, "%s: \"%.100s\"", what, text);
	return -EINVAL;
}

static int parse_kind(const char *name, enum fault_kind *ret)
{
	for (int i = FAULT_NONE + 1; i < FAULT_KINDS; i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*ret = (enum fault_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

static bool parse_status(const char *text, int64_t *ret)
{
	return units_parse_int(text, ret) == 0 && *ret >= 200 && *ret <= 599;
}

static bool parse_value(enum value_kind kind, const char *text, int64_t *ret)
{
	bool minus = kind == VALUE_SIGNED && text && text[0] == '-';

	*ret = 0;
	switch (kind) {
	case VALUE_NONE: return !text;
	case VALUE_STATUS: return text && parse_status(text, ret);
	case VALUE_STATUS_OR_200: *ret = 200; return !text || parse_status(text, ret);
	case VALUE_DURATION:
		return text && units_parse_duration(text, ret) == 0 && *ret <= SLOW_MAX;
	case VALUE_DURATION_OR_0:
	case VALUE_DURATION_OR_1S:
		*ret = kind == VALUE_DURATION_OR_1S ? 1000 : 0;
		return !text || (units_parse_duration(text, ret) == 0 && *ret <= SLOW_MAX);
	case VALUE_SIGNED:
		if (!text || units_parse_duration(text + minus, ret) < 0 || *ret > SKEW_MAX)
			return false;
		*ret = minus ? -*ret : *ret;
		return true;
	}
	return false;
}

static bool parse_path(struct fault *fault, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n == 0 || n >= sizeof fault->path || text[0] != '/')
		return false;
	memcpy(fault->path, text, n + 1);
	fault->path_prefix = text[n - 1] == '*';
	if (fault->path_prefix)
		fault->path[n - 1] = '\0';
	return true;
}

static bool parse_method(struct fault *fault, const char *text)
{
	if (!text || (strcmp(text, "GET") != 0 && strcmp(text, "POST") != 0))
		return false;
	snprintf(fault->method, sizeof fault->method, "%s", text);
	return true;
}

static bool parse_type(struct fault *fault, const char *text)
{
	static const char *const types[] = {
		"user.created", "user.updated", "attendance.created", "device.status_changed"};

	for (size_t i = 0; text && i < sizeof types / sizeof types[0]; i++) {
		if (strcmp(types[i], text) == 0) {
			snprintf(fault->type, sizeof fault->type, "%s", text);
			return true;
		}
	}
	return false;
}

static bool parse_chance(struct fault *fault, const char *text)
{
	char *end;

	if (!text || text[0] == '\0')
		return false;
	fault->chance = strtod(text, &end);
	return *end == '\0' && fault->chance >= 0 && fault->chance <= 1;
}

static bool parse_count(struct fault *fault, const char *text)
{
	return text && units_parse_int(text, &fault->left) == 0 && fault->left >= 1;
}

static bool parse_filter(struct fault *fault, const char *name, const char *value)
{
	if (strcmp(name, "path") == 0)
		return !is_hook(fault->kind) && parse_path(fault, value);
	if (strcmp(name, "method") == 0)
		return !is_hook(fault->kind) && parse_method(fault, value);
	if (strcmp(name, "type") == 0)
		return is_hook(fault->kind) && parse_type(fault, value);
	if (strcmp(name, "p") == 0)
		return parse_chance(fault, value);
	if (strcmp(name, "count") == 0)
		return parse_count(fault, value);
	return false;
}

static const char *shown_as(int kind)
{
	return kinds[kind].shown ? kinds[kind].shown : kinds[kind].name;
}

static int parse_spec(struct fault *fault, char *text, char *why, size_t size)
{
	char *word = strsep(&text, ","), *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	if (parse_kind(word, &fault->kind) < 0)
		return refuse(why, size, "no such fault", word);
	if (!parse_value(kinds[fault->kind].value, value, &fault->value))
		return refuse(why, size, "bad value; it is written", shown_as((int)fault->kind));
	while ((word = strsep(&text, ","))) {
		value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		if (!parse_filter(fault, word, value))
			return refuse(why, size,
				"bad filter; path=/…, method=GET or POST, p=0 to 1 and count=1… "
				"are, for events type= one of theirs",
				word);
	}
	return 0;
}

int faults_add(struct faults *f, const char *spec, char *ret_why, size_t why_size)
{
	struct fault *fault, **end = &f->first;
	char text[SPEC_MAX];
	int r;

	if (strlen(spec) >= sizeof text)
		return refuse(ret_why, why_size, "too long a fault", spec);
	fault = calloc(1, sizeof *fault);
	if (!fault)
		return -ENOMEM;
	fault->chance = 1;
	fault->left = -1;
	snprintf(fault->spec, sizeof fault->spec, "%s", spec);
	snprintf(text, sizeof text, "%s", spec);
	r = parse_spec(fault, text, ret_why, why_size);
	if (r < 0) {
		free(fault);
		return r;
	}
	while (*end)
		end = &(*end)->next;
	*end = fault;
	return 0;
}

/* ---- picking */

static bool path_fits(const struct fault *fault, const char *path)
{
	if (fault->path[0] == '\0' && !fault->path_prefix)
		return true;
	if (fault->path_prefix)
		return strncmp(path, fault->path, strlen(fault->path)) == 0;
	return strcmp(path, fault->path) == 0;
}

/* For what it is not for it does not move the generator. */
static bool draw(struct faults *f, struct fault *fault)
{
	if (fault->left == 0)
		return false;
	if (fault->chance < 1 &&
		(double)(faults_random(f) >> 11) / 9007199254740992.0 >= fault->chance)
		return false;
	if (fault->left > 0)
		fault->left--;
	fault->picked++;
	f->picked++;
	return true;
}

static bool pick(struct faults *f, struct fault *fault, const char *method, const char *path)
{
	return path_fits(fault, path) &&
		(fault->method[0] == '\0' || strcmp(fault->method, method) == 0) && draw(f, fault);
}

static void add_manner(const struct fault *fault, struct fault_plan *plan)
{
	switch (fault->kind) {
	case FAULT_SLOW: plan->slow_ms += fault->value; break;
	case FAULT_SKEW: plan->skew_ms += fault->value; break;
	case FAULT_NO_HEADERS: plan->no_headers = true; break;
	case FAULT_NO_IDEMPOTENCY: plan->no_idempotency = true; break;
	case FAULT_NO_UNIQUE: plan->no_unique = true; break;
	case FAULT_RETRY_AFTER:
	case FAULT_RETRY_AFTER_DATE:
		plan->retry_after_s = (fault->value + 999) / 1000;
		plan->retry_after_is_date = fault->kind == FAULT_RETRY_AFTER_DATE;
		break;
	case FAULT_SHUFFLE: plan->shuffle = true; break;
	case FAULT_NONE:
	case FAULT_STATUS:
	case FAULT_STATUS_AFTER:
	case FAULT_DROP_BEFORE:
	case FAULT_DROP_AFTER:
	case FAULT_GARBAGE:
	case FAULT_HTML:
	case FAULT_CUT:
	case FAULT_EMPTY:
	case FAULT_HOOK_DROP:
	case FAULT_HOOK_DUPLICATE:
	case FAULT_HOOK_DELAY:
	case FAULT_HOOK_SHUFFLE:
	case FAULT_HOOK_BAD_SIGNATURE:
	case FAULT_KINDS: break;
	}
}

void faults_pick_manners(
	struct faults *f, const char *method, const char *path, struct fault_plan *plan)
{
	*plan = (struct fault_plan){.retry_after_s = -1};
	for (struct fault *fault = f->first; fault; fault = fault->next) {
		if (is_manner(fault->kind) && pick(f, fault, method, path))
			add_manner(fault, plan);
	}
}

void faults_pick_end(
	struct faults *f, const char *method, const char *path, struct fault_plan *plan)
{
	for (struct fault *fault = f->first; fault; fault = fault->next) {
		if (!is_end(fault->kind) || !pick(f, fault, method, path))
			continue;
		plan->end = fault->kind;
		plan->status = (int)fault->value;
		return;
	}
}

void faults_pick_hook(struct faults *f, const char *type, struct fault_hook *hook)
{
	*hook = (struct fault_hook){.again_ms = -1};
	for (struct fault *fault = f->first; fault; fault = fault->next) {
		if (!is_hook(fault->kind) || (fault->type[0] && strcmp(fault->type, type) != 0) ||
			!draw(f, fault))
			continue;
		if (fault->kind == FAULT_HOOK_DROP)
			hook->drop = true;
		else if (fault->kind == FAULT_HOOK_DUPLICATE)
			hook->again_ms = fault->value;
		else if (fault->kind == FAULT_HOOK_DELAY)
			hook->delay_ms += fault->value;
		else if (fault->kind == FAULT_HOOK_SHUFFLE)
			hook->delay_ms += (int64_t)(faults_random(f) %
				(uint64_t)(fault->value + 1));
		else
			hook->bad_signature = true;
	}
}

bool fault_end_works(enum fault_kind end)
{
	return end != FAULT_STATUS && end != FAULT_DROP_BEFORE && end != FAULT_HTML;
}

/* ---- showing */

json_t *faults_list(const struct faults *f)
{
	json_t *list = json_array();

	for (const struct fault *fault = f->first; fault; fault = fault->next)
		json_array_append_new(list,
			json_pack("{s:s, s:I, s:o}", "spec", fault->spec, "picked",
				(json_int_t)fault->picked, "left",
				fault->left < 0 ? json_null()
						: json_integer((json_int_t)fault->left)));
	return list;
}

void faults_help(FILE *out)
{
	for (int i = FAULT_NONE + 1; i < FAULT_KINDS; i++)
		fprintf(out, "  %-22s%s\n", shown_as(i), kinds[i].help);
}

static void man_kinds(FILE *out, const char *about, bool (*is_sort)(enum fault_kind))
{
	fprintf(out, "%s\n.Bl -tag -width \"status-after=500\" -compact\n", about);
	for (int i = FAULT_NONE + 1; i < FAULT_KINDS; i++) {
		if (!is_sort((enum fault_kind)i))
			continue;
		fputs(".It Cm ", out);
		mdoc_word(out, shown_as(i));
		fputs("\n", out);
		mdoc_text(out, kinds[i].help);
	}
	fputs(".El\n", out);
}

void faults_man(FILE *out)
{
	man_kinds(out,
		"Of the following the first that applies is taken, for requests with a valid\n"
		"key that are within the limit:",
		is_end);
	man_kinds(out, ".Pp\nThese add up, and are for every request to the API:", is_manner);
	man_kinds(out, ".Pp\nThese add up too, and befall events of the webhook when they arise:",
		is_hook);
}
