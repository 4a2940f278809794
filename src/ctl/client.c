#include "ctl/client.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int client_init(struct client *c, const char *socket_path)
{
	size_t length = strlen(socket_path);

	*c = (struct client){.socket = socket_path, .answer_max = CLIENT_ANSWER_MAX};
	if (length == 0 || length >= sizeof((struct sockaddr_un *)0)->sun_path)
		return -ENAMETOOLONG;
	c->curl = curl_easy_init();
	return c->curl ? 0 : -ENOMEM;
}

void client_done(struct client *c)
{
	curl_easy_cleanup(c->curl);
	c->curl = NULL;
}

void answer_done(struct answer *a)
{
	json_decref(a->document);
	a->document = NULL;
	buf_done(&a->body);
}

/* ---- words for failures */

static int __attribute__((format(printf, 3, 4)))
fail(struct client *c, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(c->words, sizeof c->words, format, ap);
	va_end(ap);
	return error;
}

/* Who else may use the socket: the group of the socket, or of its folder where one cannot even look
 * into that. */
static int fail_permission(struct client *c)
{
	char folder[sizeof((struct sockaddr_un *)0)->sun_path];
	struct stat st;
	struct group *group = NULL;
	mode_t bits = S_IRGRP | S_IWGRP;

	snprintf(folder, sizeof folder, "%s", c->socket);
	if (stat(c->socket, &st) < 0) {
		bits = S_IXGRP;
		if (stat(dirname(folder), &st) < 0)
			st.st_mode = 0;
	}
	if ((st.st_mode & bits) == bits && st.st_gid != 0)
		group = getgrgid(st.st_gid);
	if (group)
		return fail(c, -EACCES,
			"no permission to use %s: that is for root and the members of the group "
			"%s (adduser USER %s, then log in anew)",
			c->socket, group->gr_name, group->gr_name);
	return fail(c, -EACCES,
		"no permission to use %s: only its owner and root may, and the group that "
		"[control] group names",
		c->socket);
}

static int fail_connect(struct client *c)
{
	long error = 0;

	curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &error);
	switch (error) {
	case 0: /* what libcurl 7.88 says of EAGAIN: the socket's backlog is full */
	case EAGAIN:
		return fail(c, -EAGAIN, "punchd takes no calls: too many callers wait at %s",
			c->socket);
	case ENOENT:
		return fail(c, -ENOENT,
			"punchd is not running: there is no %s (systemctl status punchd; "
			"--socket PATH where it listens elsewhere)",
			c->socket);
	case ECONNREFUSED:
		return fail(c, -ECONNREFUSED,
			"punchd is not running: nobody listens on %s (systemctl status punchd)",
			c->socket);
	case EACCES:
	case EPERM: return fail_permission(c);
	default: return fail(c, -EIO, "cannot connect to %s: %s", c->socket, strerror((int)error));
	}
}

static int fail_transfer(struct client *c, CURLcode code, const struct answer *a, int64_t limit_ms)
{
	switch ((int)code) {
	case CURLE_COULDNT_CONNECT: return fail_connect(c);
	case CURLE_OPERATION_TIMEDOUT:
		return fail(c, -ETIMEDOUT, "punchd did not answer within %lld ms (--timeout)",
			(long long)limit_ms);
	case CURLE_ABORTED_BY_CALLBACK: return fail(c, -ECANCELED, "given up");
	case CURLE_WRITE_ERROR:
		if (buf_error(&a->body) == -ENOMEM)
			return fail(c, -ENOMEM, "not enough memory for punchd's answer");
		return fail(c, -E2BIG, "the answer on %s is too large to be punchd's", c->socket);
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		return fail(c, -EPIPE, "punchd hung up before its answer was whole: has it ended?");
	default:
		return fail(c, -EPROTO, "what answers on %s is not punchd: %s", c->socket,
			curl_easy_strerror(code));
	}
}

/* ---- asking */

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct buf *body = arg;

	buf_add(body, bytes, size * n);
	return buf_error(body) ? 0 : size * n;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct client *client = arg;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return client->cancelled && client->cancelled(client->arg);
}

static bool set_request(CURL *h, const char *method, const char *body)
{
	bool get = strcmp(method, "GET") == 0, post = strcmp(method, "POST") == 0;
	bool failed = false;

	if (body || post) {
		failed |= curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE,
				  (curl_off_t)strlen(body ? body : "")) != CURLE_OK;
		failed |= curl_easy_setopt(h, CURLOPT_POSTFIELDS, body ? body : "") != CURLE_OK;
	}
	if (!get && !post)
		failed |= curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, method) != CURLE_OK;
	return !failed;
}

