/*
 * The sandbox's own certificate authority, and the server certificate that it signs.
 *
 * In the data folder: ca.pem (what a client is told to trust), ca.key, server.pem, server.key.
 * They are made at the first start. The server's certificate is made anew when it expires within 30
 * days, does not name all that is asked for, or does not belong to the CA; the CA only when it is
 * missing, unreadable or about to expire, since clients have copied it.
 */
#ifndef PUNCHD_SANDBOX_TLS_H
#define PUNCHD_SANDBOX_TLS_H

#include <stddef.h>

#include <openssl/ssl.h>

/*
 * Make what is missing in dir, and a context for a server (TLS 1.2 or newer). names are host names
 * or addresses that the certificate must hold beside 127.0.0.1, ::1 and localhost.
 * Returns 0 with *ret_ctx for SSL_CTX_free, or -EIO (logged).
 */
int tls_prepare(const char *dir, const char *const *names, size_t count, SSL_CTX **ret_ctx);

#endif
