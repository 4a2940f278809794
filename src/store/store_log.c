#include "store/store_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/schema.h"
#include "store/store_private.h"

#define HEADER_SIZE       32
#define FRAME_HEADER_SIZE 24
#define MAGIC             0x377f0682u /* | 1: sums over big-endian words */

/* What the log's header says, or what its frames do where it is damaged. */
struct log_head {
	bool sound;
	bool big_endian;
	uint32_t salt[2];
	uint32_t sum[2];
};

struct frame_head {
	uint32_t page;
	uint32_t commit; /* pages of the file after this transaction; 0: goes on */
	uint32_t salt[2];
	uint32_t sum[2];
};

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint32_t get_word(const uint8_t *b, bool big_endian)
{
	return big_endian
		? get32(b)
		: (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static void sum_on(bool big_endian, const uint8_t *bytes, size_t n, uint32_t sum[static 2])
{
	for (size_t i = 0; i + 8 <= n; i += 8) {
		sum[0] += get_word(bytes + i, big_endian) + sum[1];
		sum[1] += get_word(bytes + i + 4, big_endian) + sum[0];
	}
}

static bool size_possible(uint32_t size)
{
	return size >= 512 && size <= 65536 && (size & (size - 1)) == 0;
}

static void read_head(const uint8_t *b, struct log_head *ret)
{
	uint32_t sum[2] = {0, 0}, magic = get32(b);

	/* Damaged: these machines' order, until told otherwise. */
	ret->big_endian = (magic & ~1u) == MAGIC && (magic & 1);
	for (int i = 0; i < 2; i++) {
		ret->salt[i] = get32(b + 16 + 4 * i);
		ret->sum[i] = get32(b + 24 + 4 * i);
	}
	sum_on(ret->big_endian, b, 24, sum);
	ret->sound = (magic & ~1u) == MAGIC && sum[0] == ret->sum[0] && sum[1] == ret->sum[1] &&
		size_possible(get32(b + 8));
}

static void read_frame_head(const uint8_t *b, struct frame_head *ret)
{
	ret->page = get32(b);
	ret->commit = get32(b + 4);
	for (int i = 0; i < 2; i++) {
		ret->salt[i] = get32(b + 8 + 4 * i);
		ret->sum[i] = get32(b + 16 + 4 * i);
	}
}

static int64_t frame_offset(const struct log_view *v, uint32_t frame)
{
	return HEADER_SIZE + (int64_t)(frame - 1) * (FRAME_HEADER_SIZE + v->page_size);
}

static bool same(const uint32_t a[static 2], const uint32_t b[static 2])
{
	return a[0] == b[0] && a[1] == b[1];
}

/*
 * The walk over all frames. What is known of the frame before decides how the next can be checked:
 * by the sum in its header; where that fails, by the sum over its bytes (then only its header's sum
 * or salts were damaged); where that header is gone, by the frame behind, which vouches for it.
 */
struct log_walk {
	struct log_view *view;
	struct log_head head;
	uint8_t *bytes; /* of the frame at hand */
	struct frame_head before;
	bool before_sound;
	bool before_unsure;   /* nobody knows where its sum begins */
	uint32_t stated[2];   /* the sum that its header states, */
	uint32_t reckoned[2]; /* and that over its bytes */
	bool reckoned_known;
	bool broken;         /* a frame before was not whole, or the log's header */
	uint32_t bad_commit; /* the last of these that was the end of a transaction; 0 none */
	uint32_t hole;       /* the first broken frame; 0 none */
	bool twice;          /* a page of the transaction before the hole comes again behind it */
	bool commit_after;   /* a sound end of a transaction lies behind a broken frame */
};

static void sum_frame(const struct log_walk *w, uint32_t sum[static 2])
{
	sum_on(w->head.big_endian, w->bytes, 8, sum);
	sum_on(w->head.big_endian, w->bytes + FRAME_HEADER_SIZE, (size_t)w->view->page_size, sum);
}

/* Whether the frame at hand is whole, if its sum begins there. */
static bool sound_from(
	const struct log_walk *w, const struct frame_head *f, const uint32_t begin[static 2])
{
	uint32_t sum[2] = {begin[0], begin[1]};

	if (f->page == 0 || !same(f->salt, w->head.salt))
		return false;
	sum_frame(w, sum);
	return same(sum, f->sum);
}

/* A transaction has each page once. */
static bool comes_again(const struct log_walk *w, uint32_t page)
{
	for (uint32_t i = w->view->good + 1; i < w->hole; i++) {
		if (w->view->number[i] == page)
			return true;
	}
	return false;
}

static void take_sound(struct log_walk *w, uint32_t i, const struct frame_head *f)
{
	struct log_view *v = w->view;

	v->number[i] = f->page;
	w->twice = w->twice || comes_again(w, f->page);
	/* It was begun after the transaction before it was on disk. */
	if (w->commit_after || w->bad_commit || (f->commit != 0 && w->twice))
		v->damaged = true;
	if (v->last < w->bad_commit)
		v->last = w->bad_commit;
	if (f->commit == 0)
		return;
	v->last = i;
	if (w->broken)
		w->commit_after = true;
	else
		v->good = i;
}

static void take_broken(struct log_walk *w, uint32_t i, const struct frame_head *f)
{
	w->broken = true;
	if (w->hole == 0)
		w->hole = i;
	if (same(f->salt, w->head.salt) && f->commit != 0)
		w->bad_commit = i;
}

static void take_frame(struct log_walk *w, uint32_t i)
{
	struct frame_head f;
	bool sound, by_bytes;

	read_frame_head(w->bytes, &f);
	sound = sound_from(w, &f, w->stated);
	by_bytes = !sound && !w->before_sound && w->reckoned_known &&
		sound_from(w, &f, w->reckoned);
	if ((by_bytes || (sound && w->before_unsure)) && i > 1)
		w->view->number[i - 1] = w->before.page;
	if (sound || by_bytes)
		take_sound(w, i, &f);
	else
		take_broken(w, i, &f);
	w->before_unsure = !(sound || by_bytes) && same(f.salt, w->head.salt) && !w->before_sound &&
		!same(w->before.salt, w->head.salt);
	/* Where its own begins is known: at the sum before. */
	w->reckoned_known = w->before_sound || by_bytes;
	memcpy(w->reckoned, by_bytes ? w->reckoned : w->stated, sizeof w->reckoned);
	sum_frame(w, w->reckoned);
	w->before = f;
	w->before_sound = sound || by_bytes;
	memcpy(w->stated, f.sum, sizeof w->stated);
}

static bool read_frame(const struct log_walk *w, uint32_t i)
{
	ssize_t n = FRAME_HEADER_SIZE + w->view->page_size;

	if (pread(w->view->fd, w->bytes, (size_t)n, frame_offset(w->view, i)) == n)
		return true;
	memset(w->bytes, 0, (size_t)n);
	return false;
}

/*
 * Without the header the frames say which salts are the present ones: the first that is whole after
 * its neighbour. Older ones, of the log's last round, lie behind.
 */
static void find_salts(struct log_walk *w)
{
	uint32_t sum[2] = {0, 0};
	struct frame_head f;

	for (uint32_t i = 1; i <= w->view->frames; i++) {
		read_frame(w, i);
		read_frame_head(w->bytes, &f);
		memcpy(w->head.salt, f.salt, sizeof f.salt);
		if (i > 1 && sound_from(w, &f, sum))
			return;
		memcpy(sum, f.sum, sizeof sum);
	}
}

static void walk_frames(struct log_walk *w)
{
	struct log_view *v = w->view;

	if (!w->head.sound) {
		w->broken = true;
		find_salts(w);
	}
	w->before_sound = w->head.sound;
	memcpy(w->stated, w->head.sum, sizeof w->stated);
	for (uint32_t i = 1; i <= v->frames; i++) {
		read_frame(w, i);
		take_frame(w, i);
	}
	/* SQLite throws away a log whose header it cannot read. */
	if (!w->head.sound && v->last > 0)
		v->damaged = true;
	if (!v->damaged)
		v->last = v->good;
	for (uint32_t i = 1; i <= v->last; i++)
		v->bad += v->number[i] == 0;
}

static int open_log(const char *path, int page_size, struct log_view *v, struct log_head *head)
{
	uint8_t bytes[HEADER_SIZE];
	struct stat st;
	uint32_t size;

	v->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (v->fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(v->fd, &st) < 0)
		return -errno;
	if (st.st_size <= HEADER_SIZE || pread(v->fd, bytes, sizeof bytes, 0) != sizeof bytes)
		return 0;
	read_head(bytes, head);
	size = get32(bytes + 8);
	v->page_size = size_possible(size) ? (int)size : page_size ? page_size : SCHEMA_PAGE_SIZE;
	v->frames = (uint32_t)((st.st_size - HEADER_SIZE) / (FRAME_HEADER_SIZE + v->page_size));
	return 0;
}

int log_read(const char *path, int page_size, struct log_view *ret)
{
	struct log_walk w = {.view = ret};
	int r;

	*ret = (struct log_view){.fd = -1};
	r = open_log(path, page_size, ret, &w.head);
	if (r == 0 && ret->frames > 0) {
		w.bytes = malloc((size_t)(FRAME_HEADER_SIZE + ret->page_size));
		ret->number = calloc((size_t)ret->frames + 1, sizeof *ret->number);
		r = w.bytes && ret->number ? 0 : -ENOMEM;
	}
	if (r == 0 && ret->frames > 0)
		walk_frames(&w);
	free(w.bytes);
	if (r < 0)
		log_done(ret);
	return r;
}

void log_done(struct log_view *v)
{
	if (v->fd >= 0)
		close(v->fd);
	free(v->number);
	*v = (struct log_view){.fd = -1};
}

int log_page(const struct log_view *v, uint32_t frame, uint8_t *ret_page)
{
	ssize_t n = v->page_size;

	return pread(v->fd, ret_page, (size_t)n, frame_offset(v, frame) + FRAME_HEADER_SIZE) == n
		? 0
		: -EIO;
}

int store_log_check(const char *path, char ret_words[static STORE_WORDS_MAX])
{
	char name[PATH_MAX];
	struct log_view v;
	struct stat st;
	int r;

	snprintf(name, sizeof name, "%s-wal", path);
	r = log_read(name, 0, &v);
	if (r < 0)
		return store_fail(r, ret_words, "its log cannot be read: %s", strerror(-r));
	/* SQLite deletes the log of an empty file. */
	if (v.last > 0 && (stat(path, &st) < 0 || st.st_size == 0))
		r = store_fail(-EUCLEAN, ret_words, "it is gone or empty, but its log is not");
	else if (v.damaged)
		r = store_fail(-EUCLEAN, ret_words,
			"its log is damaged behind frame %u: commits up to frame %u would be lost",
			v.good, v.last);
	log_done(&v);
	return r;
}
