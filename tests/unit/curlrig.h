/*
 * What the tests of api/curl share: a transport on a loop of poll(2), a server that plays a script,
 * and requests whose ends are noted.
 */
#ifndef PUNCHD_TESTS_CURLRIG_H
#define PUNCHD_TESTS_CURLRIG_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/curl.h"
#include "tlsserver.h"

#define KEY      "sk_live_SECRET"
#define SHORT_MS 250   /* where the time-out is what is tried */
#define LONG_MS  20000 /* where it must not be */

struct rig {
	struct pollfd fds[64];
	nfds_t fd_count;
	int64_t due_us; /* of the timer; -1: none */
	bool loop_is_broken;
	struct api_transport *transport;
	struct tls_server *server;
	struct tls_ca *ca;
	char dir[64];
	char ca_path[80];
	char url[128];
	int done_count; /* requests that have ended */
};

extern struct rig rig;
extern const struct api_loop rig_loop;

/* What came of a request. body is the test's to free. */
struct seen {
	int calls;
	enum api_fate fate;
	int status;
	struct api_headers headers;
	char *body;
	size_t body_length;
	bool body_cut;
	char trouble[512];
	struct seen *then; /* sent from inside the callback, as "then" */
};

void rig_new_transport(int64_t timeout_ms, int max_connections, const char *ca_file);
void rig_serve(const struct tls_server_settings *settings);

/* What is 0 or NULL is the rig's own; its CA, where neither file nor directory is named. */
void rig_new_transport_with(struct api_curl_settings settings);

/* A sound server, and a transport that trusts it. */
void rig_play(tls_script *script);

void rig_on_answered(void *arg, const struct api_answer *answer);
void rig_submit_to(const char *url, struct seen *seen, const char *idempotency_key);
void rig_submit(struct seen *seen, const char *idempotency_key);
void rig_run_once(void);

/* Run until so many have ended. */
void rig_run_until(int count);

/* One request under the key "one", to its end; without its body. */
struct seen rig_one(void);

int rig_begin_group(void **state);
int rig_end_group(void **state);
int rig_end(void **state);

#define RIG_CASE(name) cmocka_unit_test_teardown(name, rig_end)

#endif
