/*
 * Whether a webhook call is from who knows our secrets: the one in its path, and where one is set the
 * one that its body is signed with. Pure, and as fast for a near miss as for any other.
 */
#ifndef PUNCHD_CORE_HOOKSIG_H
#define PUNCHD_CORE_HOOKSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOOKSIG_PATH       "/webhook/"
#define HOOKSIG_SECRET_MIN 24 /* characters */

/* Of the secret itself only its digest is kept. */
struct hooksig {
	uint8_t path[32];
	char *hmac; /* owned; NULL: no signature is asked for */
};

/* Why a secret is none that may be used; NULL: it may. */
const char *hooksig_secret_fault(const char *secret);

/* hmac NULL: none. Returns 0 or -ENOMEM; hooksig_done in either case. */
int hooksig_init(struct hooksig *s, const char *secret, const char *hmac);
void hooksig_done(struct hooksig *s);

/* The decoded path of a call is HOOKSIG_PATH and the secret. */
bool hooksig_path_fits(const struct hooksig *s, const char *path);

/* signature: the header's value, NULL where there is none: lower-case hex of the HMAC-SHA256 of the
 * body as it came, `sha256=` before it allowed. */
bool hooksig_body_fits(
	const struct hooksig *s, const char *signature, const void *body, size_t length);

#endif
