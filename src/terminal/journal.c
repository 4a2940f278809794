#include "terminal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/buf.h"

#define QUEUE_MAX (256 << 20)

struct journal {
	int fd; /* -1: nobody reads it */
	bool failed;
	struct buf parts[JOURNAL_PARTS];
};

int journal_open(const char *path, struct journal **ret_journal)
{
	struct journal *j = calloc(1, sizeof *j);

	if (!j)
		return -ENOMEM;
	for (int i = 0; i < JOURNAL_PARTS; i++)
		buf_init(&j->parts[i], QUEUE_MAX);
	j->fd = -1;
	if (path) {
		j->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
		if (j->fd < 0) {
			free(j);
			return -errno;
		}
	}
	*ret_journal = j;
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	for (int i = 0; i < JOURNAL_PARTS; i++)
		buf_done(&j->parts[i]);
	if (j->fd >= 0)
		close(j->fd);
	free(j);
}

int journal_wanted(const struct journal *j)
{
	return j->fd >= 0;
}

static int add_bytes(const char *bytes, size_t n, void *arg)
{
	buf_add(arg, bytes, n);
	return buf_error(arg);
}

void journal_put(struct journal *j, enum journal_part part, json_t *line)
{
	struct buf *b = &j->parts[part];

	if (j->fd >= 0) {
		if (!line || json_dump_callback(line, add_bytes, b, JSON_COMPACT) < 0)
			j->failed = true;
		buf_add_char(b, '\n');
	}
	json_decref(line);
}

int journal_flush(struct journal *j, enum journal_part part)
{
	struct buf *b = &j->parts[part];
	size_t done = 0;

	if (j->failed || buf_error(b) < 0)
		return -ENOMEM;
	while (done < b->len) {
		ssize_t n = write(j->fd, b->data + done, b->len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	buf_clear(b);
	return 0;
}
