/*
 * Requests of the cloud API as text: URLs, bodies, header values. Pure.
 *
 * A body is a function of the record alone: what is sent again under one Idempotency-Key is the
 * same bytes, whichever run of the daemon sends it.
 */
#ifndef PUNCHD_API_WIRE_H
#define PUNCHD_API_WIRE_H

#include "api/api.h"

#include <stdbool.h>

/* Whether requests may go to this base: https, a host, no user, query, fragment or trailing slash,
 * nothing but visible ASCII. */
bool wire_base_url_sound(const char *url);

/* Whether a header may carry this: visible ASCII, at least one byte, at most 4096. */
bool wire_token_sound(const char *text);

/*
 * The texts below are freed by the caller. All return 0, -ENOMEM, or -EINVAL where a text of the
 * record is no UTF-8.
 */
int wire_attendance_body(const struct api_attendance *a, char **ret_body);
int wire_attendance_url(const char *base_url, char **ret_url);
int wire_users_url(const char *base_url, int limit, int64_t offset, char **ret_url);
int wire_devices_url(const char *base_url, char **ret_url);
int wire_user_body(const struct api_new_user *u, char **ret_body);
int wire_user_url(const char *base_url, char **ret_url);

/* Values are encoded (RFC 3986 §2.1): a department may have any name. */
int wire_report_url(const char *base_url, const struct api_report_query *q, char **ret_url);

/* The Accept of a report, for its own form and for errors. */
const char *wire_report_accept(enum api_format format);

/* "Bearer KEY". */
int wire_authorization(const char *key, char **ret_value);

#endif
