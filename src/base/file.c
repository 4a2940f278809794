#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX 4096
#define GROUPS_MAX 256 /* of one process; beyond them a group counts as a stranger */

static int read_all(int fd, struct buf *b)
{
	char chunk[4096];
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = read(fd, chunk, sizeof chunk)) != 0) {
		if (n > 0)
			buf_add(b, chunk, (size_t)n);
		r = n < 0 && errno != EINTR ? -errno : buf_error(b);
	}
	explicit_bzero(chunk, sizeof chunk); /* it may have been a secret */
	return r;
}

int file_read(const char *path, struct buf *b, struct stat *ret_stat)
{
	/* Not blocking: opening a FIFO without a writer would hang here. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else
		r = S_ISREG(st.st_mode) ? read_all(fd, b) : -EINVAL;
	close(fd);
	if (r == 0 && ret_stat)
		*ret_stat = st;
	return r;
}

static bool is_one_of_ours(gid_t group)
{
	gid_t groups[GROUPS_MAX];
	int n = getgroups(GROUPS_MAX, groups);

	for (int i = 0; i < n; i++) {
		if (groups[i] == group)
			return true;
	}
	return group == getegid();
}

bool file_others_can_read(const struct stat *st)
{
	bool shared_with_us = st->st_uid == 0 && is_one_of_ours(st->st_gid);

	return st->st_mode & (shared_with_us ? 0007 : 0077);
}

static int trim_secret(struct buf *b)
{
	if (b->len > 0 && b->data[b->len - 1] == '\n') {
		b->data[--b->len] = '\0';
		if (b->len > 0 && b->data[b->len - 1] == '\r')
			b->data[--b->len] = '\0';
	}
	if (b->len == 0)
		return -ENODATA;
	for (size_t i = 0; i < b->len; i++) {
		if ((unsigned char)b->data[i] < ' ' || b->data[i] == 0x7f)
			return -EBADMSG;
	}
	return 0;
}

int file_read_secret(const char *path, char **ret_secret, struct stat *ret_stat)
{
	struct buf b;
	int r;

	buf_init(&b, SECRET_MAX);
	r = file_read(path, &b, ret_stat);
	if (r == 0)
		r = trim_secret(&b);
	if (r == 0) {
		*ret_secret = strdup(b.data);
		r = *ret_secret ? 0 : -ENOMEM;
	}
	if (b.len > 0)
		explicit_bzero(b.data, b.len);
	buf_done(&b);
	return r;
}

void file_secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}
