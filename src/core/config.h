/*
 * Settings: one table of keys, from which the parser, `punchd -p` and the shipped file come
 * (punchd.conf(5)).
 *
 * Pure: file contents are handed in, in the order in which they are to be read; a later file's value
 * replaces an earlier one's, in one file a key may stand once. Every fault is noted with file and line, and reading goes on, so that
 * a person sees all of them at once. A struct config with faults is not used.
 */
#ifndef PUNCHD_CORE_CONFIG_H
#define PUNCHD_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/config_terminals.h"

/* Durations are milliseconds, sizes bytes. Texts are owned by the config and never NULL. */
struct config {
	struct {
		char *base_url;
		char *key_file;
		char *ca_file;
		int64_t plan; /* requests a minute; 0: auto */
		int64_t timeout_ms;
		int64_t max_in_flight;
		int64_t retry_min_ms;
		int64_t retry_max_ms;
		int64_t auth_retry_ms;
		char *proxy;             /* may hold a password; empty: as the environment says */
		char *pinned_public_key; /* sha256//…, blanks between them */
		int64_t in_doubt;        /* enum doubt_rule */
	} api;
	struct {
		char *host;
		int64_t port;
		char *client_id;
		char *username;
		char *password_file;
		int64_t keepalive_ms;
		char *topic_prefix;
		char *profiles; /* names, a blank between them */
		char *profile_dir;
		int64_t max_payload;
	} mqtt;
	struct {
		char *name;
		char *time_zone;
		int64_t day_start_s; /* after midnight */
		int64_t max_shift_ms;
		int64_t working_days; /* calendar_parse_week */
		char *holidays;
		int64_t late_after_s; /* after midnight, and the next */
		int64_t early_before_s;
	} site;
	struct {
		int64_t direction; /* enum direction_rule */
		int64_t double_tap_ms;
		int64_t max_age_ms;
		int64_t max_future_ms;
		int64_t accept_from_s; /* INT64_MIN: no limit */
		int64_t unknown_user;  /* enum verdict_answer, and the next two */
		int64_t unknown_device;
		int64_t inactive_device;
		int64_t greet; /* 0 or 1 */
	} punches;
	struct {
		char *path;
		int64_t retention_ms;
		int64_t min_free;
	} store;
	struct {
		int64_t users_ms;
		int64_t devices_ms;
	} sync;
	struct {
		char *socket;
		char *group;
	} control;
	struct {
		int64_t level; /* enum log_level */
	} log;
	struct {
		char *listen; /* empty: off */
		char *secret_file;
		char *hmac_secret_file;
		char *signature_header;
		char *cert_file;
		char *key_file;
	} webhook;
	struct config_terminals terminals;
	/* config*.c's own */
	struct config_origin *origins; /* where each value was read */
	int readings;                  /* how many files were */
};

/* All defaults. Returns 0 or -ENOMEM. */
int config_init(struct config *c);
void config_done(struct config *c);

/*
 * Read one file's text into c. Faults are appended to `faults` as lines `FILE:LINE: message`.
 * Where they find no more room, reading ends, and buf_error tells.
 * Returns 0, also with faults, or -ENOMEM: then c may be half-read and faults may be missing.
 */
int config_read(struct config *c, const char *file, const char *text, size_t n, struct buf *faults);

/* What only shows when everything is read: keys that contradict each other. Faults as above, at the
 * place where the key was set. */
void config_check(const struct config *c, struct buf *faults);

/* Whether [webhook] listen is an address that only this machine can reach. */
bool config_webhook_is_loopback(const struct config *c);

/*
 * Append a fault of one key, `FILE:LINE: key: message`, at the place where it was set; where it has
 * its default, `[section] key: message`. section and name are of the table.
 */
void config_fault(const struct config *c, const char *section, const char *name, struct buf *faults,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Append any fault as a line `FILE:LINE: message`; file NULL: the message alone. What it quotes is a
 * person's: what is no UTF-8 and control characters in it become `?`. */
void config_fault_at(struct buf *faults, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Append all settings as a file that config_read reads back to the same, but for user and password
 * of a proxy, which are blanked. */
void config_print(const struct config *c, struct buf *out);

/* Append the names (`[section] key`, a blank between them) of keys that differ and take effect only
 * after a restart. */
void config_restart_keys(const struct config *now, const struct config *wanted, struct buf *out);

/* Take over from `wanted` what takes effect at once; the rest of `now` stays. `wanted` may be left
 * with values of `now`, and is to be done with. */
void config_take_live(struct config *now, struct config *wanted);

/* Append the shipped file: every key with its help and its default, commented out. */
void config_example(struct buf *out);

/* The list of keys in punchd.conf(5), an item a key: the i-th, from 0. *ret_mark is the line before it
 * in the page, without its comment sign. false: there are no more. What a person wrote below an item
 * stays there: tests/unit/test_config_pages holds the two in step. */
bool config_page_item(size_t i, struct buf *ret_mark, struct buf *out);

#endif
