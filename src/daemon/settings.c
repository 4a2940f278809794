#include "daemon/settings.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "core/config_road.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define PATH_SIZE      4096
#define KEY_FALLBACK   "/etc/punchd/api.key"

/* Makes our client id ours: another program derives another from the same machine id. */
static const uint8_t client_id_app[16] = {0x5e, 0x0f, 0x1c, 0x9a, 0x73, 0x42, 0x4d, 0x11, 0x9b,
	0x2e, 0x60, 0xd4, 0x8a, 0x37, 0xf1, 0x06};

const char *settings_file_words(int error)
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

static int read_one(struct config *c, const char *path, struct buf *faults)
{
	struct buf text;
	int r;

	buf_init(&text, FILE_MAX_BYTES);
	r = file_read(path, &text, NULL);
	if (r == 0)
		r = config_read(c, path, text.data, text.len, faults);
	else if (r == -E2BIG)
		config_fault_at(faults, path, 1, "more than 1 MiB");
	else if (r != -ENOMEM)
		config_fault_at(faults, path, 1, "cannot be read: %s", settings_file_words(r));
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

/* conf.d beside the file. */
static const char *folder_beside(const char *file, char to[static PATH_SIZE])
{
	const char *slash = strrchr(file, '/');

	snprintf(to, PATH_SIZE, "%.*sconf.d", slash ? (int)(slash - file + 1) : 0, file);
	return to;
}

static int read_folder(struct config *c, const char *file, struct buf *faults)
{
	struct dirent **entries = NULL;
	char folder[PATH_SIZE], path[PATH_SIZE + 300];
	int n, r = 0;

	folder_beside(file, folder);
	n = scandir(folder, &entries, is_conf, by_name);
	if (n < 0 && errno != ENOENT)
		config_fault_at(faults, folder, 1, "cannot be read: %s", strerror(errno));
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

/* What is wrong in a profile, behind the line of the settings that asks for it. */
static void tell_profile(const struct config *c, char *told, struct buf *faults)
{
	char *line;

	while ((line = strsep(&told, "\n"))) {
		if (line[0])
			config_fault(c, "mqtt", "profiles", faults, "%s", line);
	}
}

static int take_profile(const struct config *c, const char *name, const char *path,
	const struct buf *text, struct profile_set *set, struct buf *faults)
{
	struct buf told;
	int r;

	buf_init(&told, SETTINGS_FAULTS_MAX);
	r = profile_set_add(set, name, path, text->data, text->len, &told);
	if (r == 0)
		tell_profile(c, told.data, faults);
	buf_done(&told);
	return r;
}

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
		r = take_profile(c, name, path, &text, set, faults);
	else if (r == -ENOENT)
		config_fault(c, "mqtt", "profiles", faults,
			"there is no profile `%s` in %s, nor in " PUNCHD_PROFILES, name,
			c->mqtt.profile_dir);
	else if (r != -ENOMEM)
		config_fault(c, "mqtt", "profiles", faults, "%s: %s", path,
			r == -E2BIG ? "more than 256 KiB" : settings_file_words(r));
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
			config_fault(c, "mqtt", "profiles", faults,
				"`%s` is no profile's name: the file is NAME.json in profile_dir",
				name);
		else if (name[0])
			r = add_profile(c, name, ret, faults);
	}
	free(names);
	return r;
}

/* ---- have they changed? */

static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < n; i++)
		h = (h ^ at[i]) * 0x100000001b3ULL; /* FNV-1a */
	return h;
}

static uint64_t mix_file(uint64_t h, const char *path)
{
	struct stat st = {.st_size = 0};

	if (stat(path, &st) < 0)
		return mix(h, "", 1);
	h = mix(h, &st.st_ino, sizeof st.st_ino);
	h = mix(h, &st.st_size, sizeof st.st_size);
	h = mix(h, &st.st_mtim.tv_sec, sizeof st.st_mtim.tv_sec);
	return mix(h, &st.st_mtim.tv_nsec, sizeof st.st_mtim.tv_nsec);
}

