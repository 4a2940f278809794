#include "core/config.h"

#include <errno.h>
#include <sys/un.h>

#include "base/netaddr.h"
#include "core/config_keys.h"

/* ---- faults that show only when everything is read */

static const struct config_origin *origin_of(
	const struct config *c, const char *section, const char *name)
{
	return &c->origins[config_key_find(section, name) - config_keys];
}

void config_fault(const struct config *c, const char *section, const char *name, struct buf *faults,
	const char *format, ...)
{
	const struct config_origin *at = origin_of(c, section, name);
	char message[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof message, format, ap);
	va_end(ap);
	if (at->file)
		config_fault_at(faults, at->file, at->line, "%s: %s", name, message);
	else
		config_fault_at(faults, NULL, 0, "[%s] %s: %s", section, name, message);
}

/* The defaults agree, so a person set one of the two. */
static void check_retry(const struct config *c, struct buf *faults)
{
	const struct config_origin *min = origin_of(c, "api", "retry_min");

	if (c->api.retry_min_ms <= c->api.retry_max_ms || min->refused ||
		origin_of(c, "api", "retry_max")->refused)
		return;
	if (min->file)
		config_fault(c, "api", "retry_min", faults, "is longer than retry_max");
	else
		config_fault(c, "api", "retry_max", faults, "is shorter than retry_min");
}

/* A longer one cannot be listened on. */
static void check_socket(const struct config *c, struct buf *faults)
{
	size_t most = sizeof((struct sockaddr_un *)NULL)->sun_path - 1;

	if (strlen(c->control.socket) > most)
		config_fault(c, "control", "socket", faults,
			"a socket's path has at most %zu bytes, this one has %zu", most,
			strlen(c->control.socket));
	if (strcmp(c->control.socket, c->store.path) == 0)
		config_fault(c, "control", "socket", faults, "is the path of the store, too");
}

bool config_webhook_is_loopback(const struct config *c)
{
	struct sockaddr_storage address;
	socklen_t size;

	return netaddr_parse(c->webhook.listen, &address, &size) == 0 &&
		netaddr_is_loopback(&address);
}

static void check_webhook_tls(const struct config *c, struct buf *faults)
{
	bool cert = c->webhook.cert_file[0], key = c->webhook.key_file[0];

	if (origin_of(c, "webhook", "cert_file")->refused ||
		origin_of(c, "webhook", "key_file")->refused)
		return;
	if (cert && !key)
		config_fault(c, "webhook", "cert_file", faults, "without key_file");
	else if (key && !cert)
		config_fault(c, "webhook", "key_file", faults, "without cert_file");
	else if (c->webhook.listen[0] && !cert && !config_webhook_is_loopback(c))
		config_fault(c, "webhook", "listen", faults,
			"others than this machine can reach it, so it needs cert_file and "
			"key_file");
}

static void check_webhook(const struct config *c, struct buf *faults)
{
	check_webhook_tls(c, faults);
	if (c->webhook.listen[0] && !c->webhook.secret_file[0] &&
		!origin_of(c, "webhook", "secret_file")->refused)
		config_fault(c, "webhook", "listen", faults,
			"without secret_file: anybody could say what they like");
}

/* A value that was refused contradicts nothing: its fault is told already. */
void config_check(const struct config *c, struct buf *faults)
{
	check_retry(c, faults);
	if (c->mqtt.password_file[0] && !c->mqtt.username[0] &&
		!origin_of(c, "mqtt", "username")->refused)
		config_fault(c, "mqtt", "password_file", faults,
			"without username: MQTT 3.1.1 has no such login");
	if (c->mqtt.keepalive_ms % 1000 != 0)
		config_fault(c, "mqtt", "keepalive", faults, "MQTT counts it in whole seconds");
	check_socket(c, faults);
	check_webhook(c, faults);
}

/* ---- life and printing */

int config_init(struct config *c)
{
	*c = (struct config){.origins = NULL};
	config_terminals_init(&c->terminals);
	c->origins = calloc(config_keys_count, sizeof *c->origins);
	if (!c->origins)
		return -ENOMEM;
	for (size_t i = 0; i < config_keys_count; i++) {
		if (config_key_set(c, &config_keys[i], config_keys[i].fallback) < 0) {
			config_done(c);
			return -ENOMEM;
		}
	}
	return 0;
}

void config_done(struct config *c)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (c->origins)
			free(c->origins[i].file);
		if (config_key_is_text(k)) {
			free(*config_key_text(c, k));
			*config_key_text(c, k) = NULL;
		}
	}
	free(c->origins);
	c->origins = NULL;
	config_terminals_done(&c->terminals);
}

static void print_section(const struct config_key *k, const char **last, struct buf *out)
{
	if (*last && strcmp(*last, k->section) == 0)
		return;
	buf_addf(out, "%s[%s]\n", *last ? "\n" : "", k->section);
	*last = k->section;
}

/* Blanks around the `=` where they do no harm: before a leading `;` they would make a comment of
 * the value, and a line has a cap. */
static void print_setting(const char *name, const char *value, struct buf *out)
{
	bool roomy = value[0] != ';' && strlen(name) + 3 + strlen(value) <= CONFIG_LINE_MAX;

	buf_addf(out, roomy ? "%s = %s\n" : "%s=%s\n", name, value);
}

void config_print(const struct config *c, struct buf *out)
{
	const char *last = NULL;
	struct buf value;

	buf_init(&value, CONFIG_LINE_MAX);
	for (size_t i = 0; i < config_keys_count; i++) {
		print_section(&config_keys[i], &last, out);
		buf_clear(&value);
		config_key_print(c, &config_keys[i], &value);
		print_setting(config_keys[i].name, value.data, out);
	}
	buf_done(&value);
	config_terminals_print(&c->terminals, out, print_setting);
}

void config_restart_keys(const struct config *now, const struct config *wanted, struct buf *out)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (!k->live && !config_key_same(now, wanted, k))
			buf_addf(out, "%s[%s] %s", out->len ? " " : "", k->section, k->name);
	}
}

void config_take_live(struct config *now, struct config *wanted)
{
	struct config_terminals terminals = now->terminals;

	for (size_t i = 0; i < config_keys_count; i++) {
		struct config_origin origin = now->origins[i];

		if (!config_keys[i].live)
			continue;
		config_key_swap(now, wanted, &config_keys[i]);
		now->origins[i] = wanted->origins[i];
		wanted->origins[i] = origin;
	}
	now->terminals = wanted->terminals;
	wanted->terminals = terminals;
}
