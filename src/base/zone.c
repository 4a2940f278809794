#include "base/zone.h"

#include <errno.h>

#include "base/file.h"
#include "base/tzrule.h"

#define ZONEINFO     "/usr/share/zoneinfo"
#define SYSTEM_ZONE  "/etc/localtime"
#define FILE_MAX     (256 * 1024) /* the largest of tzdata, "fat" and all, has 4 KiB */
#define NAME_BYTES   128
#define FOOTER_BYTES 512

/* RFC 9636 §3.2: further from UTC than this no clock may be. */
#define WEST_MAX_S (-89999)
#define EAST_MAX_S 93599

#define TYPE_BYTES 6 /* of a local time type: offset, daylight flag, name */

struct zone {
	int32_t first_s; /* offset before the first transition */
	bool has_rule;
	struct tzrule rule; /* behind the last transition, or where there is none */
	size_t count;
	int64_t *at;       /* transitions, rising */
	int32_t *offset_s; /* what each of them brings */
};

/* ---- the file's bytes */

/* What is left to read; nothing is read without asking need() before. */
struct bytes {
	const uint8_t *at;
	size_t left;
};

static bool need(const struct bytes *b, uint64_t n)
{
	return n <= b->left;
}

static const uint8_t *take(struct bytes *b, size_t n)
{
	const uint8_t *at = b->at;

	b->at += n;
	b->left -= n;
	return at;
}

static uint32_t big32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t big64(const uint8_t *p)
{
	return (int64_t)((uint64_t)big32(p) << 32 | big32(p + 4));
}

struct header {
	int version;
	uint32_t isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt;
	unsigned time_bytes; /* of a point of time: 4 in the first block, 8 in the second */
};

static int take_header(struct bytes *b, unsigned time_bytes, struct header *ret)
{
	const uint8_t *p;

	if (!need(b, 44) || memcmp(b->at, "TZif", 4) != 0)
		return -EBADMSG;
	p = take(b, 44);
	*ret = (struct header){
		.version = p[4] == '\0' ? 1 : p[4] - '0',
		.isutcnt = big32(p + 20),
		.isstdcnt = big32(p + 24),
		.leapcnt = big32(p + 28),
		.timecnt = big32(p + 32),
		.typecnt = big32(p + 36),
		.charcnt = big32(p + 40),
		.time_bytes = time_bytes,
	};
	/* A later version is readable as the ones before: RFC 9636 §4 says so of each step so far. */
	return ret->version >= 1 && ret->version <= 9 ? 0 : -EBADMSG;
}

static uint64_t data_bytes(const struct header *h)
{
	return (uint64_t)h->timecnt * (h->time_bytes + 1) + (uint64_t)h->typecnt * TYPE_BYTES +
		h->charcnt + (uint64_t)h->leapcnt * (h->time_bytes + 4) + h->isstdcnt + h->isutcnt;
}

/*
 * Counts that belong together. Files with leap seconds (the "right/" ones) count seconds that POSIX
 * time does not have, so their transitions would come up to half a minute late: refused.
 */
static bool header_sound(const struct header *h)
{
	return h->typecnt >= 1 && h->typecnt <= 256 && h->charcnt >= 1 && h->leapcnt == 0 &&
		(h->isutcnt == 0 || h->isutcnt == h->typecnt) &&
		(h->isstdcnt == 0 || h->isstdcnt == h->typecnt);
}

static struct zone *zone_new(size_t count)
{
	struct zone *z = calloc(1, sizeof *z);

	if (!z || count == 0)
		return z;
	z->count = count;
	z->at = calloc(count, sizeof *z->at);
	z->offset_s = calloc(count, sizeof *z->offset_s);
	if (z->at && z->offset_s)
		return z;
	zone_free(z);
	return NULL;
}

/* One local time type's offset; its flag and name are checked though nobody asks for them. */
static int read_type(const struct header *h, const uint8_t *types, unsigned index, int32_t *ret)
{
	const uint8_t *p = types + (size_t)index * TYPE_BYTES;

	*ret = (int32_t)big32(p);
	return *ret >= WEST_MAX_S && *ret <= EAST_MAX_S && p[4] <= 1 && p[5] < h->charcnt
		? 0
		: -EBADMSG;
}

static int read_transitions(struct zone *z, const struct header *h, const uint8_t *times,
	const uint8_t *indices, const uint8_t *types)
{
	for (size_t i = 0; i < z->count; i++) {
		const uint8_t *p = times + i * h->time_bytes;

		z->at[i] = h->time_bytes == 8 ? big64(p) : (int32_t)big32(p);
		if ((i > 0 && z->at[i] <= z->at[i - 1]) || indices[i] >= h->typecnt)
			return -EBADMSG;
		if (read_type(h, types, indices[i], &z->offset_s[i]) < 0)
			return -EBADMSG;
	}
	return read_type(h, types, 0, &z->first_s);
}

/* A data block; its parts follow each other in this order. */
static int take_data(struct bytes *b, const struct header *h, struct zone **ret)
{
	const uint8_t *times, *indices, *types;

	if (!header_sound(h) || !need(b, data_bytes(h)))
		return -EBADMSG;
	*ret = zone_new(h->timecnt);
	if (!*ret)
		return -ENOMEM;
	times = take(b, (size_t)h->timecnt * h->time_bytes);
	indices = take(b, h->timecnt);
	types = take(b, (size_t)h->typecnt * TYPE_BYTES);
	take(b, (size_t)h->charcnt + h->isstdcnt + h->isutcnt);
	return read_transitions(*ret, h, times, indices, types);
}

