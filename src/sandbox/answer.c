#include "sandbox/answer.h"

#include <event2/buffer.h>

#include "base/log.h"
#include "sandbox/record.h"
#include "sandbox/sandbox.h"

#define DATE_SIZE 40

/* 15 digits: 95.45 is written as 95.45. */
#define JSON_STYLE (JSON_COMPACT | JSON_REAL_PRECISION(15))

static const char media_json[] = "application/json";

static int add_piece(const char *text, size_t n, void *arg)
{
	buf_add(arg, text, n);
	return buf_error(arg);
}

/* Replace the answer; root is stolen. */
static void put_json(struct exchange *x, int status, json_t *root)
{
	buf_clear(&x->out);
	x->status = status;
	x->content_type = media_json;
	x->file_name[0] = '\0';
	if (!root || json_dump_callback(root, add_piece, &x->out, JSON_STYLE) != 0) {
		x->status = 500;
		buf_clear(&x->out);
	}
	json_decref(root);
}

void answer_data(struct exchange *x, int status, json_t *data, json_t *meta)
{
	json_t *root = data ? json_pack("{s:o}", "data", data) : NULL;

	if (root && meta)
		json_object_set_new(root, "meta", meta);
	if (root)
		put_json(x, status, root);
	else
		answer_broken(x);
}

void answer_data_text(struct exchange *x, const struct buf *text)
{
	buf_clear(&x->out);
	buf_add_str(&x->out, "{\"data\":");
	buf_add(&x->out, text->data, text->len);
	buf_add_char(&x->out, '}');
	x->status = 200;
	x->content_type = media_json;
	if (buf_error(text) < 0 || buf_error(&x->out) < 0)
		answer_broken(x);
}

static const char *type_of(int status)
{
	switch (status) {
	case 401: return "authentication_error";
	case 403: return "permission_error";
	case 404: return "not_found_error";
	case 409: return "conflict_error";
	case 429: return "rate_limit_error";
	default: return status >= 500 ? "api_error" : "validation_error";
	}
}

void answer_error(struct exchange *x, int status, const char *code, const char *param,
	const char *format, ...)
{
	struct buf message;
	va_list ap;

	buf_init(&message, 1024);
	va_start(ap, format);
	buf_vaddf(&message, format, ap);
	va_end(ap);
	put_json(x, status,
		json_pack("{s:{s:s, s:s, s:o, s:s}}", "error", "code", code, "message",
			message.data, "param", param ? json_string(param) : json_null(), "type",
			type_of(status)));
	buf_done(&message);
}

void answer_broken(struct exchange *x)
{
	answer_error(x, 500, "internal_error", NULL, "the sandbox failed; its log says why");
}

void answer_file(
	struct exchange *x, const char *content_type, const char *name, const struct buf *text)
{
	buf_clear(&x->out);
	buf_add(&x->out, text->data, text->len);
	x->status = 200;
	x->content_type = content_type;
	snprintf(x->file_name, sizeof x->file_name, "%s", name);
	if (buf_error(text) < 0 || buf_error(&x->out) < 0)
		answer_broken(x);
}

/* ---- faults */

static const char *code_of(int status)
{
	switch (status) {
	case 400:
	case 422: return "invalid_request";
	case 401: return "invalid_api_key";
	case 403: return "forbidden";
	case 404: return "not_found";
	case 409: return "conflict";
	case 429: return "rate_limit_exceeded";
	case 503: return "service_unavailable";
	default: return status >= 500 ? "internal_error" : "invalid_request";
	}
}

static void put_html(struct exchange *x, int status)
{
	buf_clear(&x->out);
	x->status = status;
	x->content_type = "text/html";
	x->file_name[0] = '\0';
	buf_add_str(&x->out,
		"<!DOCTYPE html><html><head><title>Proxy</title></head><body>"
		"<h1>This page comes from something on the way</h1></body></html>\n");
}

/* Every byte value, NUL too. */
static void put_noise(struct exchange *x, int status)
{
	size_t n = 64 + faults_random(&x->sandbox->faults) % 448;

	buf_clear(&x->out);
	x->status = status;
	x->content_type = media_json;
	for (size_t i = 0; i < n; i++)
		buf_add_char(&x->out, (char)faults_random(&x->sandbox->faults));
}

static void cut(struct exchange *x, int status)
{
	x->status = status;
	x->out.len /= 2;
	x->out.data[x->out.len] = '\0';
}

