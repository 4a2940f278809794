#include "core/config_road.h"

#include <stddef.h>
#include <string.h>

#define PIN_WORD   "sha256//"
#define PIN_DIGITS 43 /* of base64, and one `=`: 32 bytes */

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* ---- proxies */

/* Behind `SCHEME://`; NULL: not one of ours. */
static const char *behind_scheme(const char *url)
{
	static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
			return url + strlen(schemes[i]);
	}
	return NULL;
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) % 16 : -1;
}

/* What libcurl decodes: no control character may come out of it. */
static bool login_sound(const char *login, size_t n)
{
	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high, low;

		if (strchr(" \\\"<>", login[i]))
			return false;
		if (login[i] != '%')
			continue;
		high = i + 2 < n ? hex_value(login[i + 1]) : -1;
		low = i + 2 < n ? hex_value(login[i + 2]) : -1;
		if (high < 2 || low < 0 || high * 16 + low == 0x7f)
			return false;
	}
	return true;
}

/* What stands behind a port, where there is one; NULL: it is none. */
static const char *behind_port(const char *s)
{
	size_t digits;
	long port = 0;

	if (*s != ':')
		return s;
	digits = strspn(++s, DIGITS);
	for (size_t i = 0; i < digits && port <= 65535; i++)
		port = port * 10 + (s[i] - '0');
	return port >= 1 && port <= 65535 ? s + digits : NULL;
}

/* What stands behind `HOST[:PORT]`; NULL: it is none. */
static const char *behind_host(const char *host)
{
	size_t n;

	if (*host == '[') {
		n = strspn(host + 1, DIGITS "abcdefABCDEF:.");
		return n >= 2 && host[1 + n] == ']' ? behind_port(host + n + 2) : NULL;
	}
	n = strspn(host, LETTERS DIGITS ".-_");
	return n > 0 ? behind_port(host + n) : NULL;
}

/* The slash says nothing. */
static bool host_sound(const char *host)
{
	const char *rest = behind_host(host);

	return rest && (rest[0] == '\0' || (rest[0] == '/' && rest[1] == '\0'));
}

bool config_proxy_sound(const char *value)
{
	const char *host = behind_scheme(value), *at;

	if (!host)
		return value[0] == '\0' || strcmp(value, CONFIG_NO_PROXY) == 0;
	at = host + strcspn(host, "/?#@");
	if (*at != '@')
		return host_sound(host);
	return login_sound(host, (size_t)(at - host)) && host_sound(at + 1);
}

void config_proxy_print(const char *value, struct buf *out)
{
	const char *at = strrchr(value, '@'), *host = behind_scheme(value);

	if (at && host) {
		buf_add(out, value, (size_t)(host - value));
		buf_add_char(out, '*');
		value = at;
	}
	buf_add_str(out, value);
}

/* ---- the API */

bool config_url_sound(const char *value)
{
	const char *path = strncmp(value, CONFIG_SCHEME, sizeof CONFIG_SCHEME - 1) == 0
		? behind_host(value + sizeof CONFIG_SCHEME - 1)
		: NULL;

	if (!path || (path[0] != '\0' && path[0] != '/'))
		return false;
	for (const char *s = path; *s; s++) {
		if (*s <= ' ' || *s > '~' || strchr("@?#\\", *s) || (*s == '/' && s[1] == '\0'))
			return false;
	}
	return true;
}

/* ---- pinned keys */

/* Its length, or 0. Of the last digit only four bits count; libcurl compares texts, so with others
 * it would never match. */
static size_t pin_length(const char *s)
{
	static const size_t word = sizeof PIN_WORD - 1;

	if (strncmp(s, PIN_WORD, word) != 0)
		return 0;
	s += word;
	if (strspn(s, LETTERS DIGITS "+/") != PIN_DIGITS || s[PIN_DIGITS] != '=' ||
		!strchr("AEIMQUYcgkosw048", s[PIN_DIGITS - 1]))
		return 0;
	return word + PIN_DIGITS + 1;
}

bool config_pins_sound(const char *value)
{
	const char *s = value + strspn(value, " ");

	while (*s) {
		size_t n = pin_length(s);

		if (n == 0 || (s[n] && s[n] != ' '))
			return false;
		s += n;
		s += strspn(s, " ");
	}
	return true;
}
