#include "api/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <strings.h>

#include "base/buf.h"

#define TOKEN_MAX 4096
#define TEXT_MAX  (16 * 1024)

static bool visible_ascii(const char *text)
{
	for (; *text; text++)
		if (*text < 0x21 || *text > 0x7e)
			return false;
	return true;
}

bool wire_base_url_sound(const char *url)
{
	static const char scheme[] = "https://";
	const char *host = url + sizeof scheme - 1;

	if (strncasecmp(url, scheme, sizeof scheme - 1) != 0)
		return false;
	if (*host == '\0' || *host == '/' || *host == ':')
		return false;
	return visible_ascii(url) && !strpbrk(url, "@?#\\") && url[strlen(url) - 1] != '/';
}

bool wire_token_sound(const char *text)
{
	return *text != '\0' && visible_ascii(text) && strlen(text) <= TOKEN_MAX;
}

static int make_text(char **ret_text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int make_text(char **ret_text, const char *format, ...)
{
	struct buf b;
	va_list ap;
	int r;

	buf_init(&b, TEXT_MAX);
	va_start(ap, format);
	buf_vaddf(&b, format, ap);
	va_end(ap);
	r = buf_error(&b);
	if (r < 0) {
		buf_done(&b);
		return r == -E2BIG ? -EINVAL : r;
	}
	*ret_text = buf_steal(&b);
	return 0;
}

/* Add a member. jansson says only "no" to a text that is no UTF-8 and to a lack of memory. */
static int add_member(json_t *object, const char *key, const char *text)
{
	json_t *value = json_string(text);
	json_t *any;

	if (value)
		return json_object_set_new(object, key, value) < 0 ? -ENOMEM : 0;
	any = json_string_nocheck("");
	json_decref(any);
	return any ? -EINVAL : -ENOMEM;
}

int wire_attendance_body(const struct api_attendance *a, char **ret_body)
{
	json_t *object = json_object();
	int r = object ? 0 : -ENOMEM;

	r = r < 0 ? r : add_member(object, "user_id", a->user_id);
	r = r < 0 ? r : add_member(object, "device_id", a->device_id);
	r = r < 0 ? r : add_member(object, "type", a->type);
	r = r < 0 ? r : add_member(object, "timestamp", a->timestamp);
	if (r == 0) {
		*ret_body = json_dumps(object, JSON_COMPACT);
		r = *ret_body ? 0 : -ENOMEM;
	}
	json_decref(object);
	return r;
}

int wire_attendance_url(const char *base_url, char **ret_url)
{
	return make_text(ret_url, "%s/attendance", base_url);
}

int wire_users_url(const char *base_url, int limit, int64_t offset, char **ret_url)
{
	return make_text(ret_url, "%s/users?limit=%d&offset=%" PRId64, base_url, limit, offset);
}

int wire_devices_url(const char *base_url, char **ret_url)
{
	return make_text(ret_url, "%s/devices", base_url);
}

int wire_authorization(const char *key, char **ret_value)
{
	return make_text(ret_value, "Bearer %s", key);
}
