#include "base/jget.h"

#include <errno.h>

int jget_str(const json_t *object, const char *key, size_t min, size_t max, const char **ret_text)
{
	const json_t *value = json_object_get(object, key);
	size_t length;

	if (!value)
		return 0;
	if (!json_is_string(value))
		return -EINVAL;
	length = json_string_length(value);
	if (length < min || length > max || strlen(json_string_value(value)) != length)
		return -EINVAL;
	*ret_text = json_string_value(value);
	return 1;
}

int jget_bool(const json_t *object, const char *key, bool *ret)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return -EINVAL;
	*ret = json_is_true(value);
	return 1;
}

int jget_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *ret)
{
	const json_t *value = json_object_get(object, key);
	json_int_t number;

	if (!value)
		return 0;
	if (!json_is_integer(value))
		return -EINVAL;
	number = json_integer_value(value);
	if (number < min || number > max)
		return -EINVAL;
	*ret = number;
	return 1;
}

const char *jget_str_or_empty(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}
