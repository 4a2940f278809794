#include "daemon/reload.h"

#include "base/log.h"
#include "daemon/settings.h"

/* A line a key: a line's values are cut where they are long. */
static void log_restart_keys(const struct inforce *f)
{
	json_t *keys = inforce_restart_keys(f);
	const json_t *key;
	size_t i;

	json_array_foreach(keys, i, key)
	{
		log_warn("config", "a changed key takes effect after a restart",
			LOG_S("key", json_string_value(key)));
	}
	json_decref(keys);
}

/* The new profiles in place of the old ones, and what they listen on. */
static void take_profiles(const struct reload *r, struct profile_set *wanted)
{
	struct profile_set old = r->context->profiles;

	r->context->profiles = *wanted;
	if (intake_reload(r->intake) < 0 || link_set_topics(r->link) < 0) {
		log_error("profile", "out of memory: the old profiles stay");
		r->context->profiles = old;
		old = *wanted;
	}
	profile_set_done(&old);
}

static void take(const struct reload *r, struct config *wanted, struct profile_set *profiles)
{
	struct buf restart;

	buf_init(&restart, SETTINGS_FAULTS_MAX);
	config_restart_keys(&r->context->config, wanted, &restart);
	config_take_live(&r->context->config, wanted);
	take_profiles(r, profiles);
	if (context_take_settings(r->context) < 0)
		log_error("config", "out of memory: zones of terminals may be missing");
	hooks_take_settings(r->hooks);
	log_info("config", "settings read again");
	inforce_taken(r->inforce, loop_now(r->context->loop).wall_us, &restart);
	log_restart_keys(r->inforce);
	buf_done(&restart);
}

void reload_run(const struct reload *r)
{
	struct buf faults;
	struct profile_set profiles = {.count = 0};
	struct config wanted;

	buf_init(&faults, SETTINGS_FAULTS_MAX);
	inforce_look(r->inforce, r->inforce->file);
	if (settings_read(&wanted, r->inforce->file, &faults) < 0 || faults.len > 0 ||
		settings_profiles(&wanted, &profiles, &faults) < 0 || faults.len > 0) {
		profile_set_done(&profiles);
		inforce_refused(r->inforce, loop_now(r->context->loop).wall_us, &faults);
		settings_log_faults(&faults);
		log_error("config",
			"the new settings are at fault: the old ones stay. punchd -t tells the "
			"faults; a restart would fail on them");
	} else {
		take(r, &wanted, &profiles);
	}
	config_done(&wanted);
	buf_done(&faults);
}
