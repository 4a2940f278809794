#include "core/identity.h"

#include <errno.h>
#include <openssl/evp.h>

#include "base/time.h"

/* The first byte hashed: which of the rules, and which version of it. */
enum identity_kind {
	KIND_TIMED = 0x01,
	KIND_TIMELESS = 0x02,
	KIND_TIMELESS_SEEN = 0x03,
	KIND_MALFORMED = 0x04,
	KIND_WIRE_KEY = 0x05,
};

/* A hash over length-prefixed fields; the first failure sticks. */
struct digest {
	EVP_MD_CTX *ctx;
	bool failed;
};

static void digest_bytes(struct digest *d, const void *bytes, size_t n)
{
	if (!d->failed && EVP_DigestUpdate(d->ctx, bytes, n) != 1)
		d->failed = true;
}

static void digest_field(struct digest *d, const void *bytes, size_t n)
{
	uint8_t length[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

	digest_bytes(d, length, sizeof length);
	digest_bytes(d, bytes, n);
}

static void digest_text(struct digest *d, const char *text)
{
	digest_field(d, text, strlen(text));
}

static void digest_int(struct digest *d, int64_t value)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
	digest_field(d, bytes, sizeof bytes);
}

static void digest_begin(struct digest *d, enum identity_kind kind)
{
	uint8_t version = (uint8_t)kind;

	d->ctx = EVP_MD_CTX_new();
	d->failed = !d->ctx || EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1;
	digest_bytes(d, &version, 1);
}

static int digest_end(struct digest *d, uint8_t *ret, size_t n)
{
	uint8_t hash[EVP_MAX_MD_SIZE];

	if (!d->failed && EVP_DigestFinal_ex(d->ctx, hash, NULL) != 1)
		d->failed = true;
	EVP_MD_CTX_free(d->ctx);
	if (d->failed)
		return -ENOMEM;
	memcpy(ret, hash, n);
	return 0;
}

static void put_hours(int64_t local_s, uint8_t *ret)
{
	uint32_t hours = local_s > 0 ? (uint32_t)(local_s / 3600) : 0;

	for (int i = 0; i < 4; i++)
		ret[i] = (uint8_t)(hours >> (24 - 8 * i));
}

/* Who and what, without when. */
static void digest_who(struct digest *d, const struct punch *p)
{
	digest_text(d, p->terminal);
	digest_text(d, user_kind_name(p->user_kind));
	digest_text(d, p->user);
	digest_text(d, p->record_id);
}

int identity_of_punch(struct punch *p, const struct identity_arrival *arrival)
{
	bool timed = p->time_sent[0] != '\0';
	struct time_text t;
	struct digest d;
	int64_t local_s = 0;

	/* The hour only steers where it lies in the index; a time that cannot be read has none. */
	if (timed && time_parse(p->time_sent, &t) == 0)
		local_s = time_from_civil(&t.civil);
	put_hours(local_s, p->identity);
	digest_begin(&d, timed ? KIND_TIMED : KIND_TIMELESS);
	digest_who(&d, p);
	digest_text(&d, p->time_sent);
	digest_text(&d, punch_type_name(p->type_sent));
	if (!timed) {
		digest_int(&d, arrival->received_us);
		digest_text(&d, arrival->boot_id);
		digest_int(&d, arrival->counter);
		digest_int(&d, arrival->index);
	}
	return digest_end(&d, p->identity + 4, IDENTITY_SIZE - 4);
}

int identity_timeless(const struct punch *p, uint8_t ret[static IDENTITY_SIZE])
{
	struct digest d;

	digest_begin(&d, KIND_TIMELESS_SEEN);
	digest_who(&d, p);
	digest_text(&d, punch_type_name(p->type_sent));
	return digest_end(&d, ret, IDENTITY_SIZE);
}

int identity_of_malformed(const char *topic, const uint8_t message_sha256[static 32], int index,
	uint8_t ret[static IDENTITY_SIZE])
{
	struct digest d;

	put_hours(0, ret);
	digest_begin(&d, KIND_MALFORMED);
	digest_text(&d, topic);
	digest_field(&d, message_sha256, 32);
	digest_int(&d, index);
	return digest_end(&d, ret + 4, IDENTITY_SIZE - 4);
}

int identity_sha256(const void *bytes, size_t n, uint8_t ret[static 32])
{
	return EVP_Digest(bytes, n, ret, NULL, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

int identity_wire_key(struct punch *p)
{
	struct digest d;

	digest_begin(&d, KIND_WIRE_KEY);
	digest_field(&d, p->identity, IDENTITY_SIZE);
	digest_text(&d, p->device_id);
	digest_text(&d, p->user_id);
	digest_int(&d, p->generation);
	return digest_end(&d, p->wire_key, WIRE_KEY_SIZE);
}
