#include "store/store_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/schema.h"
#include "store/store_leaf.h"

#define FILE_HEADER_SIZE 100

static int size_of(const uint8_t *header)
{
	int size = header[16] << 8 | header[17];

	/* 1 stands for 65536, which two bytes cannot. */
	size = size == 1 ? 65536 : size;
	return size >= 512 && (size & (size - 1)) == 0 ? size : 0;
}

static int open_file(const char *path, struct pages *p, int64_t *ret_bytes)
{
	struct stat st;

	*ret_bytes = 0;
	p->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (p->fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(p->fd, &st) < 0)
		return -errno;
	*ret_bytes = st.st_size;
	return 0;
}

/* How many pages of this size are leaves of a table with a record in them, among the first. */
static int count_leaves(struct pages *p, uint8_t *bytes, int page_size)
{
	struct leaf_record record = {0};
	struct leaf_page page;
	int found = 0;

	p->page_size = p->usable = page_size;
	for (uint32_t i = 1; i <= 4096 && pages_read(p, i, bytes) == 0; i++) {
		if (leaf_look(p, i, bytes, &page) == LEAF_TABLE && page.cells > 0 &&
			leaf_record(p, &page, page.cells - 1, &record) == 0)
			found++;
	}
	leaf_record_done(&record);
	return found;
}

/* A file that no longer says how long its pages are: the length that makes most sense of it. */
static int guess_size(struct pages *p, int64_t bytes)
{
	uint8_t *page = malloc(65536);
	int best = SCHEMA_PAGE_SIZE, most = 0;

	if (!page)
		return -ENOMEM;
	for (int size = 512; size <= 65536; size *= 2) {
		int found;

		p->in_file = p->count = (uint32_t)(bytes / size);
		found = count_leaves(p, page, size);
		if (found > most) {
			most = found;
			best = size;
		}
	}
	free(page);
	return best;
}

static int find_size(struct pages *p, int64_t bytes)
{
	uint8_t header[FILE_HEADER_SIZE] = {0};

	if (p->log.last > 0)
		return p->log.page_size;
	if (p->fd >= 0 && pread(p->fd, header, sizeof header, 0) == sizeof header &&
		memcmp(header, "SQLite format 3", 16) == 0 && size_of(header) != 0)
		return size_of(header);
	return guess_size(p, bytes);
}

static int overlay(struct pages *p)
{
	for (uint32_t i = 1; i <= p->log.last; i++) {
		/* A number far behind everything is damage. */
		if (p->log.number[i] > p->count && p->log.number[i] <= p->in_file + p->log.frames)
			p->count = p->log.number[i];
	}
	p->frame_of = calloc((size_t)p->count + 1, sizeof *p->frame_of);
	if (!p->frame_of)
		return -ENOMEM;
	for (uint32_t i = 1; i <= p->log.last; i++) {
		if (p->log.number[i] <= p->count)
			p->frame_of[p->log.number[i]] = i;
	}
	p->frame_of[0] = 0;
	return 0;
}

int pages_open(const char *path, struct pages *ret)
{
	char name[PATH_MAX];
	int64_t bytes = 0;
	int r;

	*ret = (struct pages){.fd = -1, .log.fd = -1};
	snprintf(name, sizeof name, "%s-wal", path);
	r = open_file(path, ret, &bytes);
	if (r == 0)
		r = log_read(name, 0, &ret->log);
	if (r == 0)
		r = find_size(ret, bytes);
	if (r > 0) {
		ret->page_size = ret->usable = r;
		ret->in_file = ret->count = (uint32_t)((bytes + r - 1) / r);
		ret->last_bytes = (int)(bytes - (int64_t)(ret->in_file - 1) * r);
		r = overlay(ret);
	}
	if (r < 0)
		pages_done(ret);
	return r;
}

void pages_done(struct pages *p)
{
	if (p->fd >= 0)
		close(p->fd);
	log_done(&p->log);
	free(p->frame_of);
	*p = (struct pages){.fd = -1, .log.fd = -1};
}

bool pages_in_log(const struct pages *p, uint32_t number)
{
	return p->frame_of && number <= p->count && p->frame_of[number] != 0;
}

int pages_there(const struct pages *p, uint32_t number)
{
	if (number == p->in_file && !pages_in_log(p, number))
		return p->last_bytes < p->usable ? p->last_bytes : p->usable;
	return p->usable;
}

int pages_read(const struct pages *p, uint32_t number, uint8_t *ret_page)
{
	size_t size = (size_t)p->page_size;
	ssize_t n;

	if (number == 0 || number > p->count)
		return -ENODATA;
	if (pages_in_log(p, number))
		return log_page(&p->log, p->frame_of[number], ret_page);
	if (number > p->in_file)
		return -ENODATA;
	n = pread(p->fd, ret_page, size, (off_t)(number - 1) * (off_t)size);
	if (n < 0)
		return -EIO;
	memset(ret_page + n, 0, size - (size_t)n);
	return 0;
}
