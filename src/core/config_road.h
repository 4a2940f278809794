/*
 * The road to the API: what [api] base_url, proxy and pinned_public_key may hold.
 *
 * Checked here as strictly as libcurl and our client read it or more, since they read it only at the start, and with the first
 * request, when nobody looks any more. A proxy's URL may hold a user and a password: it is never
 * shown but through config_proxy_print.
 */
#ifndef PUNCHD_CORE_CONFIG_ROAD_H
#define PUNCHD_CORE_CONFIG_ROAD_H

#include <stdbool.h>

#include "base/buf.h"

#define CONFIG_NO_PROXY "none" /* whatever the environment says */

#define CONFIG_SCHEME "https://"

/* https://HOST[:PORT][/PATH], without login, query and slash at the end. */
bool config_url_sound(const char *value);

/* Empty, CONFIG_NO_PROXY, or SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/]: http, https, socks5 or
 * socks5h; what is special in user and password as %XX. */
bool config_proxy_sound(const char *value);

/* Append a sound value with a `*` for user and password. It is sound, and no longer than before. */
void config_proxy_print(const char *value, struct buf *out);

/* Empty, or one or several `sha256//` and the base64 of 32 bytes, blanks between them. */
bool config_pins_sound(const char *value);

#endif
