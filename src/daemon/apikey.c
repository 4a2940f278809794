#include "daemon/apikey.h"

#include <errno.h>

#include "base/file.h"
#include "base/log.h"
#include "daemon/cloudmarks.h"

#define PATH_SIZE 4096

/* What stat says of the key file; all zero where there is none. */
static void look(const struct config *config, char path[static PATH_SIZE], struct stat *ret)
{
	if (stat(settings_key_path(config, path, PATH_SIZE), ret) < 0)
		memset(ret, 0, sizeof *ret);
}

int apikey_load(struct apikey *k, const struct config *config, struct api_client *client)
{
	char words[SETTINGS_WORDS_MAX], path[PATH_SIZE], *key;
	int r;

	look(config, path, &k->stat);
	key = settings_key(config, words);
	if (words[0] && strcmp(words, k->words) != 0)
		log_warn("api_key",
			key ? "the API key's file"
			    : "there is no API key: punches are kept until there is",
			LOG_S("why", words));
	memcpy(k->words, words, sizeof k->words);
	k->there = key != NULL;
	k->cloud = key ? cloudmarks_cloud(config->api.base_url, key) : 0;
	r = api_client_set_key(client, key);
	if (r == -EINVAL) {
		log_warn("api_key", "the API key has characters that no header may carry",
			LOG_S("file", path));
		k->there = false;
		k->cloud = 0;
		snprintf(k->words, sizeof k->words,
			"%.400s: the key has characters that no header may carry", path);
		r = api_client_set_key(client, NULL);
	}
	file_secret_free(key);
	return r;
}

void apikey_watch(struct apikey *k, const struct config *config, struct loop *l,
	void (*on)(void *arg), void *arg)
{
	char path[PATH_SIZE];

	k->watch = watchfile_new(l, on, arg);
	watchfile_set(k->watch, settings_key_path(config, path, PATH_SIZE));
}

void apikey_done(struct apikey *k)
{
	watchfile_free(k->watch);
}

bool apikey_changed(struct apikey *k, const struct config *config)
{
	char path[PATH_SIZE];
	struct stat now;

	look(config, path, &now);
	watchfile_set(k->watch, path);
	return now.st_ino != k->stat.st_ino || now.st_size != k->stat.st_size ||
		now.st_mtim.tv_sec != k->stat.st_mtim.tv_sec ||
		now.st_mtim.tv_nsec != k->stat.st_mtim.tv_nsec || now.st_mode != k->stat.st_mode ||
		now.st_uid != k->stat.st_uid || now.st_gid != k->stat.st_gid;
}
