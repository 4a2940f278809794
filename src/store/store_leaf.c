#include "store/store_leaf.h"

#include <errno.h>

static uint32_t get16(const uint8_t *b)
{
	return (uint32_t)b[0] << 8 | b[1];
}

static uint32_t get32(const uint8_t *b)
{
	return get16(b) << 16 | get16(b + 2);
}

/* A variable-length number of 1 to 9 bytes. Returns how many, 0 where they are cut off. */
static size_t get_varint(const uint8_t *b, size_t left, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < left && i < 9; i++) {
		if (i == 8) {
			*ret = v << 8 | b[i];
			return 9;
		}
		v = v << 7 | (b[i] & 0x7f);
		if (!(b[i] & 0x80)) {
			*ret = v;
			return i + 1;
		}
	}
	return 0;
}

static bool is_inner(enum leaf_kind kind)
{
	return kind == LEAF_INDEX_INNER || kind == LEAF_TABLE_INNER;
}

enum leaf_kind leaf_look(
	const struct pages *p, uint32_t number, const uint8_t *bytes, struct leaf_page *ret)
{
	int header = number == 1 ? 100 : 0, kind = bytes[header], size;

	*ret = (struct leaf_page){.kind = LEAF_NONE,
		.bytes = bytes,
		.header = header,
		.there = pages_there(p, number)};
	if (kind != LEAF_INDEX_INNER && kind != LEAF_TABLE_INNER && kind != LEAF_INDEX &&
		kind != LEAF_TABLE)
		return LEAF_NONE;
	ret->cells = (int)get16(bytes + header + 3);
	size = is_inner((enum leaf_kind)kind) ? 12 : 8;
	if (header + size + 2 * ret->cells > p->usable)
		return LEAF_NONE;
	return ret->kind = (enum leaf_kind)kind;
}

/* Where cell i begins, 0 where that is outside the page, or behind the end of a file cut short. */
static uint32_t cell_at(const struct leaf_page *page, int i)
{
	int pointers = page->header + (is_inner(page->kind) ? 12 : 8);
	uint32_t at = get16(page->bytes + pointers + 2 * i);

	return at >= (uint32_t)(pointers + 2 * page->cells) && at + 4 <= (uint32_t)page->there ? at
											       : 0;
}

uint32_t leaf_child(const struct pages *p, const struct leaf_page *page, int i)
{
	uint32_t at = i < page->cells ? cell_at(page, i) : (uint32_t)page->header + 8;
	uint32_t child = at ? get32(page->bytes + at) : 0;

	return child > 1 && child <= p->count ? child : 0;
}

/* ---- payload */

static int reserve(struct leaf_record *r, size_t n)
{
	uint8_t *grown;

	if (n <= r->size)
		return 0;
	grown = realloc(r->payload, n);
	if (!grown)
		return -ENOMEM;
	r->payload = grown;
	r->size = n;
	return 0;
}

/* How much of a payload stands in the cell itself (fileformat2.html, "Cell Payload Overflow"). */
static size_t local_size(const struct pages *p, enum leaf_kind kind, size_t payload)
{
	size_t usable = (size_t)p->usable;
	size_t most = kind == LEAF_TABLE ? usable - 35 : (usable - 12) * 64 / 255 - 23;
	size_t least = (usable - 12) * 32 / 255 - 23, n;

	if (payload <= most)
		return payload;
	n = least + (payload - least) % (usable - 4);
	return n <= most ? n : least;
}

/* Add what stands on overflow pages; where the chain breaks, so does the record. */
static int add_overflow(
	const struct pages *p, uint32_t next, size_t length, struct leaf_record *ret)
{
	uint8_t *page = malloc((size_t)p->page_size);
	size_t most = (size_t)p->usable - 4;

	if (!page)
		return -ENOMEM;
	while (ret->length < length && next > 1 && pages_read(p, next, page) == 0) {
		size_t n = length - ret->length < most ? length - ret->length : most;
		uint32_t after = get32(page);

		/* The last page of a chain points nowhere, and only that one. */
		if ((after == 0) != (ret->length + n == length) ||
			n + 4 > (size_t)pages_there(p, next))
			break;
		memcpy(ret->payload + ret->length, page + 4, n);
		ret->length += n;
		next = after;
	}
	free(page);
	return 0;
}

