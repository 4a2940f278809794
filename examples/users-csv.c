/*
 * All users as CSV on standard output: users-csv [--url BASE_URL] [--ca FILE] >users.csv
 *
 * The key is in the file that PUNCH_API_KEY_FILE names. Exit: 0 done, 1 not, 2 usage.
 */
#include <getopt.h>
#include <inttypes.h>
#include <punch-api.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 100

/* ---- the key, which never stands on a command line */

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

/* ---- CSV: RFC 4180, and no cell that a spreadsheet would reckon out */

static int is_formula(const char *text)
{
	/* A phone number is none. */
	if (text[0] == '+' && text[1] && text[1 + strspn(text + 1, "0123456789")] == '\0')
		return 0;
	return text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
}

static void put_cell(const char *text, char end)
{
	int quoted = is_formula(text) || strpbrk(text, ",\"\r\n");

	if (quoted)
		putchar('"');
	if (is_formula(text))
		putchar('\'');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	if (quoted)
		putchar('"');
	if (end == '\n')
		putchar('\r');
	putchar(end);
}

static const char *const columns[] = {
	"id", "name", "email", "phone", "department", "created_at", "updated_at"};
#define COLUMNS (sizeof columns / sizeof columns[0])

static void put_user(const json_t *user)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		const char *text = json_string_value(json_object_get(user, columns[i]));

		put_cell(text ? text : "", i + 1 < COLUMNS ? ',' : '\n');
	}
}

/* ---- the pages */

/* One page, as soon as the API has room for it; NULL where there is none to be had. */
static const struct api_reply *get_page(struct api_sync *api, int64_t offset)
{
	const struct api_reply *reply;
	int r;

	do {
		r = api_sync_room(api, API_CALL_USERS, -1);
		if (r == 0)
			r = api_sync_users_list(api, PAGE, offset, &reply);
		if (r < 0) {
			fprintf(stderr, "users-csv: %s\n", strerror(-r));
			return NULL;
		}
	} while (reply->outcome == API_RATE_LIMITED); /* others use the key, too */
	if (reply->outcome == API_DONE)
		return reply;
	fprintf(stderr, "users-csv: %s: %s\n", api_outcome_name(reply->outcome), reply->message);
	return NULL;
}

/* What comes decides how it goes on: a server may give less at once than is asked for. */
static int list(struct api_sync *api)
{
	int64_t offset = 0, total = -1;
	size_t came;

	do {
		const struct api_reply *page = get_page(api, offset);
		const json_t *count = page ? json_object_get(page->meta, "total") : NULL;

		if (!page)
			return 0;
		if (total >= 0 && json_integer_value(count) != total) {
			fprintf(stderr,
				"users-csv: the list changed while it was read: run it "
				"again\n");
			return 0;
		}
		total = json_integer_value(count);
		came = json_array_size(page->data);
		for (size_t i = 0; i < came; i++)
			put_user(json_array_get(page->data, i));
		offset += (int64_t)came;
	} while (came > 0 && offset < total);
	return 1;
}

static int run(const struct api_settings *settings, const struct api_curl_settings *network)
{
	char key[4098] = "";
	struct api_sync *api;
	int r, done;

	if (!read_key(key, sizeof key)) {
		fprintf(stderr, "users-csv: PUNCH_API_KEY_FILE names no file with a key\n");
		return 1;
	}
	r = api_sync_new(settings, network, key, &api);
	if (r < 0) {
		fprintf(stderr, "users-csv: --url or --ca: %s\n", strerror(-r));
		return 1;
	}
	for (size_t i = 0; i < COLUMNS; i++)
		put_cell(columns[i], i + 1 < COLUMNS ? ',' : '\n');
	done = list(api);
	api_sync_free(api);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("users-csv: standard output");
		return 1;
	}
	return done ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"url", required_argument, NULL, 'u'}, {"ca", required_argument, NULL, 'c'}, {0}};
	struct api_settings settings = {.base_url = "https://api.bthdevelopers.com/v1"};
	struct api_curl_settings network = {.user_agent = "users-csv"};
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
		fprintf(stderr, "usage: users-csv [--url BASE_URL] [--ca FILE]\n");
		return 2;
	}
	return run(&settings, &network);
}
