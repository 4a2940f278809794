/* link, unlink, links: who is meant by what a terminal sends. */
#include <errno.h>

#include "base/file.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/doc.h"
#include "ctl/links_csv.h"

#define PATH_CAP        16384
#define FILE_CAP        (8UL * 1024 * 1024) /* what punchd takes in one call */
#define EXPORT_CAP      (64UL * 1024 * 1024)
#define LINKS_MAX_BYTES (256UL * 1024 * 1024) /* 250,000 links, some with long notes */

/* ---- link, unlink */

/* `KIND:VALUE` in two; kind is of this size. False, and said, where it is none. */
#define KIND_SIZE 16
static bool split(const struct ctl *ctl, char ret_kind[static KIND_SIZE], const char **ret_value)
{
	const char *word = ctl->arguments[0], *colon = strchr(word, ':');

	if (!colon || colon == word || colon - word >= KIND_SIZE || colon[1] == '\0') {
		ctl_complain("\"%s\" is not KIND:VALUE, such as pin:1001 or card:04A2B3C4", word);
		return false;
	}
	snprintf(ret_kind, KIND_SIZE, "%.*s", (int)(colon - word), word);
	*ret_value = colon + 1;
	return true;
}

static const char *where(const struct ctl *ctl)
{
	return ctl->text[OPTION_DEVICE] ? ctl->text[OPTION_DEVICE] : "all terminals";
}

static void tell_linked(const struct ctl *ctl, const json_t *answer)
{
	bool same = doc_count(answer, "data.same") > 0;

	ctl_say("%s is %s%s at %s", ctl->arguments[0], same ? "already " : "", ctl->arguments[1],
		where(ctl));
	if (doc_count(answer, "data.unknown_users") > 0)
		ctl_complain("%s is not in the cached list of users; the cloud decides whether to "
			     "take such punches",
			ctl->arguments[1]);
}

int run_link(struct ctl *ctl)
{
	char kind[KIND_SIZE];
	const char *value;
	struct answer a;
	json_t *body;
	int r;

	if (!split(ctl, kind, &value))
		return CTL_USAGE;
	body = json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "kind", kind, "value", value, "user_id",
		ctl->arguments[1], "device", ctl->text[OPTION_DEVICE], "note",
		ctl->text[OPTION_NOTE]);
	r = ctl_send(ctl, "PUT", "/v1/links", body, &a);
	json_decref(body);
	if (r == CTL_DONE && ctl->text[OPTION_JSON])
		r = ctl_show_json(ctl, a.body.data, a.body.len);
	else if (r == CTL_DONE)
		tell_linked(ctl, a.document);
	answer_done(&a);
	return r;
}

int run_unlink(struct ctl *ctl)
{
	char kind[KIND_SIZE];
	const char *value;
	struct buf path;
	struct answer a;
	int r;

	if (!split(ctl, kind, &value))
		return CTL_USAGE;
	buf_init(&path, PATH_CAP);
	buf_add_str(&path, "/v1/links");
	client_add_query(&path, "kind", kind);
	client_add_query(&path, "value", value);
	if (ctl->text[OPTION_DEVICE])
		client_add_query(&path, "device", ctl->text[OPTION_DEVICE]);
	if (ctl->text[OPTION_NOTE])
		client_add_query(&path, "note", ctl->text[OPTION_NOTE]);
	r = ctl_send(ctl, "DELETE", path.data, NULL, &a);
	buf_done(&path);
	if (r == CTL_DONE && ctl->text[OPTION_JSON])
		r = ctl_show_json(ctl, a.body.data, a.body.len);
	else if (r == CTL_DONE)
		ctl_say("%s is linked no more at %s", ctl->arguments[0], where(ctl));
	answer_done(&a);
	return r;
}

/* ---- links */

static int ask_links(struct ctl *ctl, struct answer *ret_answer)
{
	int r;

	ctl->client.answer_max = LINKS_MAX_BYTES;
	r = ctl_get(ctl, "/v1/links", ret_answer);
	if (r == CTL_DONE && !json_is_array(doc_get(ret_answer->document, "data"))) {
		ctl_complain("the answer holds no list of links: is that punchd?");
		r = CTL_AWAY;
	}
	return r;
}

static int draw_links(struct ctl *ctl, const json_t *links)
{
	static const char *const heads[] = {
		"WHO", "TERMINAL", "USER", "NAME", "SINCE", "BY", "NOTE"};
	const json_t *link;
	char when[TIMES_TEXT_SIZE];
	struct table table;
	struct buf out;
	struct paper paper = ctl_paper(ctl, &out);
	size_t i;

	table_init(&table, sizeof heads / sizeof heads[0], heads);
	json_array_foreach(links, i, link)
	{
		const char *device = doc_text(link, "device");

		table_addf(&table, TINT_BOLD, "%s:%s", doc_text(link, "kind"),
			doc_text(link, "value"));
		table_add(&table, TINT_PLAIN, device[0] ? device : "all");
		table_add(&table, TINT_PLAIN, doc_text(link, "user_id"));
		table_add(&table, TINT_PLAIN, doc_text(link, "name"));
		table_add(&table, TINT_PLAIN, times_show(&ctl->times, doc_text(link, "at"), when));
		table_add(&table, TINT_PLAIN, doc_text(link, "by.name"));
		table_add(&table, TINT_PLAIN, doc_text(link, "note"));
	}
	if (json_array_size(links) == 0)
		buf_add_str(&out, "no links\n");
	else if (table_draw(&table, &paper) < 0)
		out.error = -ENOMEM;
	table_done(&table);
	return ctl_show(&out);
}

