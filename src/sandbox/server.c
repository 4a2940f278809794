/* Starting, serving and stopping. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <curl/curl.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "sandbox/directory.h"
#include "sandbox/events.h"
#include "sandbox/idempotency.h"
#include "sandbox/sandbox.h"
#include "sandbox/record.h"
#include "sandbox/schedule.h"
#include "sandbox/tls.h"

#define BODY_MAX        (1 << 20)
#define HEADERS_MAX     (64 << 10)
#define UPKEEP_S        5
#define IDLE_S          75 /* a kept connection without a request is closed after this */
#define USERS_DEFAULT   10
#define DEVICES_DEFAULT "BIO-FP-001"

int64_t sandbox_now_ms(const struct sandbox *sandbox)
{
	return clock_now().wall_us / 1000 + sandbox->clock_off_ms;
}

void sandbox_wants_commit(struct sandbox *sandbox)
{
	event_active(sandbox->flush, EV_TIMEOUT, 0);
}

void sandbox_event(struct sandbox *sandbox, const char *type, json_t *data, int64_t said_ms)
{
	struct fault_hook plan;

	if (!sandbox->hook || !hook_has_room(sandbox->hook)) {
		json_decref(data);
		return;
	}
	faults_pick_hook(&sandbox->faults, type, &plan);
	events_add(&sandbox->db, type, data, &plan, said_ms, clock_now().wall_us / 1000);
	sandbox_wants_commit(sandbox);
}

/* ---- callbacks of libevent */

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	struct sandbox *sandbox = arg;
	SSL *ssl = SSL_new(sandbox->ctx);

	sandbox->stats.connections++;
	return bufferevent_openssl_socket_new(
		base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

static void on_request(struct evhttp_request *request, void *arg)
{
	exchange_arrive(arg, request);
}

static void on_flush(evutil_socket_t fd, short events, void *arg)
{
	(void)fd, (void)events;
	exchange_flush(arg);
}

static void on_upkeep(evutil_socket_t fd, short events, void *arg)
{
	struct sandbox *sandbox = arg;

	(void)fd, (void)events;
	idempotency_purge(sandbox);
	events_purge(&sandbox->db);
	hook_recount(sandbox->hook);
	sandbox_wants_commit(sandbox);
}

/* A last moment lets answers that are already written leave. */
static void on_stop(evutil_socket_t fd, short events, void *arg)
{
	struct sandbox *sandbox = arg;
	const struct timeval moment = {0, 20000};

	(void)fd, (void)events;
	event_base_loopexit(sandbox->base, &moment);
}

/* ---- starting */

/* mkdir -p; only the last folder holds keys and is kept from others. */
static int make_folder(const char *path)
{
	char part[4096];

	if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part - 64)
		return -ENAMETOOLONG;
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(part, 0755);
		*slash = '/';
	}
	return mkdir(part, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

static int add_keys(struct sandbox *s, const struct options_list *list, enum keys_rights rights)
{
	int r = 0;

	for (size_t i = 0; i < list->count && r == 0; i++)
		r = keys_add(&s->keys, &s->db, list->items[i], rights);
	if (r == -EINVAL)
		log_error("key", "a key is 1 to 256 visible ASCII characters without blanks");
	return r;
}

static int load_keys(struct sandbox *s)
{
	const struct options *o = s->options;
	int r = keys_load(&s->keys, &s->db);

	if (r == 0)
		r = add_keys(s, &o->keys, KEYS_ALL);
	if (r == 0)
		r = add_keys(s, &o->read_keys, KEYS_READ);
	if (r == 0)
		r = add_keys(s, &o->attendance_keys, KEYS_ATTENDANCE);
	if (r == 0 && s->db.fresh && o->keys.count == 0)
		r = keys_add(&s->keys, &s->db, OPTIONS_KEY, KEYS_ALL);
	return r < 0 ? r : db_commit(&s->db);
}

static int load_people(struct sandbox *s)
{
	const struct options *o = s->options;
	int64_t users = o->users >= 0 ? o->users : s->db.fresh ? USERS_DEFAULT : 0;
	const char *devices = o->devices ? o->devices : s->db.fresh ? DEVICES_DEFAULT : "";
	int r = directory_seed_users(&s->db, users);

	if (r == 0)
		r = directory_seed_devices(&s->db, devices);
	if (r == -EINVAL)
		log_error("devices", "a serial number has 1 to 64 characters",
			LOG_S("devices", devices));
	return r;
}

static int open_data(struct sandbox *s)
{
	const struct options *o = s->options;
	const char *names[OPTIONS_LIST_MAX + 1] = {o->host};
	int r = make_folder(o->data_dir);

	if (r < 0) {
		log_error("data", "the data folder cannot be made", LOG_S("dir", o->data_dir),
			LOG_S("error", strerror(-r)));
		return r;
	}
	r = db_open(&s->db, o->data_dir);
	if (r == 0)
		r = load_keys(s);
	if (r == 0)
		r = load_people(s);
	memcpy(names + 1, o->names.items, o->names.count * sizeof names[0]);
	return r < 0 ? r : tls_prepare(o->data_dir, names, o->names.count + 1, &s->ctx);
}

static int start_hook(struct sandbox *s)
{
	const struct options *o = s->options;
	struct hook_settings settings = {.base = s->base,
		.db = &s->db,
		.commit = s->flush,
		.url = o->webhook,
		.ca_file = o->webhook_ca,
		.parallel = o->webhook_parallel,
		.tries = o->webhook_tries};
	int r = 0;

	if (!o->webhook)
		return 0;
	if (o->webhook_secret_file)
		r = file_read_secret(o->webhook_secret_file, &s->hook_secret, NULL);
	if (r < 0) {
		log_error("webhook", "the secret cannot be read",
			LOG_S("path", o->webhook_secret_file), LOG_S("error", strerror(-r)));
		return r;
	}
	settings.secret = s->hook_secret;
	r = hook_start(&settings, &s->hook);
	if (r < 0)
		log_error("webhook", "the webhook cannot start", LOG_S("error", strerror(-r)));
	return r;
}

static void add_faults(struct sandbox *s)
{
	char why[256];

	/* They were tried when the command line was read. */
	for (size_t i = 0; i < s->options->faults.count; i++)
		faults_add(&s->faults, s->options->faults.items[i], why, sizeof why);
}

/* As many connections as the system allows: without a descriptor left evhttp would spin. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof address;

	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		return 0;
	return ntohs(address.ss_family == AF_INET6
			? ((const struct sockaddr_in6 *)(const void *)&address)->sin6_port
			: ((const struct sockaddr_in *)(const void *)&address)->sin_port);
}

static int start_listening(struct sandbox *s)
{
	const struct options *o = s->options;
	struct evhttp_bound_socket *bound;
	const char *bracket = strchr(o->host, ':') ? "[" : "";
	int on = 1, fd;

	s->http = evhttp_new(s->base);
	if (!s->http)
		return -ENOMEM;
	evhttp_set_bevcb(s->http, on_connection, s);
	evhttp_set_gencb(s->http, on_request, s);
	evhttp_set_allowed_methods(s->http, 0xffff);
	evhttp_set_max_body_size(s->http, BODY_MAX);
	evhttp_set_max_headers_size(s->http, HEADERS_MAX);
	evhttp_set_timeout(s->http, IDLE_S);
	bound = evhttp_bind_socket_with_handle(s->http, o->host, o->port);
	if (!bound) {
		log_error("listen", "cannot listen there", LOG_S("host", o->host),
			LOG_I("port", o->port), LOG_S("error", strerror(errno)));
		return -EADDRINUSE;
	}
	/* Accepted sockets inherit it: without it an answer of two TLS records waits for an ACK. */
	fd = evhttp_bound_socket_get_fd(bound);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	printf("ready https://%s%s%s:%u%s\n", bracket, o->host, bracket[0] ? "]" : "", port_of(fd),
		SANDBOX_API);
	return fflush(stdout) == 0 ? 0 : -EIO;
}