/* A TZ string between newlines; an empty one says nothing about the time behind the last. */
static int take_footer(struct bytes *b, struct zone *z)
{
	char text[FOOTER_BYTES];
	const uint8_t *end;
	size_t n;

	if (!need(b, 2) || *take(b, 1) != '\n')
		return -EBADMSG;
	end = memchr(b->at, '\n', b->left);
	n = end ? (size_t)(end - b->at) : sizeof text;
	if (n >= sizeof text || memchr(b->at, '\0', n))
		return -EBADMSG;
	memcpy(text, b->at, n);
	text[n] = '\0';
	z->has_rule = n > 0;
	return n == 0 || tzrule_parse(text, &z->rule) == 0 ? 0 : -EBADMSG;
}

/* Version 1 has one block of 32-bit times; later ones have that, to be skipped, and a wider one. */
static int parse(struct bytes *b, struct zone **ret)
{
	struct header h;
	int r = take_header(b, 4, &h);

	if (r < 0)
		return r;
	if (h.version == 1)
		return take_data(b, &h, ret);
	if (!need(b, data_bytes(&h)))
		return -EBADMSG;
	take(b, (size_t)data_bytes(&h));
	r = take_header(b, 8, &h);
	if (r == 0)
		r = take_data(b, &h, ret);
	return r == 0 ? take_footer(b, *ret) : r;
}

int zone_parse(const void *bytes, size_t n, struct zone **ret_zone)
{
	struct bytes b = {.at = bytes, .left = n};
	struct zone *z = NULL;
	int r = n > FILE_MAX ? -EBADMSG : parse(&b, &z);

	if (r < 0) {
		zone_free(z);
		return r;
	}
	*ret_zone = z;
	return 0;
}

void zone_free(struct zone *z)
{
	if (!z)
		return;
	free(z->at);
	free(z->offset_s);
	free(z);
}

/* ---- finding the file */

/* Levels of letters, digits, `_`, `+`, `-` and `.`, none beginning with a dot: so never "..". */
static bool name_sound(const char *name)
{
	bool begins = true;

	for (const char *s = name; *s; s++) {
		bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');

		if (*s == '/' ? begins : !letter && !strchr("0123456789_+-.", *s))
			return false;
		if (begins && *s == '.')
			return false;
		begins = *s == '/';
	}
	return !begins && strlen(name) < NAME_BYTES;
}

static int zone_read(const char *path, struct zone **ret_zone)
{
	struct buf b;
	int r;

	buf_init(&b, FILE_MAX);
	r = file_read(path, &b, NULL);
	if (r == 0)
		r = zone_parse(b.data, b.len, ret_zone);
	else if (r == -EINVAL || r == -ENOTDIR) /* "Europe", "UTC/x" */
		r = -ENOENT;
	else if (r == -E2BIG)
		r = -EBADMSG;
	buf_done(&b);
	return r;
}

static int zone_utc(struct zone **ret_zone)
{
	*ret_zone = zone_new(0);
	return *ret_zone ? 0 : -ENOMEM;
}

int zone_load(const char *name, struct zone **ret_zone)
{
	const char *folder = getenv("TZDIR");
	char path[4096];
	int r, n;

	if (!name || !*name) {
		r = zone_read(SYSTEM_ZONE, ret_zone);
		return r == -ENOENT ? zone_utc(ret_zone) : r;
	}
	if (!name_sound(name))
		return -EINVAL;
	if (strcmp(name, "UTC") == 0)
		return zone_utc(ret_zone);
	n = snprintf(path, sizeof path, "%s/%s", folder && *folder ? folder : ZONEINFO, name);
	return n < (int)sizeof path ? zone_read(path, ret_zone) : -ENOENT;
}

/* ---- asking */

/* Sums of what is asked must not overflow; nobody works that far away. */
static int64_t within_reach(int64_t s)
{
	if (s > TZRULE_FAR_S)
		return TZRULE_FAR_S;
	return s < -TZRULE_FAR_S ? -TZRULE_FAR_S : s;
}

/* How many transitions have happened. */
static size_t passed(const struct zone *z, int64_t unix_s)
{
	size_t low = 0, high = z->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (z->at[middle] <= unix_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int32_t zone_offset_at(const struct zone *z, int64_t unix_s)
{
	size_t n = passed(z, unix_s);

	if (n == z->count && z->has_rule)
		return tzrule_offset_at(&z->rule, within_reach(unix_s));
	return n > 0 ? z->offset_s[n - 1] : z->first_s;
}

static int64_t next_change(const struct zone *z, int64_t unix_s)
{
	size_t n = passed(z, unix_s);

	if (n < z->count)
		return z->at[n];
	return z->has_rule ? tzrule_next_change(&z->rule, unix_s) : INT64_MAX;
}

/*
 * Walk over the stretches of one offset each, from before the first that could hold the local time
 * to behind the last. In a stretch it fits or not; where it is past the end of one and yet before
 * the begin of the next, the clocks jumped over it.
 */
enum zone_fit zone_to_unix(const struct zone *z, int64_t local_s, int64_t *ret_unix_s)
{
	int64_t local = within_reach(local_s);
	int64_t from = local - EAST_MAX_S, skipped = local, first = local;
	int32_t offset = zone_offset_at(z, from);
	int fits = 0;

	while (from <= local - WEST_MAX_S) {
		int64_t here = local - offset, end = next_change(z, from);

		if (here >= from && here < end && fits++ == 0)
			first = here;
		offset = zone_offset_at(z, end);
		if (here >= end && local - offset < end)
			skipped = here;
		from = end;
	}
	*ret_unix_s = fits == 0 ? skipped : first;
	return fits == 0 ? ZONE_SKIPPED : fits == 1 ? ZONE_UNIQUE : ZONE_TWICE;
}
