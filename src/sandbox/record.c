#include "sandbox/record.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/log.h"
#include "sandbox/sandbox.h"

int record_open(const char *path, FILE **ret_file)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int r = 0;

	*ret_file = fd < 0 ? NULL : fdopen(fd, "a");
	if (!*ret_file) {
		r = -errno;
		log_error("record", "the file of --record cannot be opened", LOG_S("path", path),
			LOG_S("error", strerror(-r)));
		if (fd >= 0)
			close(fd);
	}
	return r;
}

static json_t *headers_of(const struct evkeyvalq *headers)
{
	json_t *json = json_object();
	const struct evkeyval *h;

	TAILQ_FOREACH(h, headers, next)
	{
		if (strcasecmp(h->key, "Authorization") != 0)
			json_object_set_new(json, h->key, json_string(h->value));
	}
	return json;
}

/* NULL where it is no UTF-8, which json_pack takes for null. */
static json_t *text_of(const char *text, size_t n)
{
	return text ? json_stringn(text, n) : NULL;
}

static bool is_spoilt(const struct exchange *x)
{
	return x->plan.end != FAULT_NONE || x->plan.no_headers;
}

void record_exchange(FILE *file, const struct exchange *x, bool sent)
{
	const struct evkeyvalq *in = evhttp_request_get_input_headers(x->request);
	const struct evkeyvalq *out = evhttp_request_get_output_headers(x->request);
	json_t *line = json_pack("{s:s, s:s, s:o, s:o?, s:o, s:b}", "method", x->method, "target",
		evhttp_request_get_uri(x->request), "request", headers_of(in), "body",
		text_of(x->body, x->body_length), "status",
		sent ? json_integer(x->status ? x->status : 500) : json_null(), "fault",
		is_spoilt(x));
	char *text;

	if (line && sent) {
		json_object_set_new(line, "answer", headers_of(out));
		json_object_set_new(line, "text", json_stringn(x->out.data, x->out.len));
	}
	text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	if (!text || fprintf(file, "%s\n", text) < 0 || fflush(file) != 0)
		log_error("record", "a line of --record could not be written: it is incomplete",
			LOG_S("error", strerror(errno)));
	free(text);
	json_decref(line);
}