uint64_t settings_fingerprint(const char *file)
{
	struct dirent **entries = NULL;
	char folder[PATH_SIZE], path[PATH_SIZE + 300];
	uint64_t h = mix_file(0xcbf29ce484222325ULL, file);
	int n = scandir(folder_beside(file, folder), &entries, is_conf, by_name);

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		h = mix_file(mix(h, entries[i]->d_name, strlen(entries[i]->d_name) + 1), path);
		free(entries[i]);
	}
	free(entries);
	return h;
}

/* ---- all of it */

int settings_read(struct config *c, const char *file, struct buf *faults)
{
	int r = config_init(c);

	if (r == 0)
		r = read_one(c, file, faults);
	if (r == 0)
		r = read_folder(c, file, faults);
	return r < 0 ? r : settings_check(c, faults);
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

/* systemd guards the folder; the mode of what is in it may be the mask of an access list. */
static bool is_credential(const char *path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	size_t n = folder ? strlen(folder) : 0;

	return n > 0 && strncmp(path, folder, n) == 0 && path[n] == '/';
}

static int read_secret(const char *path, char **ret, char ret_words[static SETTINGS_WORDS_MAX])
{
	struct stat st;
	int r = file_read_secret(path, ret, &st);

	ret_words[0] = '\0';
	if (r < 0)
		snprintf(ret_words, SETTINGS_WORDS_MAX, "%s: %s", path, settings_file_words(r));
	else if (file_others_can_read(&st) && !is_credential(path))
		snprintf(ret_words, SETTINGS_WORDS_MAX,
			"%s: others can read it (mode %04o): chown root:punchd, chmod 640", path,
			(unsigned)st.st_mode & 07777);
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

/* ---- [webhook] */

/* One of its secrets; NULL where it is not named, or at fault. Returns 0 or -ENOMEM. */
static int webhook_secret(
	const struct config *c, const char *name, const char *path, char **ret, struct buf *faults)
{
	char words[SETTINGS_WORDS_MAX];
	const char *fault;
	int r;

	*ret = NULL;
	if (!path[0])
		return 0;
	r = read_secret(path, ret, words);
	if (r < 0 && r != -ENOMEM)
		config_fault(c, "webhook", name, faults, "%s", words);
	fault = r == 0 ? hooksig_secret_fault(*ret) : NULL;
	if (fault) {
		config_fault(c, "webhook", name, faults, "%s: %s", path, fault);
		file_secret_free(*ret);
		*ret = NULL;
	}
	return r == -ENOMEM ? r : 0;
}

static int webhook_tls(const struct config *c, struct settings_webhook *w, struct buf *faults)
{
	char words[HTTP_TLS_WORDS_MAX];
	int r;

	if (!c->webhook.cert_file[0] || !c->webhook.key_file[0])
		return 0;
	r = http_tls_load(c->webhook.cert_file, c->webhook.key_file, &w->tls, words);
	if (r == -EINVAL)
		config_fault(c, "webhook", "cert_file", faults, "%s", words);
	return r == -ENOMEM ? r : 0;
}

int settings_webhook(const struct config *c, struct settings_webhook *ret, struct buf *faults)
{
	char *secret = NULL, *hmac = NULL;
	int r;

	*ret = (struct settings_webhook){.has = false};
	r = webhook_secret(c, "secret_file", c->webhook.secret_file, &secret, faults);
	if (r == 0)
		r = webhook_secret(
			c, "hmac_secret_file", c->webhook.hmac_secret_file, &hmac, faults);
	if (r == 0)
		r = webhook_tls(c, ret, faults);
	if (r == 0 && secret) {
		r = hooksig_init(&ret->sig, secret, hmac);
		ret->has = r == 0;
	}
	file_secret_free(secret);
	file_secret_free(hmac);
	return r;
}

void settings_webhook_done(struct settings_webhook *w)
{
	hooksig_done(&w->sig);
	http_tls_free(w->tls);
	*w = (struct settings_webhook){.has = false};
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
