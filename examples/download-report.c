/*
 * Download a report: download-report [--url BASE_URL] [--ca FILE] [--user ID] [--department NAME]
 *                                    json|csv|pdf FIRST_DAY LAST_DAY FILE
 *
 * It goes to FILE as it comes, never held whole, under a name of its own until it is there: FILE is the
 * whole report or what it was before. Exit: 0 done, 1 not, 2 usage.
 *
 * The key is in the file that PUNCH_API_KEY_FILE names.
 */
#include <errno.h>
#include <getopt.h>
#include <punch-api.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ---- the file */

struct target {
	const char *path;
	char part[4096]; /* what it is called until it is whole */
	int fd;
	int error; /* an errno */
};

static int open_target(struct target *t)
{
	int n = snprintf(t->part, sizeof t->part, "%s.XXXXXX", t->path);

	if (n < 0 || (size_t)n >= sizeof t->part)
		return -ENAMETOOLONG;
	t->fd = mkstemp(t->part);
	return t->fd < 0 ? -errno : 0;
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, data, length);

		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0) {
			data += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

/* A full disk ends the download. */
static enum api_take on_chunk(void *arg, const char *data, size_t length)
{
	struct target *t = arg;

	t->error = write_all(t->fd, data, length);
	return t->error ? API_TAKE_STOP : API_TAKE_MORE;
}

/* On the disk first, then under its name. */
static int keep_target(struct target *t)
{
	int r = fsync(t->fd) < 0 || rename(t->part, t->path) < 0 ? -errno : 0;

	close(t->fd);
	if (r < 0)
		unlink(t->part);
	return r;
}

static void drop_target(struct target *t)
{
	close(t->fd);
	unlink(t->part);
}

/* ---- the report */

static int complain(int error, const char *what)
{
	fprintf(stderr, "download-report: %s: %s\n", what, strerror(error));
	return 1;
}

/* Only API_DONE says that all of it came. */
static int take_end(struct target *t, const struct api_reply *reply)
{
	int r;

	if (reply->outcome == API_DONE) {
		r = keep_target(t);
		return r < 0 ? complain(-r, t->path) : 0;
	}
	drop_target(t);
	if (t->error)
		return complain(t->error, t->path);
	fprintf(stderr, "download-report: %s: %s%s%s\n", api_outcome_name(reply->outcome),
		reply->message, reply->param[0] ? ": " : "", reply->param);
	return 1;
}

static int download(struct api_sync *api, const struct api_report_query *q, struct target *t)
{
	const struct api_reply *reply;
	int r = api_sync_room(api, API_CALL_REPORT, -1);

	if (r == 0)
		r = open_target(t);
	if (r < 0)
		return complain(-r, t->path);
	r = api_sync_report_get(api, q, on_chunk, t, &reply);
	if (r == 0)
		return take_end(t, reply);
	drop_target(t);
	return complain(-r, "the report");
}

static int run(const struct api_settings *settings, const struct api_curl_settings *network,
	const struct api_report_query *q, const char *path)
{
	struct target target = {.path = path};
	char key[4098] = "";
	struct api_sync *api;
	int r;

	if (!read_key(key, sizeof key)) {
		fprintf(stderr, "download-report: PUNCH_API_KEY_FILE names no file with a key\n");
		return 1;
	}
	r = api_sync_new(settings, network, key, &api);
	if (r < 0)
		return complain(-r, "--url or --ca");
	r = download(api, q, &target);
	api_sync_free(api);
	return r;
}

static int read_format(const char *name, enum api_format *ret)
{
	for (*ret = API_FORMAT_JSON; *ret <= API_FORMAT_PDF; (*ret)++)
		if (strcmp(name, api_format_name(*ret)) == 0)
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"url", required_argument, NULL, 'u'},
		{"ca", required_argument, NULL, 'c'}, {"user", required_argument, NULL, 'U'},
		{"department", required_argument, NULL, 'd'}, {0}};
	struct api_settings settings = {.base_url = "https://api.bthdevelopers.com/v1"};
	struct api_curl_settings network = {.user_agent = "download-report"};
	struct api_report_query q = {0};
	int option;

	signal(SIGPIPE, SIG_IGN);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'u': settings.base_url = optarg; break;
		case 'c': network.ca_file = optarg; break;
		case 'U': q.user_id = optarg; break;
		case 'd': q.department = optarg; break;
		default: return 2;
		}
	}
	argv += optind;
	if (argc - optind != 4 || !read_format(argv[0], &q.format)) {
		fprintf(stderr,
			"usage: download-report [--url BASE_URL] [--ca FILE] [--user ID] "
			"[--department NAME] json|csv|pdf FIRST_DAY LAST_DAY FILE\n");
		return 2;
	}
	q.start_date = argv[1];
	q.end_date = argv[2];
	return run(&settings, &network, &q, argv[3]);
}