static int list_links(struct ctl *ctl)
{
	struct answer a;
	int r = ask_links(ctl, &a);

	if (r == CTL_DONE)
		r = ctl->text[OPTION_JSON] ? ctl_show_json(ctl, a.body.data, a.body.len)
					   : draw_links(ctl, doc_get(a.document, "data"));
	answer_done(&a);
	return r;
}

/* ---- export */

static int write_file(const char *name, struct buf *text)
{
	FILE *file = fopen(name, "w");
	bool good = file && fwrite(text->data, 1, text->len, file) == text->len;

	if (file && fclose(file) != 0)
		good = false;
	if (!good)
		ctl_complain("%s: %s", name, strerror(errno));
	buf_done(text);
	return good ? CTL_DONE : CTL_REFUSED;
}

static int export_links(struct ctl *ctl)
{
	const char *name = ctl->arguments[1];
	struct answer a;
	struct buf text;
	int r = ask_links(ctl, &a);

	buf_init(&text, EXPORT_CAP);
	if (r == CTL_DONE)
		links_csv_write(&text, doc_get(a.document, "data"));
	answer_done(&a);
	if (r == CTL_DONE && !buf_error(&text) && name)
		return write_file(name, &text);
	if (r == CTL_DONE)
		return ctl_show(&text);
	buf_done(&text);
	return r;
}

/* ---- import */

/* Every fault as FILE:LINE: message. */
static int tell_faults(const struct ctl *ctl, const struct links_csv *l)
{
	char *line, *rest = l->told.data;

	while ((line = strsep(&rest, "\n"))) {
		if (line[0])
			ctl_complain("%s:%s", ctl->arguments[1], line);
	}
	ctl_complain("%ld of its lines %s at fault: nothing was changed", l->faults,
		l->faults == 1 ? "is" : "are");
	return CTL_REFUSED;
}

static void take_faults(struct links_csv *l, const json_t *faults)
{
	const json_t *fault;
	size_t i;

	json_array_foreach(faults, i, fault)
		links_csv_tell(l, doc_count(fault, "index"), 0, doc_text(fault, "message"));
}

static int tell_imported(const struct ctl *ctl, const json_t *answer)
{
	ctl_say("%s%lld new, %lld changed, %lld as they were",
		ctl->text[OPTION_DRY_RUN] ? "would be: " : "",
		(long long)doc_count(answer, "data.new"),
		(long long)doc_count(answer, "data.changed"),
		(long long)doc_count(answer, "data.same"));
	return CTL_DONE;
}

static int send_links(struct ctl *ctl, struct links_csv *l)
{
	json_t *body = json_pack("{s:O, s:b, s:b, s:s*}", "links", l->links, "known_users",
		!ctl->text[OPTION_ALLOW_UNKNOWN], "dry_run", ctl->text[OPTION_DRY_RUN] != NULL,
		"note", ctl->text[OPTION_NOTE]);
	struct answer a;
	int r = ctl_send(ctl, "PUT", "/v1/links", body, &a);

	json_decref(body);
	if (r == CTL_DONE && ctl->text[OPTION_JSON])
		r = ctl_show_json(ctl, a.body.data, a.body.len);
	else if (r == CTL_DONE)
		r = tell_imported(ctl, a.document);
	take_faults(l, doc_get(a.document, "error.faults"));
	if (l->faults > 0)
		tell_faults(ctl, l);
	answer_done(&a);
	return r;
}

static int import_links(struct ctl *ctl)
{
	const char *name = ctl->arguments[1];
	struct links_csv l;
	struct buf text;
	int r;

	if (!name) {
		ctl_complain("links import needs a FILE");
		return CTL_USAGE;
	}
	buf_init(&text, FILE_CAP);
	r = file_read(name, &text, NULL);
	if (r < 0) {
		ctl_complain("%s: %s", name,
			r == -E2BIG ? "more than 8 MiB: import it in parts" : strerror(-r));
		buf_done(&text);
		return CTL_REFUSED;
	}
	r = links_csv_read(&l, text.data, text.len);
	if (r < 0) {
		ctl_complain("%s", strerror(-r));
		r = CTL_REFUSED;
	} else {
		r = l.faults > 0 ? tell_faults(ctl, &l) : send_links(ctl, &l);
	}
	links_csv_done(&l);
	buf_done(&text);
	return r;
}

int run_links(struct ctl *ctl)
{
	const char *word = ctl->arguments[0];

	if (!word)
		return list_links(ctl);
	if (strcmp(word, "import") == 0)
		return import_links(ctl);
	if (strcmp(word, "export") == 0)
		return export_links(ctl);
	ctl_complain("links takes import or export, not \"%s\"", word);
	return CTL_USAGE;
}
