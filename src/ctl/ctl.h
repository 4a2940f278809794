/*
 * One run of punchctl: what was asked, where to, and what every command needs to answer.
 *
 * A command reads its options from struct ctl, asks by ctl_get or ctl_post, and prints by ctl_show.
 * These say themselves on stderr what went wrong, so a command passes their result on.
 */
#ifndef PUNCHD_CTL_CTL_H
#define PUNCHD_CTL_CTL_H

#include "ctl/client.h"
#include "ctl/table.h"
#include "ctl/times.h"
#include "ctl/vocabulary.h"

/* INTERFACES.md, punchctl. */
enum ctl_exit {
	CTL_DONE = 0,
	CTL_REFUSED = 1, /* or not found */
	CTL_USAGE = 2,
	CTL_AWAY = 3, /* punchd is not reachable */
};

struct ctl {
	const struct command *command;                /* NULL: --help or --version alone */
	const char *arguments[COMMAND_ARGUMENTS_MAX]; /* the command's; NULL behind the last */
	const char *text[OPTIONS_]; /* as given; a flag's is "". NULL: not given */
	int64_t number[OPTIONS_];   /* what a number, a duration or a time says; 0 else */
	struct times times;
	struct client client;
	bool on_terminal; /* stdout is one */
	bool obeys;       /* and it takes escape sequences */
	bool colours;
};

/* All of it: argv to exit status. */
int ctl_run(int argc, char **argv);

/* One line on stderr, made harmless. */
void ctl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line on stdout, made harmless. */
void ctl_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Ask, and take only 2xx with a JSON object. What else came is said on stderr; with --json the
 * error document goes to stdout, too. The answer is to be ended by answer_done in any case.
 * Returns an enum ctl_exit.
 */
int ctl_get(struct ctl *ctl, const char *path, struct answer *ret_answer);
int ctl_post(struct ctl *ctl, const char *path, struct answer *ret_answer);

/* The same with another method, and a body or NULL. */
int ctl_send(struct ctl *ctl, const char *method, const char *path, const json_t *body,
	struct answer *ret_answer);

/* The same within limit_ms. */
int ctl_ask(struct ctl *ctl, const char *method, const char *path, int64_t limit_ms,
	struct answer *ret_answer);

/* What an answer says that is no 2xx, on stderr, and with --json on stdout too: CTL_REFUSED. */
int ctl_refused(const struct ctl *ctl, const struct answer *a);

/* For those that show failures in their own way: nothing is said here. Returns the object of a 2xx
 * answer, a new reference, or NULL with the reason in ret_words. */
#define CTL_WORDS_MAX 512
json_t *ctl_try(struct ctl *ctl, const char *method, const char *path, int64_t limit_ms,
	char ret_words[static CTL_WORDS_MAX]);

/* How long one answer may take, and fallback_ms where --timeout is not given. */
int64_t ctl_limit_ms(const struct ctl *ctl, int64_t fallback_ms);
#define CTL_ANSWER_MS 10000

/* Paper that ctl_show prints. *out is initialised. */
struct paper ctl_paper(const struct ctl *ctl, struct buf *out);

/* Print a paper's buffer and free it. Returns an enum ctl_exit. */
int ctl_show(struct buf *out);

/* Print one JSON document as it came, and a newline. Returns an enum ctl_exit. */
int ctl_show_json(const struct ctl *ctl, const char *json, size_t n);

/* The same of a value. */
int ctl_show_value(const struct ctl *ctl, const json_t *value);

#endif
