/* What a transport is told: copied, and checked as far as it can be without a connection. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "api/curl_private.h"
#include "base/file.h"

#define CA_FILE_MAX ((size_t)4 * 1024 * 1024)

/* Looking a name up, connecting, and TLS, through a proxy where there is one. Enough for a name server
 * that does not answer (glibc asks the next after 5 s) or for three lost SYNs (sent again after 1, 2
 * and 4 s); and a third of the usual time-out, so that behind the first of several that find nobody
 * the others still learn so. */
#define CONNECT_MS 10000

/* Where the settings say nothing. */
#define TIMEOUT_MS  30000
#define CONNECTIONS 8

/* --- CAs */

/* libcurl reads the file only when it connects. What could never work is told at once. */
static int check_ca_file(const char *path)
{
	struct buf b;
	int r;

	buf_init(&b, CA_FILE_MAX);
	r = file_read(path, &b, NULL);
	if (r == 0 && !strstr(b.data, "-----BEGIN "))
		r = -EINVAL;
	buf_done(&b);
	return r == 0 || r == -ENOENT || r == -ENOMEM ? r : -EINVAL;
}

/* HASH.N, as OpenSSL looks a certificate up (openssl-rehash(1)). */
static bool is_hashed_name(const char *name)
{
	return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && name[9] >= '0' &&
		name[9] <= '9';
}

static bool is_hashed(const char *path)
{
	DIR *dir = path ? opendir(path) : NULL;
	const struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		found = is_hashed_name(entry->d_name);
	if (dir)
		closedir(dir);
	return found;
}

/* --- all of them */

static int copy_text(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

/* libcurl wants semicolons between them. */
static int copy_pins(const char *pins, char **ret)
{
	size_t n = 0;

	*ret = pins ? calloc(1, strlen(pins) + 1) : NULL;
	if (pins && !*ret)
		return -ENOMEM;
	for (; pins && *pins; pins++) {
		if (*pins != ' ')
			(*ret)[n++] = *pins;
		else if (n > 0 && pins[1] && pins[1] != ' ')
			(*ret)[n++] = ';';
	}
	return 0;
}

int transport_take_settings(struct curl_transport *t, const struct api_curl_settings *s)
{
	const char *ca_dir = s->ca_dir ? s->ca_dir : curl_version_info(CURLVERSION_NOW)->capath;
	int r = s->ca_file ? check_ca_file(s->ca_file) : 0;

	r = r < 0 ? r : copy_text(s->ca_file, &t->ca_file);
	r = r < 0 ? r : copy_text(ca_dir, &t->ca_dir);
	r = r < 0 ? r : copy_text(s->user_agent ? s->user_agent : "punch-api", &t->user_agent);
	r = r < 0 ? r : copy_text(s->proxy, &t->proxy);
	r = r < 0 ? r : copy_pins(s->pins, &t->pins);
	t->ca_dir_is_hashed = is_hashed(t->ca_dir);
	t->max_connections = s->max_connections > 0 ? s->max_connections : CONNECTIONS;
	/* Of 32 bits where long is: 24 days. */
	t->timeout_ms = s->timeout_ms < LONG_MAX ? (long)s->timeout_ms : LONG_MAX;
	if (t->timeout_ms <= 0)
		t->timeout_ms = TIMEOUT_MS;
	t->connect_timeout_ms = s->connect_timeout_ms ? (long)s->connect_timeout_ms : CONNECT_MS;
	return r;
}

void transport_drop_settings(struct curl_transport *t)
{
	free(t->ca_file);
	free(t->ca_dir);
	free(t->user_agent);
	free(t->proxy);
	free(t->pins);
}
