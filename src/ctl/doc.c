#include "ctl/doc.h"

json_t *doc_get(const json_t *doc, const char *path)
{
	const json_t *at = doc;

	for (;;) {
		size_t n = strcspn(path, ".");
		char key[64];

		snprintf(key, sizeof key, "%.*s", (int)n, path);
		at = json_object_get(at, key);
		if (!at || json_is_null(at))
			return NULL;
		if (path[n] == '\0')
			return (json_t *)at;
		path += n + 1;
	}
}

const char *doc_text(const json_t *doc, const char *path)
{
	const char *text = json_string_value(doc_get(doc, path));

	return text ? text : "";
}

bool doc_number(const json_t *doc, const char *path, int64_t *ret)
{
	const json_t *value = doc_get(doc, path);

	*ret = json_integer_value(value);
	return json_is_integer(value);
}

int64_t doc_count(const json_t *doc, const char *path)
{
	int64_t n;

	doc_number(doc, path, &n);
	return n;
}

bool doc_true(const json_t *doc, const char *path)
{
	return json_is_true(doc_get(doc, path));
}

const char *doc_who(const json_t *doc, const char *path, char ret_text[static DOC_WHO_SIZE])
{
	const json_t *by = doc_get(doc, path);
	const char *name = doc_text(by, "name");

	if (name[0])
		snprintf(ret_text, DOC_WHO_SIZE, "%.60s", name);
	else
		snprintf(ret_text, DOC_WHO_SIZE, "uid %lld", (long long)doc_count(by, "uid"));
	return ret_text;
}
