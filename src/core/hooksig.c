#include "core/hooksig.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/file.h"
#include "base/hex.h"
#include "core/identity.h"

#define HEX_SIZE (2 * 32 + 1)
#define PREFIX   "sha256="

const char *hooksig_secret_fault(const char *secret)
{
	for (const char *s = secret; *s; s++) {
		if (*s <= ' ' || *s == 0x7f || (*s & 0x80))
			return "a secret is of visible ASCII characters without blanks";
	}
	if (strlen(secret) < HOOKSIG_SECRET_MIN)
		return "a secret has at least 24 characters: `openssl rand -hex 32` makes one";
	return NULL;
}

int hooksig_init(struct hooksig *s, const char *secret, const char *hmac)
{
	*s = (struct hooksig){.hmac = hmac ? strdup(hmac) : NULL};
	if (hmac && !s->hmac)
		return -ENOMEM;
	return identity_sha256(secret, strlen(secret), s->path);
}

void hooksig_done(struct hooksig *s)
{
	file_secret_free(s->hmac);
	*s = (struct hooksig){.hmac = NULL};
}

bool hooksig_path_fits(const struct hooksig *s, const char *path)
{
	uint8_t digest[32];
	size_t before = sizeof HOOKSIG_PATH - 1;

	/* Digests are of one length, and say nothing of how much of two texts is the same. */
	return strncmp(path, HOOKSIG_PATH, before) == 0 &&
		identity_sha256(path + before, strlen(path + before), digest) == 0 &&
		CRYPTO_memcmp(digest, s->path, sizeof digest) == 0;
}

bool hooksig_body_fits(
	const struct hooksig *s, const char *signature, const void *body, size_t length)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char hex[HEX_SIZE];

	if (!s->hmac)
		return true;
	if (!signature)
		return false;
	if (strncmp(signature, PREFIX, sizeof PREFIX - 1) == 0)
		signature += sizeof PREFIX - 1;
	if (strlen(signature) != HEX_SIZE - 1 ||
		!HMAC(EVP_sha256(), s->hmac, (int)strlen(s->hmac), body, length, mac, &n) ||
		n != 32)
		return false;
	hex_encode(mac, n, hex);
	return CRYPTO_memcmp(hex, signature, HEX_SIZE - 1) == 0;
}