static int prepare(struct client *c, const char *method, const char *url, const char *sent,
	int64_t limit_ms, struct buf *body)
{
	CURL *h = c->curl;
	bool failed = false;

	curl_easy_reset(h);
	failed |= curl_easy_setopt(h, CURLOPT_URL, url) != CURLE_OK;
	failed |= curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, c->socket) != CURLE_OK;
	failed |= curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http") != CURLE_OK;
	/* Whatever http_proxy says, the socket is here. */
	failed |= curl_easy_setopt(h, CURLOPT_PROXY, "") != CURLE_OK;
	failed |= curl_easy_setopt(h, CURLOPT_USERAGENT, "punchctl/" PACKAGE_VERSION) != CURLE_OK;
	failed |= !set_request(h, method, sent);
	if (failed)
		return -ENOMEM;
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)(limit_ms > 0 ? limit_ms : 1));
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, body);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, c);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	return 0;
}

static int begin(struct client *c, const char *path, struct buf *url, struct answer *a)
{
	*a = (struct answer){.status = 0};
	c->words[0] = '\0';
	buf_init(&a->body, c->answer_max);
	buf_init(url, 64 * 1024);
	buf_add_str(url, "http://punchd");
	buf_add_str(url, path);
	return buf_error(url);
}

int client_ask(struct client *c, const char *method, const char *path, const char *body,
	int64_t limit_ms, struct answer *ret_answer)
{
	struct answer *a = ret_answer;
	struct buf url;
	CURLcode code;
	int r = begin(c, path, &url, a);

	if (r == 0)
		r = prepare(c, method, url.data, body, limit_ms, &a->body);
	buf_done(&url);
	if (r < 0)
		return fail(c, r, "%s", strerror(-r));
	code = curl_easy_perform(c->curl);
	if (code != CURLE_OK)
		return fail_transfer(c, code, a, limit_ms);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &a->status);
	a->document = json_loadb(a->body.data, a->body.len, JSON_ALLOW_NUL, NULL);
	return 0;
}

/* ---- asking for what is long */

struct fetch {
	struct client *client;
	const char *media_type;
	client_on_piece *on;
	void *arg;
	struct answer *answer;
	int error; /* what ended it from our side */
};

/* Whether the answer is what was asked for; an error document is not. */
static bool is_wanted(const struct fetch *f, bool *ret_good)
{
	const char *type = NULL;
	long status = 0;

	curl_easy_getinfo(f->client->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(f->client->curl, CURLINFO_CONTENT_TYPE, &type);
	*ret_good = status >= 200 && status <= 299;
	return *ret_good && type && strncasecmp(type, f->media_type, strlen(f->media_type)) == 0;
}

static size_t on_fetched(char *bytes, size_t size, size_t n, void *arg)
{
	struct fetch *f = arg;
	bool good;

	if (is_wanted(f, &good))
		f->error = f->on(f->arg, bytes, size * n);
	else if (good)
		f->error = -EPROTO;
	else
		return on_body(bytes, size, n, &f->answer->body);
	return f->error ? 0 : size * n;
}

static int fail_fetch(struct fetch *f, CURLcode code, int64_t limit_ms)
{
	struct client *c = f->client;

	if (f->error == -EPROTO)
		return fail(c, -EPROTO, "what came is no %s: is that punchd on %s?", f->media_type,
			c->socket);
	return f->error ? f->error : fail_transfer(c, code, f->answer, limit_ms);
}

int client_fetch(struct client *c, const char *path, const char *media_type, int64_t limit_ms,
	client_on_piece *on, void *arg, struct answer *ret_answer)
{
	struct fetch f = {
		.client = c, .media_type = media_type, .on = on, .arg = arg, .answer = ret_answer};
	struct buf url;
	CURLcode code;
	bool good;
	int r;

	r = begin(c, path, &url, ret_answer);
	if (r == 0)
		r = prepare(c, "GET", url.data, NULL, limit_ms, &ret_answer->body);
	buf_done(&url);
	if (r < 0)
		return fail(c, r, "%s", strerror(-r));
	if (limit_ms == 0)
		curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, 0L);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_fetched);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &f);
	code = curl_easy_perform(c->curl);
	if (code == CURLE_OK && !is_wanted(&f, &good) && good)
		f.error = -EPROTO;
	if (code != CURLE_OK || f.error)
		return fail_fetch(&f, code, limit_ms);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &ret_answer->status);
	ret_answer->document = json_loadb(
		ret_answer->body.data, ret_answer->body.len, JSON_ALLOW_NUL, NULL);
	return 0;
}

/* ---- building paths */

void client_add_part(struct buf *path, const char *part)
{
	char *escaped = curl_easy_escape(NULL, part, 0);

	if (escaped)
		buf_add_str(path, escaped);
	else
		path->error = -ENOMEM;
	curl_free(escaped);
}

void client_add_query(struct buf *path, const char *key, const char *value)
{
	buf_add_char(path, strchr(path->data, '?') ? '&' : '?');
	client_add_part(path, key);
	buf_add_char(path, '=');
	client_add_part(path, value);
}