void answer_spoil(struct exchange *x)
{
	int status = x->plan.status;

	switch (x->plan.end) {
	case FAULT_STATUS:
	case FAULT_STATUS_AFTER:
		answer_error(x, status, code_of(status), NULL, "a fault of the sandbox");
		break;
	case FAULT_HTML: put_html(x, status); break;
	case FAULT_GARBAGE: put_noise(x, status); break;
	case FAULT_CUT:
		if (x->out.len > 0)
			cut(x, status);
		break;
	case FAULT_EMPTY:
		buf_clear(&x->out);
		x->status = status;
		break;
	case FAULT_NONE:
	case FAULT_DROP_BEFORE:
	case FAULT_DROP_AFTER:
	case FAULT_SLOW:
	case FAULT_SKEW:
	case FAULT_NO_HEADERS:
	case FAULT_NO_IDEMPOTENCY:
	case FAULT_NO_UNIQUE:
	case FAULT_RETRY_AFTER:
	case FAULT_RETRY_AFTER_DATE:
	case FAULT_SHUFFLE:
	case FAULT_HOOK_DROP:
	case FAULT_HOOK_DUPLICATE:
	case FAULT_HOOK_DELAY:
	case FAULT_HOOK_SHUFFLE:
	case FAULT_HOOK_BAD_SIGNATURE:
	case FAULT_KINDS: break;
	}
}

/* ---- sending */

static const char *http_date(int64_t unix_s, char ret_text[static DATE_SIZE])
{
	struct tm tm;
	time_t t = (time_t)unix_s;

	gmtime_r(&t, &tm);
	strftime(ret_text, DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return ret_text;
}

static void add_number(struct evkeyvalq *headers, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)value);
	evhttp_add_header(headers, name, text);
}

static void add_rate(const struct exchange *x, struct evkeyvalq *headers)
{
	add_number(headers, "X-RateLimit-Limit", x->rate.limit);
	add_number(headers, "X-RateLimit-Remaining", x->rate.remaining);
	add_number(headers, "X-RateLimit-Reset", x->rate.reset_s);
}

static void add_retry_after(const struct exchange *x, struct evkeyvalq *headers)
{
	char date[DATE_SIZE];

	if (x->plan.retry_after_is_date)
		evhttp_add_header(headers, "Retry-After",
			http_date(x->now_ms / 1000 + x->plan.retry_after_s, date));
	else
		add_number(headers, "Retry-After", x->plan.retry_after_s);
}

/* The page runs its own script and no other, and nobody shows it within theirs. */
static void add_admin(struct evkeyvalq *headers)
{
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(headers, "Referrer-Policy", "no-referrer");
	evhttp_add_header(headers, "Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
		"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
}

static void add_headers(const struct exchange *x)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(x->request);
	bool from_proxy = x->plan.end == FAULT_HTML;
	char text[DATE_SIZE + 64];

	evhttp_add_header(headers, "Date", http_date(x->now_ms / 1000, text));
	evhttp_add_header(headers, "Content-Type", x->content_type);
	if (!x->is_admin && !x->plan.no_headers && !from_proxy)
		add_rate(x, headers);
	if (x->is_admin)
		add_admin(headers);
	if (x->plan.retry_after_s >= 0 && (x->status == 429 || x->status == 503))
		add_retry_after(x, headers);
	if (x->status == 401 && !from_proxy)
		evhttp_add_header(headers, "WWW-Authenticate", "Bearer");
	if (x->allow && x->status == 405)
		evhttp_add_header(headers, "Allow", x->allow);
	if (x->file_name[0]) {
		snprintf(text, sizeof text, "attachment; filename=\"%s\"", x->file_name);
		evhttp_add_header(headers, "Content-Disposition", text);
	}
}

static void keep_record(const struct exchange *x, bool sent)
{
	if (x->sandbox->record && strncmp(x->path, SANDBOX_API "/", strlen(SANDBOX_API "/")) == 0)
		record_exchange(x->sandbox->record, x, sent);
}

/* A client that has gone leaves a request without a connection; evhttp_send_reply then frees it. */
static bool close_instead(struct exchange *x)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(x->request);

	if (x->plan.end != FAULT_DROP_BEFORE && x->plan.end != FAULT_DROP_AFTER)
		return false;
	x->sandbox->stats.dropped++;
	keep_record(x, false);
	if (!connection)
		return false;
	evhttp_connection_free(connection);
	return true;
}

void answer_send(struct exchange *x)
{
	struct evbuffer *body;

	log_debug("request", "answered", LOG_S("method", x->method), LOG_S("path", x->path),
		LOG_I("status", x->status));
	if (close_instead(x)) {
		x->request = NULL;
		return;
	}
	x->sandbox->stats.by_status[x->status > 0 && x->status < 600 ? x->status : 0]++;
	add_headers(x);
	keep_record(x, true);
	body = evbuffer_new();
	if (body)
		evbuffer_add(body, x->out.data, x->out.len);
	evhttp_send_reply(x->request, x->status ? x->status : 500, NULL, body);
	if (body)
		evbuffer_free(body);
	x->request = NULL;
}
