/*
 * The transport over libcurl's multi interface, on a loop that is reached through three calls.
 *
 * HTTPS only, TLS 1.2 or newer, verified; no redirects. libcurl sends a POST again by itself when
 * a kept connection turns out dead: CURLOPT_PREREQFUNCTION sees the second send coming and stops
 * it (libcurl 7.88: error 42), so that wire sends are what was decided; such a transfer is LOST.
 * A request is NEVER_LEFT only while that function has not been called for it: a proxy has been
 * asked, and the server's certificate found good, before.
 *
 * Where a proxy is asked is libcurl's own reading of https_proxy, all_proxy and no_proxy; the last
 * counts for a proxy of the settings, too. Our headers never go to a proxy.
 */
#ifndef PUNCHD_API_CURL_H
#define PUNCHD_API_CURL_H

#include "api/punch-api.h"
#include "api/transport.h"

#endif
