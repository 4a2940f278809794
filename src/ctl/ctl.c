#include "ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/doc.h"
#include "ctl/pages.h"
#include "ctl/parse.h"
#include "ctl/text.h"

#define DEFAULT_SOCKET "/run/punchd/punchd.sock"
#define PAGE_CAP       (64UL * 1024 * 1024)
#define CELL_MAX       40

static void __attribute__((format(printf, 3, 0)))
say(FILE *out, const char *before, const char *format, va_list ap)
{
	struct buf text, safe;

	buf_init(&text, 16384);
	buf_init(&safe, 65536);
	buf_vaddf(&text, format, ap);
	text_add_safe(&safe, text.data, text.len);
	fprintf(out, "%s%s\n", before, safe.data);
	buf_done(&safe);
	buf_done(&text);
}

void ctl_complain(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(stderr, "punchctl: ", format, ap);
	va_end(ap);
}

void ctl_say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(stdout, "", format, ap);
	va_end(ap);
}

/* ---- asking */

int64_t ctl_limit_ms(const struct ctl *ctl, int64_t fallback_ms)
{
	return ctl->text[OPTION_TIMEOUT] ? ctl->number[OPTION_TIMEOUT] : fallback_ms;
}

int ctl_refused(const struct ctl *ctl, const struct answer *a)
{
	const char *code = doc_text(a->document, "error.code");
	const char *message = doc_text(a->document, "error.message");

	if (message[0])
		ctl_complain("%s%s%s%s", message, code[0] ? " (" : "", code, code[0] ? ")" : "");
	else
		ctl_complain("punchd refuses this with HTTP status %ld", a->status);
	if (ctl->text[OPTION_JSON] && a->document)
		ctl_show_json(ctl, a->body.data, a->body.len);
	return CTL_REFUSED;
}

static int ask(struct ctl *ctl, const char *method, const char *path, const char *body,
	int64_t limit_ms, struct answer *ret_answer)
{
	if (client_ask(&ctl->client, method, path, body, limit_ms, ret_answer) < 0) {
		ctl_complain("%s", ctl->client.words);
		return CTL_AWAY;
	}
	if (ret_answer->status < 200 || ret_answer->status > 299)
		return ctl_refused(ctl, ret_answer);
	if (!json_is_object(ret_answer->document)) {
		ctl_complain("what answers on %s is not punchd: no JSON object came",
			ctl->client.socket);
		return CTL_AWAY;
	}
	return CTL_DONE;
}

int ctl_ask(struct ctl *ctl, const char *method, const char *path, int64_t limit_ms,
	struct answer *ret_answer)
{
	return ask(ctl, method, path, NULL, limit_ms, ret_answer);
}

int ctl_send(struct ctl *ctl, const char *method, const char *path, const json_t *body,
	struct answer *ret_answer)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	int r;

	*ret_answer = (struct answer){.status = 0};
	if (body && !text) {
		ctl_complain("%s", strerror(ENOMEM));
		return CTL_REFUSED;
	}
	r = ask(ctl, method, path, text, ctl_limit_ms(ctl, CTL_ANSWER_MS), ret_answer);
	free(text);
	return r;
}

int ctl_get(struct ctl *ctl, const char *path, struct answer *ret_answer)
{
	return ctl_ask(ctl, "GET", path, ctl_limit_ms(ctl, CTL_ANSWER_MS), ret_answer);
}

int ctl_post(struct ctl *ctl, const char *path, struct answer *ret_answer)
{
	return ctl_ask(ctl, "POST", path, ctl_limit_ms(ctl, CTL_ANSWER_MS), ret_answer);
}

static void refusal(const struct answer *a, const char *socket, char *ret_words)
{
	const char *message = doc_text(a->document, "error.message");

	if (message[0])
		snprintf(ret_words, CTL_WORDS_MAX, "%s", message);
	else
		snprintf(ret_words, CTL_WORDS_MAX,
			"what answers on %.200s is not punchd, or it is not well: HTTP status %ld",
			socket, a->status);
}

