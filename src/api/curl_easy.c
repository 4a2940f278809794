/* What one transfer asks of libcurl, and what libcurl asks of it. */
#include <errno.h>
#include <string.h>

#include "api/curl_private.h"

#define KEEPALIVE_S 20

/* --- what libcurl calls */

/* The last stop before the request is written. Called a second time only where libcurl would send
 * it again on another connection: that is for us to decide, not for it. */
static int on_before_send(
	void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct transfer *x = arg;

	(void)remote_ip;
	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	if (x->sends > 0)
		return CURL_PREREQFUNC_ABORT;
	x->sends++;
	return CURL_PREREQFUNC_OK;
}

/* libcurl 7.88 takes an end within the headers for the end of an answer. An interim answer (1xx)
 * has an empty line of its own, and then another begins. */
static size_t on_header(char *bytes, size_t one, size_t n, void *arg)
{
	struct transfer *x = arg;

	(void)one;
	if (n >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
		x->headers_whole = false;
	else if (n > 0 && (bytes[0] == '\r' || bytes[0] == '\n'))
		x->headers_whole = true;
	return n;
}

static size_t on_body(char *bytes, size_t one, size_t n, void *arg)
{
	struct transfer *x = arg;

	(void)one;
	if (n > 0 && stream_takes_body(x))
		return stream_take(x, bytes, n);
	if (n > x->body.cap - x->body.len) {
		x->body_cut = true;
		n = x->body.cap - x->body.len;
		buf_add(&x->body, bytes, n);
		return CURL_WRITEFUNC_ERROR;
	}
	buf_add(&x->body, bytes, n);
	return buf_error(&x->body) < 0 ? CURL_WRITEFUNC_ERROR : n;
}

/* --- options */

static void set(CURLcode *worst, CURLcode code)
{
	if (*worst == CURLE_OK)
		*worst = code;
}

/*
 * A CA file alone would take the place of the system's bundle; beside a directory it adds to it. And
 * with a directory the bundle is not wanted: to read its 140 certificates costs each new connection
 * 22 ms of CPU on a machine of 2 cores, the directory gives the one that is asked for.
 */
static CURLcode set_cas(
	const struct curl_transport *t, CURL *easy, CURLoption file, CURLoption directory)
{
	CURLcode r = CURLE_OK;

	if (t->ca_file || t->ca_dir_is_hashed)
		set(&r, curl_easy_setopt(easy, file, t->ca_file));
	if (t->ca_dir)
		set(&r, curl_easy_setopt(easy, directory, t->ca_dir));
	return r;
}

static CURLcode set_security(const struct curl_transport *t, CURL *easy)
{
	CURLcode r = CURLE_OK;

	set(&r, curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https"));
	set(&r, curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L));
	set(&r, curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
	set(&r, curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L));
	set(&r, curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L));
	set(&r, set_cas(t, easy, CURLOPT_CAINFO, CURLOPT_CAPATH));
	set(&r, curl_easy_setopt(easy, CURLOPT_SHARE, t->sessions));
	if (t->pins)
		set(&r, curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, t->pins));
	return r;
}

/* A proxy that speaks TLS is trusted as the API is, but for its pinned keys. */
static CURLcode set_proxy(const struct curl_transport *t, CURL *easy)
{
	CURLcode r = CURLE_OK;

	if (t->proxy)
		set(&r, curl_easy_setopt(easy, CURLOPT_PROXY, t->proxy));
	/* The key is for the API: no proxy on the way gets our headers. */
	set(&r, curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE));
	set(&r, curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
	set(&r, set_cas(t, easy, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH));
	return r;
}

static CURLcode set_conduct(const struct curl_transport *t, CURL *easy, struct transfer *x)
{
	CURLcode r = CURLE_OK;

	set(&r, curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
	/* Else a transfer that ends while its name is looked up would wait for the resolver, and
	 * with it the loop (libcurl 7.88); the thread is left to end by itself. */
	set(&r, curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L));
	set(&r, curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, t->connect_timeout_ms));
	set(&r, curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, t->timeout_ms));
	set(&r, curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_S));
	/* Where an answer takes its time the road is to be kept open, too. */
	set(&r, curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L));
	set(&r, curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S));
	set(&r, curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S));
	set(&r, curl_easy_setopt(easy, CURLOPT_USERAGENT, t->user_agent));
	set(&r, curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L));
	set(&r, curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_send));
	set(&r, curl_easy_setopt(easy, CURLOPT_PREREQDATA, x));
	set(&r, curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header));
	set(&r, curl_easy_setopt(easy, CURLOPT_HEADERDATA, x));
	set(&r, curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body));
	set(&r, curl_easy_setopt(easy, CURLOPT_WRITEDATA, x));
	set(&r, curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->error));
	set(&r, curl_easy_setopt(easy, CURLOPT_PRIVATE, x));
	return r;
}

/* curl_stream.c says why, and has the time-outs. */
static CURLcode set_stream(CURL *easy)
{
	CURLcode r = CURLE_OK;

	set(&r, curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 0L));
	set(&r, curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1));
	set(&r, curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L));
	set(&r, curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L));
	set(&r, curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 0L));
	return r;
}

static CURLcode set_request(const struct api_request *request, CURL *easy, struct transfer *x)
{
	CURLcode r = CURLE_OK;

	set(&r, curl_easy_setopt(easy, CURLOPT_URL, request->url));
	set(&r, curl_easy_setopt(easy, CURLOPT_HTTPHEADER, x->headers));
	if (request->method == API_POST) {
		set(&r, curl_easy_setopt(easy, CURLOPT_POST, 1L));
		set(&r,
			curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				(curl_off_t)request->body_length));
		set(&r,
			curl_easy_setopt(
				easy, CURLOPT_COPYPOSTFIELDS, request->body ? request->body : ""));
	}
	return r;
}

static int add_header(struct curl_slist **list, const char *name, const char *value)
{
	struct curl_slist *longer;
	struct buf line;
	int r;

	buf_init(&line, 16 * 1024);
	buf_addf(&line, "%s:%s%s", name, value[0] ? " " : "", value);
	r = buf_error(&line);
	longer = r == 0 ? curl_slist_append(*list, line.data) : NULL;
	buf_done(&line);
	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int make_headers(const struct api_request *request, struct curl_slist **ret_list)
{
	int r = add_header(ret_list, "Authorization", request->authorization);

	r = r < 0 ? r
		  : add_header(ret_list, "Accept",
			    request->accept ? request->accept : "application/json");
	/* Without a value libcurl leaves the header out: no 100-continue. */
	r = r < 0 ? r : add_header(ret_list, "Expect", "");
	if (request->body)
		r = r < 0 ? r : add_header(ret_list, "Content-Type", "application/json");
	if (request->idempotency_key)
		r = r < 0 ? r : add_header(ret_list, "Idempotency-Key", request->idempotency_key);
	return r;
}

int transfer_prepare(struct transfer *x, const struct api_request *request)
{
	const struct curl_transport *t = x->transport;

	x->easy = curl_easy_init();
	if (!x->easy || make_headers(request, &x->headers) < 0)
		return -ENOMEM;
	if (set_security(t, x->easy) != CURLE_OK || set_proxy(t, x->easy) != CURLE_OK ||
		set_conduct(t, x->easy, x) != CURLE_OK ||
		(x->stream.sink && set_stream(x->easy) != CURLE_OK) ||
		set_request(request, x->easy, x) != CURLE_OK)
		return -ENOMEM;
	return 0;
}
