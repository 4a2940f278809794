/* What libcurl's errors do not say, or should not. */
#include <stdio.h>
#include <string.h>

#include "api/curl_private.h"

/* OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED; the API of libcurl hands
 * them through, and we link no OpenSSL. */
enum { NOT_YET_VALID = 9, HAS_EXPIRED = 10 };

/* Machines without a clock battery are where this comes from as a rule. */
static bool is_about_time(const struct transfer *x)
{
	long api = 0, proxy = 0;

	curl_easy_getinfo(x->easy, CURLINFO_SSL_VERIFYRESULT, &api);
	curl_easy_getinfo(x->easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &proxy);
	return api == NOT_YET_VALID || api == HAS_EXPIRED || proxy == NOT_YET_VALID ||
		proxy == HAS_EXPIRED;
}

static void add_words(struct transfer *x, const char *words)
{
	size_t n = strlen(x->error);

	snprintf(x->error + n, sizeof x->error - n, "%s", words);
}

const char *transfer_trouble(struct transfer *x, CURLcode code)
{
	if (code == CURLE_ABORTED_BY_CALLBACK && x->sends > 0)
		return "the kept connection died under the request";
	if (code == CURLE_OK)
		return "the answer ended within its headers";
	if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		return "the server's public key is none of the pinned ones: it has a new key, or "
		       "somebody stands in between";
	/* libcurl 7.88 repeats the URL of the environment with its password. */
	if (strncmp(x->error, "Unsupported proxy ", 18) == 0)
		return "the environment names a proxy that is none";
	if (!x->error[0])
		return curl_easy_strerror(code);
	if (code == CURLE_PEER_FAILED_VERIFICATION && is_about_time(x))
		add_words(x, "; is this machine's clock right?");
	return x->error;
}
