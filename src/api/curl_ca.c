/* Files and directories of CAs. libcurl reads them only when it connects: what could never work is
 * told at once. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "api/curl_private.h"
#include "base/file.h"

#define CA_FILE_MAX ((size_t)4 * 1024 * 1024)

int ca_file_check(const char *path)
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

bool ca_dir_is_hashed(const char *path)
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
