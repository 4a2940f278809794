#include "terminal/raw.h"

#include <signal.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "terminal/link.h"

#define PAYLOAD_MAX (256 << 20)
#define WAIT_S      30

struct raw {
	const struct options *options;
	struct event_base *base;
	struct link *link;
	struct buf payload;
	int mid;
	bool sent;
};

static void on_up(void *arg)
{
	struct raw *r = arg;

	if (link_publish(r->link, r->options->topic, r->payload.data, r->payload.len,
		    (int)r->options->qos, r->options->retain, &r->mid) == 0)
		return;
	log_error("raw", "this cannot be published", LOG_S("topic", r->options->topic));
	event_base_loopbreak(r->base);
}

static void on_down(void *arg, const char *words)
{
	struct raw *r = arg;

	log_error("not_connected", words, LOG_S("host", r->options->host),
		LOG_I("port", r->options->port));
	event_base_loopbreak(r->base);
}

static void on_message(void *arg, const char *topic, const void *payload, size_t length)
{
	(void)arg;
	(void)topic;
	(void)payload;
	(void)length;
}

static void on_published(void *arg, int mid)
{
	struct raw *r = arg;

	if (mid != r->mid)
		return;
	r->sent = true;
	event_base_loopbreak(r->base);
}

static bool build(struct raw *r, const char *password)
{
	const struct options *o = r->options;
	int error = file_read(o->raw_file, &r->payload, NULL);

	if (error < 0) {
		log_error("raw", "cannot read it", LOG_S("file", o->raw_file),
			LOG_S("error", strerror(-error)));
		return false;
	}
	r->base = event_base_new();
	if (r->base)
		r->link = link_new(r->base,
			&(struct link_settings){
				.host = o->host,
				.port = (int)o->port,
				.keepalive_s = (int)(o->keepalive_ms / 1000),
				.username = o->username,
				.password = password,
				.ca_file = o->ca_file,
			},
			&(struct link_events){.arg = r,
				.up = on_up,
				.down = on_down,
				.message = on_message,
				.published = on_published});
	return r->link != NULL;
}

int raw_run(const struct options *o, const char *password)
{
	struct raw r = {.options = o};
	int64_t wait_ms = o->timeout_ms ? o->timeout_ms : WAIT_S * 1000;

	buf_init(&r.payload, PAYLOAD_MAX);
	if (build(&r, password)) {
		event_base_loopexit(r.base,
			&(struct timeval){
				.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000});
		link_connect(r.link);
		event_base_dispatch(r.base);
		link_close(r.link, clock_now().mono_us + CLOCK_US_PER_S);
	}
	link_free(r.link);
	if (r.base)
		event_base_free(r.base);
	buf_done(&r.payload);
	printf("sent=%d\n", r.sent);
	return r.sent ? 0 : 1;
}