json_t *ctl_try(struct ctl *ctl, const char *method, const char *path, int64_t limit_ms,
	char ret_words[static CTL_WORDS_MAX])
{
	json_t *document = NULL;
	struct answer a;

	if (client_ask(&ctl->client, method, path, NULL, limit_ms, &a) < 0)
		snprintf(ret_words, CTL_WORDS_MAX, "%.500s", ctl->client.words);
	else if (a.status < 200 || a.status > 299 || !json_is_object(a.document))
		refusal(&a, ctl->client.socket, ret_words);
	else
		document = json_incref(a.document);
	answer_done(&a);
	return document;
}

/* ---- showing */

struct paper ctl_paper(const struct ctl *ctl, struct buf *out)
{
	buf_init(out, PAGE_CAP);
	/* What goes into a file or a pipe is whole. */
	return (struct paper){
		.out = out, .colours = ctl->colours, .cell_max = ctl->on_terminal ? CELL_MAX : 0};
}

int ctl_show(struct buf *out)
{
	int r = CTL_DONE;

	if (buf_error(out)) {
		ctl_complain("this is too much to show: %s", strerror(-buf_error(out)));
		r = CTL_REFUSED;
	} else {
		fwrite(out->data, 1, out->len, stdout);
	}
	buf_done(out);
	return r;
}

int ctl_show_json(const struct ctl *ctl, const char *json, size_t n)
{
	struct buf out;

	buf_init(&out, PAGE_CAP * 2);
	if (ctl->on_terminal)
		text_add_json(&out, json, n);
	else
		buf_add(&out, json, n);
	if (n == 0 || json[n - 1] != '\n')
		buf_add_char(&out, '\n');
	return ctl_show(&out);
}

int ctl_show_value(const struct ctl *ctl, const json_t *value)
{
	char *json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	int r;

	if (!json) {
		ctl_complain("%s", strerror(ENOMEM));
		return CTL_REFUSED;
	}
	r = ctl_show_json(ctl, json, strlen(json));
	free(json);
	return r;
}

/* ---- a run */

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

static int open_client(struct ctl *ctl)
{
	const char *path = ctl->text[OPTION_SOCKET];
	int r;

	if (!path)
		path = environment("PUNCHD_SOCKET");
	r = client_init(&ctl->client, path ? path : DEFAULT_SOCKET);
	if (r == -ENAMETOOLONG) {
		ctl_complain("no socket can have this path, 107 bytes at most: %s", path);
		return CTL_USAGE;
	}
	if (r < 0) {
		ctl_complain("%s", strerror(-r));
		return CTL_REFUSED;
	}
	return CTL_DONE;
}

static int run_command(struct ctl *ctl)
{
	const char *term = environment("TERM");
	int r = open_client(ctl);

	ctl->on_terminal = isatty(STDOUT_FILENO);
	ctl->obeys = ctl->on_terminal && term && strcmp(term, "dumb") != 0;
	ctl->colours = ctl->obeys && !environment("NO_COLOR");
	if (r == CTL_DONE)
		r = ctl->command->run(ctl);
	client_done(&ctl->client);
	return r;
}

static int run(struct ctl *ctl)
{
	if (ctl->text[OPTION_HELP]) {
		if (ctl->command)
			pages_help_command(stdout, ctl->command);
		else
			pages_help(stdout);
		return CTL_DONE;
	}
	if (ctl->text[OPTION_VERSION]) {
		puts("punchctl " PACKAGE_VERSION);
		return CTL_DONE;
	}
	return run_command(ctl);
}

int ctl_run(int argc, char **argv)
{
	struct ctl ctl = {.times.now_s = clock_now().wall_us / CLOCK_US_PER_S};
	int r;

	text_init();
	r = parse_arguments(argc, argv, &ctl);
	if (r == CTL_DONE)
		r = run(&ctl);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		ctl_complain("standard output: %s", strerror(errno));
		if (r == CTL_DONE)
			r = CTL_REFUSED;
	}
	return r;
}