static int read_payload(const struct pages *p, const struct leaf_page *page, uint32_t at,
	uint64_t length, struct leaf_record *ret)
{
	size_t local, left = (size_t)page->there - at;
	int r;

	if (length == 0 || length > LEAF_RECORD_MAX || length / (uint64_t)p->usable > p->count)
		return -EUCLEAN;
	local = local_size(p, page->kind, (size_t)length);
	if (local > left || (local < length && local + 4 > left))
		return -EUCLEAN;
	r = reserve(ret, (size_t)length);
	if (r < 0)
		return r;
	memcpy(ret->payload, page->bytes + at, local);
	ret->length = local;
	if (local == length)
		return 0;
	return add_overflow(p, get32(page->bytes + at + local), (size_t)length, ret);
}

/* ---- columns */

static int64_t get_int(const uint8_t *b, size_t n)
{
	uint64_t v = b[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | b[i];
	return (int64_t)v;
}

static size_t value_size(uint64_t serial)
{
	static const size_t sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};

	return serial < 10 ? sizes[serial] : (size_t)(serial - 12) / 2;
}

/* A column of a serial type (fileformat2.html, "Serial Type Codes"). */
static void read_value(uint64_t serial, const uint8_t *bytes, struct leaf_value *ret)
{
	*ret = (struct leaf_value){.bytes = bytes, .length = value_size(serial)};
	if (serial == 0)
		ret->type = LEAF_NULL;
	else if (serial == 7)
		ret->type = LEAF_REAL;
	else if (serial >= 12)
		ret->type = serial & 1 ? LEAF_TEXT : LEAF_BLOB;
	else
		ret->type = LEAF_INT;
	if (serial == 8 || serial == 9)
		ret->number = (int64_t)serial - 8;
	else if (ret->type == LEAF_INT)
		ret->number = get_int(bytes, ret->length);
}

static int read_columns(struct leaf_record *r)
{
	uint64_t header, serial;
	size_t at = get_varint(r->payload, r->length, &header), body, n;

	r->count = r->stated = 0;
	if (at == 0 || header < at || header > r->length)
		return -EUCLEAN;
	for (body = (size_t)header; at < header; at += n) {
		n = get_varint(r->payload + at, (size_t)header - at, &serial);
		if (n == 0 || serial == 10 || serial == 11 ||
			serial > 2ULL * LEAF_RECORD_MAX + 13 || r->stated >= LEAF_COLUMNS_MAX)
			return -EUCLEAN;
		if (r->count == r->stated && value_size(serial) <= r->length - body) {
			read_value(serial, r->payload + body, &r->values[r->count++]);
			body += value_size(serial);
		}
		r->stated++;
	}
	return 0;
}

int leaf_record(const struct pages *p, const struct leaf_page *page, int i, struct leaf_record *ret)
{
	uint32_t at = cell_at(page, i), there = (uint32_t)page->there;
	uint64_t length, rowid = 0;
	size_t n;
	int r;

	if (at == 0 || page->kind == LEAF_TABLE_INNER)
		return -EUCLEAN;
	if (page->kind == LEAF_INDEX_INNER)
		at += 4;
	n = get_varint(page->bytes + at, there - at, &length);
	at += (uint32_t)n;
	if (n > 0 && page->kind == LEAF_TABLE) {
		n = get_varint(page->bytes + at, there - at, &rowid);
		at += (uint32_t)n;
	}
	if (n == 0)
		return -EUCLEAN;
	ret->rowid = (int64_t)rowid;
	r = read_payload(p, page, at, length, ret);
	return r < 0 ? r : read_columns(ret);
}

void leaf_record_done(struct leaf_record *r)
{
	free(r->payload);
	*r = (struct leaf_record){.rowid = 0};
}
