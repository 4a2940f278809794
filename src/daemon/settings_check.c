/* What only the machine can tell of settings: zones and files that they name. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/zone.h"
#include "daemon/settings.h"

#define PATH_SIZE   4096
#define CA_FILE_MAX ((size_t)4 * 1024 * 1024)

/* ---- zones */

/* Returns whether the system knows it, or -ENOMEM. */
static int zone_exists(const char *name)
{
	struct zone *zone = NULL;
	int r = zone_load(name, &zone);

	zone_free(zone);
	return r == -ENOMEM ? r : r == 0;
}

static int check_terminals(const struct config *c, struct buf *faults)
{
	const struct config_terminal *one;
	size_t pos = 0;
	int r = 1;

	while (r >= 0 && (one = config_terminals_next(&c->terminals, &pos, NULL))) {
		const struct config_origin *at = config_terminal_origin(one, "time_zone");

		r = one->time_zone[0] ? zone_exists(one->time_zone) : 1;
		if (r == 0)
			config_fault_at(faults, at->file, at->line,
				"time_zone: `%s` is no zone that this system knows",
				one->time_zone);
	}
	return r < 0 ? r : 0;
}

static int check_zones(const struct config *c, struct buf *faults)
{
	int r = zone_exists(c->site.time_zone);

	if (r == 0)
		config_fault(c, "site", "time_zone", faults,
			"`%s` is no zone that this system knows", c->site.time_zone);
	return r < 0 ? r : check_terminals(c, faults);
}

/* ---- files that are read */

static bool has_certificate(const char *text, size_t n)
{
	BIO *bio = BIO_new_mem_buf(text, (int)n);
	X509 *one = bio ? PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL) : NULL;

	X509_free(one);
	BIO_free(bio);
	ERR_clear_error();
	return one != NULL;
}

static int check_ca(const struct config *c, struct buf *faults)
{
	const char *path = c->api.ca_file;
	struct buf text;
	int r;

	if (!path[0])
		return 0;
	buf_init(&text, CA_FILE_MAX);
	r = file_read(path, &text, NULL);
	if (r < 0 && r != -ENOMEM)
		config_fault(c, "api", "ca_file", faults, "%s: %s", path,
			r == -E2BIG ? "more than 4 MiB" : settings_file_words(r));
	else if (r == 0 && !has_certificate(text.data, text.len))
		config_fault(
			c, "api", "ca_file", faults, "%s: it holds no certificate in PEM", path);
	buf_done(&text);
	return r == -ENOMEM ? r : 0;
}

static int check_password(const struct config *c, struct buf *faults)
{
	char words[SETTINGS_WORDS_MAX], *password = NULL;
	int r = settings_password(c, &password, words);

	if (r < 0 && r != -ENOMEM)
		config_fault(c, "mqtt", "password_file", faults, "%s", words);
	file_secret_free(password);
	return r == -ENOMEM ? r : 0;
}

static int check_webhook(const struct config *c, struct buf *faults)
{
	struct settings_webhook webhook;
	int r = settings_webhook(c, &webhook, faults);

	settings_webhook_done(&webhook);
	return r;
}

static int check_profiles(const struct config *c, struct buf *faults)
{
	size_t before = faults->len;
	struct profile_set set;
	int r = settings_profiles(c, &set, faults);

	if (r == 0 && faults->len == before && !set.native && set.count == 0)
		config_fault(
			c, "mqtt", "profiles", faults, "it names none: nothing would be heard");
	profile_set_done(&set);
	return r;
}

/* ---- files that are made */

/* The folder that a file lies in. */
static const char *folder_of(const char *path, char to[static PATH_SIZE])
{
	const char *slash = strrchr(path, '/');

	snprintf(to, PATH_SIZE, "%.*s", slash > path ? (int)(slash - path) : 1, path);
	return to;
}

/* What stands there for good and can never become this file. */
static void check_place(const struct config *c, const char *section, const char *name,
	const char *path, struct buf *faults)
{
	char folder[PATH_SIZE];
	struct stat st;

	if (path[strlen(path) - 1] == '/' || (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)))
		config_fault(c, section, name, faults, "`%s` is a folder: name a file in it", path);
	else if (stat(folder_of(path, folder), &st) == 0 && !S_ISDIR(st.st_mode))
		config_fault(c, section, name, faults, "`%s` is no folder", folder);
}

static void check_places(const struct config *c, struct buf *faults)
{
	struct stat st;

	check_place(c, "store", "path", c->store.path, faults);
	check_place(c, "control", "socket", c->control.socket, faults);
	if (lstat(c->store.path, &st) == 0 && S_ISLNK(st.st_mode))
		config_fault(c, "store", "path", faults,
			"`%s` is a symbolic link: name the file itself", c->store.path);
}

int settings_check(const struct config *c, struct buf *faults)
{
	int r;

	config_check(c, faults);
	check_places(c, faults);
	r = check_zones(c, faults);
	if (r == 0)
		r = check_password(c, faults);
	if (r == 0)
		r = check_ca(c, faults);
	if (r == 0)
		r = check_webhook(c, faults);
	return r < 0 ? r : check_profiles(c, faults);
}

/* ---- what may yet come, but is not there now */

/* systemd makes these before punchd starts; others only a person makes. */
static bool is_made_at_start(const char *folder)
{
	return strcmp(folder, "/run/punchd") == 0 || strcmp(folder, "/var/lib/punchd") == 0;
}

static void foresee_folder(const struct config *c, const char *section, const char *name,
	const char *path, struct buf *warnings)
{
	char folder[PATH_SIZE];
	struct stat st;

	if (is_made_at_start(folder_of(path, folder)) || stat(folder, &st) == 0 || errno != ENOENT)
		return;
	config_fault(c, section, name, warnings,
		"warning: there is no folder %s; punchd does not start without it", folder);
}

void settings_foresee(const struct config *c, struct buf *warnings)
{
	foresee_folder(c, "store", "path", c->store.path, warnings);
	foresee_folder(c, "control", "socket", c->control.socket, warnings);
}
