#include "daemon/settings.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/zone.h"
#include "core/config_road.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define PATH_SIZE      4096
#define KEY_FALLBACK   "/etc/punchd/api.key"

/* Makes our client id ours: another program derives another from the same machine id. */
static const uint8_t client_id_app[16] = {0x5e, 0x0f, 0x1c, 0x9a, 0x73, 0x42, 0x4d, 0x11, 0x9b,
	0x2e, 0x60, 0xd4, 0x8a, 0x37, 0xf1, 0x06};

static int read_one(struct config *c, const char *path, struct buf *faults)
{
	struct buf text;
	int r;

	buf_init(&text, FILE_MAX_BYTES);
	r = file_read(path, &text, NULL);
	if (r == 0)
		r = config_read(c, path, text.data, text.len, faults);
	else if (r == -E2BIG)
		buf_addf(faults, "%s:1: more than 1 MiB\n", path);
	else if (r != -ENOMEM)
		buf_addf(faults, "%s:1: cannot be read: %s\n", path, strerror(-r));
	buf_done(&text);
	return r == -ENOMEM ? r : 0;
}

static int is_conf(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_folder(struct config *c, const char *file, struct buf *faults)
{
	const char *slash = strrchr(file, '/');
	struct dirent **entries = NULL;
	char folder[PATH_SIZE], path[PATH_SIZE + 300];
	int n, r = 0;

	snprintf(folder, sizeof folder, "%.*sconf.d", slash ? (int)(slash - file + 1) : 0, file);
	n = scandir(folder, &entries, is_conf, by_name);
	if (n < 0 && errno != ENOENT)
		buf_addf(faults, "%s:1: cannot be read: %s\n", folder, strerror(errno));
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		if (r == 0)
			r = read_one(c, path, faults);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* ---- profiles */

static int add_profile(
	const struct config *c, const char *name, struct profile_set *set, struct buf *faults)
{
	const char *folders[] = {c->mqtt.profile_dir, PUNCHD_PROFILES};
	char path[PATH_SIZE];
	struct buf text;
	int r = -ENOENT;

	buf_init(&text, PROFILE_FILE_MAX);
	for (size_t i = 0; i < 2 && r == -ENOENT; i++) {
		snprintf(path, sizeof path, "%s/%s.json", folders[i], name);
		r = file_read(path, &text, NULL);
	}
	if (r == 0)
		r = profile_set_add(set, name, path, text.data, text.len, faults);
	else if (r == -ENOENT)
		config_fault(c, "mqtt", "profiles", faults,
			"there is no profile `%s` in %s, nor in " PUNCHD_PROFILES, name,
			c->mqtt.profile_dir);
	else if (r != -ENOMEM)
		config_fault(c, "mqtt", "profiles", faults, "%s: %s", path,
			r == -E2BIG ? "more than 256 KiB" : strerror(-r));
	buf_done(&text);
	return r == -ENOMEM ? r : 0;
}

int settings_profiles(const struct config *c, struct profile_set *ret, struct buf *faults)
{
	char *names = strdup(c->mqtt.profiles), *rest = names, *name;
	int r = names ? 0 : -ENOMEM;

	*ret = (struct profile_set){.count = 0};
	while (r == 0 && (name = strsep(&rest, " \t"))) {
		if (strcmp(name, "native") == 0)
			ret->native = true;
		else if (strchr(name, '/'))
			config_fault(c, "mqtt", "profiles", faults, "`%s` is no name", name);
		else if (name[0])
			r = add_profile(c, name, ret, faults);
	}
	free(names);
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

static int check_terminals(const struct config *c, struct buf *faults)
{
	const struct config_terminal *one;
	struct zone *zone;
	size_t pos = 0;
	int r;

	while ((one = config_terminals_next(&c->terminals, &pos, NULL))) {
		if (!one->time_zone[0])
			continue;
		zone = NULL;
		r = zone_load(one->time_zone, &zone);
		zone_free(zone);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			buf_addf(faults,
				"%s:%d: time_zone: `%s` is no zone that this system knows\n",
				one->file, one->line, one->time_zone);
	}
	return 0;
}

/* What only the machine can tell: names of zones, files that are named. */
static int check_files(const struct config *c, struct buf *faults)
{
	char words[SETTINGS_WORDS_MAX], *password = NULL;
	struct zone *zone = NULL;
	int r = zone_load(c->site.time_zone, &zone);

	zone_free(zone);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		config_fault(c, "site", "time_zone", faults,
			"`%s` is no zone that this system knows", c->site.time_zone);
	r = check_terminals(c, faults);
	if (settings_password(c, &password, words) < 0)
		config_fault(c, "mqtt", "password_file", faults, "%s", words);
	file_secret_free(password);
	if (c->api.ca_file[0] && access(c->api.ca_file, R_OK) < 0)
		config_fault(
			c, "api", "ca_file", faults, "%s: %s", c->api.ca_file, strerror(errno));
	return r;
}

int settings_read(struct config *c, const char *file, struct buf *faults)
{
	int r = config_init(c);

	if (r == 0)
		r = read_one(c, file, faults);
	if (r == 0)
		r = read_folder(c, file, faults);
	if (r == 0) {
		config_check(c, faults);
		r = check_files(c, faults);
		if (r == 0)
			r = check_profiles(c, faults);
	}
	return r;
}

const char *settings_key_path(const struct config *c, char *to, size_t size)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");

	snprintf(to, size, "%s", KEY_FALLBACK);
	if (c->api.key_file[0]) {
		snprintf(to, size, "%s", c->api.key_file);
	} else if (credentials) {
		char path[PATH_SIZE];

		snprintf(path, sizeof path, "%s/api.key", credentials);
		if (access(path, F_OK) == 0)
			snprintf(to, size, "%s", path);
	}
	return to;
}

static const char *secret_error(int error)
{
	switch (error) {
	case -ENOENT: return "there is no such file";
	case -ENODATA: return "the file is empty";
	case -EBADMSG: return "the file holds more than one line, or control characters";
	case -E2BIG: return "the file is over 4 KiB";
	case -EINVAL: return "it is no regular file";
	default: return strerror(-error);
	}
}

static int read_secret(const char *path, char **ret, char ret_words[static SETTINGS_WORDS_MAX])
{
	mode_t mode = 0;
	int r = file_read_secret(path, ret, &mode);

	ret_words[0] = '\0';
	if (r < 0)
		snprintf(ret_words, SETTINGS_WORDS_MAX, "%s: %s", path, secret_error(r));
	else if (mode & 077)
		snprintf(ret_words, SETTINGS_WORDS_MAX,
			"%s: others can read it (mode %04o): chmod 600", path, (unsigned)mode);
	return r;
}

char *settings_key(const struct config *c, char ret_words[static SETTINGS_WORDS_MAX])
{
	char path[PATH_SIZE], *key = NULL;

	settings_key_path(c, path, sizeof path);
	return read_secret(path, &key, ret_words) == 0 ? key : NULL;
}

int settings_password(
	const struct config *c, char **ret_password, char ret_words[static SETTINGS_WORDS_MAX])
{
	*ret_password = NULL;
	ret_words[0] = '\0';
	if (!c->mqtt.password_file[0])
		return 0;
	return read_secret(c->mqtt.password_file, ret_password, ret_words);
}

const char *settings_proxy(const struct config *c)
{
	if (!c->api.proxy[0])
		return NULL;
	return strcmp(c->api.proxy, CONFIG_NO_PROXY) == 0 ? "" : c->api.proxy;
}

int settings_client_id(const struct config *c, char *to, size_t size)
{
	char hex[sizeof(sd_id128_t) * 2 + 1];
	sd_id128_t app, machine;
	int r;

	if (c->mqtt.client_id[0]) {
		snprintf(to, size, "%s", c->mqtt.client_id);
		return 0;
	}
	memcpy(app.bytes, client_id_app, sizeof app.bytes);
	r = sd_id128_get_machine_app_specific(app, &machine);
	if (r < 0)
		return r;
	snprintf(to, size, "punchd-%.12s", hex_encode(machine.bytes, sizeof machine.bytes, hex));
	return 0;
}

const char *settings_site(const struct config *c, char *to, size_t size)
{
	if (c->site.name[0])
		snprintf(to, size, "%s", c->site.name);
	else if (gethostname(to, size) < 0 || !to[0])
		snprintf(to, size, "punchd");
	to[size - 1] = '\0';
	return to;
}
