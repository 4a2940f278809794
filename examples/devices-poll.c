/*
 * Devices and users at the same time, on a loop of one's own: devices-poll [--url BASE_URL] [--ca FILE]
 *
 * What a program does that has a loop already, be it poll(2) as here, epoll, libevent or GLib: it gives
 * the library two functions, one to watch a descriptor and one to set a timer, and tells it what they
 * saw. Prints how many devices and users there are. Exit: 0 done, 1 not, 2 usage.
 *
 * The key is in the file that PUNCH_API_KEY_FILE names.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <punch-api.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FDS 32 /* the library uses about as many as it has connections */

/* ---- the loop */

struct loop {
	struct pollfd fds[FDS];
	nfds_t count;
	int64_t due_ms; /* of the library's timer; -1: none */
	struct api_transport *transport;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* What the library calls. */
static int watch(void *arg, int fd, int events)
{
	struct loop *loop = arg;
	nfds_t i = 0;

	while (i < loop->count && loop->fds[i].fd != fd)
		i++;
	if (events == 0) {
		if (i < loop->count)
			loop->fds[i] = loop->fds[--loop->count];
		return 0;
	}
	if (i == FDS)
		return -ENOSPC;
	if (i == loop->count)
		loop->count++;
	loop->fds[i].fd = fd;
	loop->fds[i].revents = 0;
	loop->fds[i].events = (short)((events & API_FD_IN ? POLLIN : 0) |
		(events & API_FD_OUT ? POLLOUT : 0));
	return 0;
}

static int set_timer(void *arg, int64_t delay_ms)
{
	struct loop *loop = arg;

	loop->due_ms = delay_ms < 0 ? -1 : now_ms() + delay_ms;
	return 0;
}

/* What watch() changes while the library is told: each is told once, and then sought anew. */
static void tell_ready(struct loop *loop)
{
	for (nfds_t i = 0; i < loop->count;) {
		short what = loop->fds[i].revents;

		if (what == 0) {
			i++;
			continue;
		}
		loop->fds[i].revents = 0;
		api_curl_on_fd(loop->transport, loop->fds[i].fd,
			(what & (POLLIN | POLLHUP | POLLERR) ? API_FD_IN : 0) |
				(what & POLLOUT ? API_FD_OUT : 0));
		i = 0;
	}
}

static void turn(struct loop *loop)
{
	int64_t left_ms = loop->due_ms < 0 ? -1 : loop->due_ms - now_ms();

	if (loop->due_ms >= 0 && left_ms < 0)
		left_ms = 0;
	if (poll(loop->fds, loop->count, (int)left_ms) > 0)
		tell_ready(loop);
	if (loop->due_ms >= 0 && now_ms() >= loop->due_ms) {
		loop->due_ms = -1;
		api_curl_on_timer(loop->transport);
	}
}

/* ---- two calls side by side */

struct list {
	const char *name;
	int ended, done;
};

static void on_list(void *arg, const struct api_reply *reply)
{
	struct list *list = arg;
	const json_t *total = json_object_get(reply->meta, "total"); /* of pages */

	list->ended = 1;
	list->done = reply->outcome == API_DONE;
	if (list->done)
		printf("%s: %lld\n", list->name,
			total ? (long long)json_integer_value(total)
			      : (long long)json_array_size(reply->data));
	else
		fprintf(stderr, "devices-poll: %s: %s: %s\n", list->name,
			api_outcome_name(reply->outcome), reply->message);
}

static int ask(struct loop *loop, struct api_client *client)
{
	struct list devices = {.name = "devices"}, users = {.name = "users"};

	if (api_devices_list(client, on_list, &devices) < 0 ||
		api_users_list(client, 1, 0, on_list, &users) < 0)
		return 1;
	while (!devices.ended || !users.ended)
		turn(loop);
	return devices.done && users.done ? 0 : 1;
}

static int read_key(char *key, size_t size)
{
	const char *path = getenv("PUNCH_API_KEY_FILE");
	FILE *file = path ? fopen(path, "r") : NULL;
	int found = file && fgets(key, (int)size, file) != NULL;

	if (file)
		fclose(file);
	if (found)
		key[strcspn(key, "\r\n")] = '\0';
	return found;
}

static int run(const struct api_settings *settings, const struct api_curl_settings *network)
{
	struct loop loop = {.due_ms = -1};
	const struct api_loop calls = {.arg = &loop, .watch = watch, .timer = set_timer};
	struct api_client *client;
	char key[4098] = "";
	int r;

	if (!read_key(key, sizeof key)) {
		fprintf(stderr, "devices-poll: PUNCH_API_KEY_FILE names no file with a key\n");
		return 1;
	}
	r = api_curl_new(network, &calls, &loop.transport);
	if (r == 0) /* which takes the transport, in any case */
		r = api_client_new(settings, NULL, loop.transport, &client);
	if (r < 0) {
		fprintf(stderr, "devices-poll: --url or --ca: %s\n", strerror(-r));
		return 1;
	}
	r = api_client_set_key(client, key) < 0 || ask(&loop, client);
	api_client_free(client); /* calls back for what still runs */
	return r;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"url", required_argument, NULL, 'u'}, {"ca", required_argument, NULL, 'c'}, {0}};
	struct api_settings settings = {.base_url = "https://api.bthdevelopers.com/v1"};
	struct api_curl_settings network = {.user_agent = "devices-poll"};
	int option;

	signal(SIGPIPE, SIG_IGN);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'u': settings.base_url = optarg; break;
		case 'c': network.ca_file = optarg; break;
		default: return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "usage: devices-poll [--url BASE_URL] [--ca FILE]\n");
		return 2;
	}
	return run(&settings, &network);
}