static int start_events(struct sandbox *s)
{
	const struct timeval often = {UPKEEP_S, 0};

	s->base = event_base_new();
	s->flush = s->base ? event_new(s->base, -1, 0, on_flush, s) : NULL;
	s->report_turn = s->base ? evtimer_new(s->base, call_report_turn, s) : NULL;
	s->upkeep = s->base ? event_new(s->base, -1, EV_PERSIST, on_upkeep, s) : NULL;
	if (!s->flush || !s->upkeep || !s->report_turn || event_add(s->upkeep, &often) < 0)
		return -ENOMEM;
	return pdf_new(s->base, s->options->pdf_program, &s->pdf);
}

static int start(struct sandbox *s)
{
	int r = start_events(s);

	if (r < 0)
		return r;
	raise_descriptors();
	add_faults(s);
	if (s->options->record)
		r = record_open(s->options->record, &s->record);
	if (r == 0)
		r = open_data(s);
	if (r == 0)
		r = start_hook(s);
	if (r == 0)
		r = schedule_start(
			s, s->options->schedules.items, s->options->schedules.count, &s->schedule);
	event_active(s->upkeep, EV_TIMEOUT, 0);
	log_info("start", "serving", LOG_S("data", s->options->data_dir),
		LOG_I("seed", (int64_t)s->options->seed));
	return r;
}

/* Who has read the ready line may end it in order. */
static int serve(struct sandbox *s)
{
	struct event *term = evsignal_new(s->base, SIGTERM, on_stop, s);
	struct event *interrupt = evsignal_new(s->base, SIGINT, on_stop, s);
	int r = -ENOMEM;

	if (term && interrupt && event_add(term, NULL) == 0 && event_add(interrupt, NULL) == 0)
		r = start_listening(s);
	if (r == 0)
		r = event_base_dispatch(s->base) == 0 ? 0 : -EIO;
	if (term)
		event_free(term);
	if (interrupt)
		event_free(interrupt);
	return r;
}

static void stop(struct sandbox *s)
{
	exchange_drop_all(s);
	if (s->http)
		evhttp_free(s->http);
	if (s->flush)
		event_free(s->flush);
	if (s->upkeep)
		event_free(s->upkeep);
	if (s->report_turn)
		event_free(s->report_turn);
	pdf_free(s->pdf);
	hook_stop(s->hook);
	schedule_free(s->schedule);
	if (s->base)
		event_base_free(s->base);
	file_secret_free(s->hook_secret);
	SSL_CTX_free(s->ctx);
	keys_done(&s->keys);
	faults_done(&s->faults);
	strmap_done(&s->running);
	db_close(&s->db);
	if (s->record)
		fclose(s->record);
}

int sandbox_run(const struct options *options)
{
	struct sandbox sandbox = {.options = options, .db.lock_fd = -1};
	int r;

	sandbox.done_end = &sandbox.done;
	keys_init(
		&sandbox.keys, options->counting, options->plan, options->window_ms, options->seed);
	faults_init(&sandbox.faults, options->seed);
	strmap_init(&sandbox.running, options->seed);
	signal(SIGPIPE, SIG_IGN);
	/* A file at its size limit is like a full disk: an error, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	r = start(&sandbox);
	if (r == 0)
		r = serve(&sandbox);
	stop(&sandbox);
	curl_global_cleanup();
	return r < 0 ? 1 : 0;
}
