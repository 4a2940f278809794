noinst_LIBRARIES += libcore.a
libcore_a_SOURCES = \
	src/core/calendar.c src/core/calendar.h \
	src/core/clocktrust.c src/core/clocktrust.h \
	src/core/cloudclock.c src/core/cloudclock.h \
	src/core/config.c src/core/config.h \
	src/core/config_hint.c src/core/config_hint.h \
	src/core/config_keys.c src/core/config_keys.h \
	src/core/config_pages.c \
	src/core/config_read.c \
	src/core/config_road.c src/core/config_road.h \
	src/core/config_terminals.c src/core/config_terminals.h \
	src/core/config_values.c \
	src/core/directory.c src/core/directory.h \
	src/core/event.c src/core/event.h \
	src/core/hand.c src/core/hand.h \
	src/core/hooksig.c src/core/hooksig.h \
	src/core/idempotence.c src/core/idempotence.h \
	src/core/identity.c src/core/identity.h \
	src/core/links.c src/core/links.h \
	src/core/newuser.c src/core/newuser.h \
	src/core/outbox.c src/core/outbox.h src/core/outbox_next.c src/core/outbox_private.h \
	src/core/payload.c src/core/payload.h \
	src/core/profile.h \
	src/core/profile_check.c src/core/profile_check.h \
	src/core/profile_letter.c \
	src/core/profile_load.c \
	src/core/profile_parse.c \
	src/core/profile_path.c \
	src/core/profile_read.c \
	src/core/profile_set.c src/core/profile_set.h \
	src/core/profile_side.c \
	src/core/profile_time.c \
	src/core/profile_topic.c src/core/profile_topic.h \
	src/core/punch.c src/core/punch.h \
	src/core/refusals.c src/core/refusals.h \
	src/core/report.c src/core/report.h \
	src/core/report_write.c src/core/report_write.h \
	src/core/rules.h \
	src/core/settle.c src/core/settle.h \
	src/core/skew.c src/core/skew.h \
	src/core/taps.c src/core/taps.h \
	src/core/user.c src/core/user.h \
	src/core/verdict.c src/core/verdict.h \
	src/core/workday.c src/core/workday.h

profilesdir = $(datadir)/punchd/profiles
dist_profiles_DATA = \
	etc/profiles/dejaos-v2.json \
	etc/profiles/esp-rfid-ha.json \
	etc/profiles/esp-rfid.json \
	etc/profiles/hikvision-search.json \
	etc/profiles/hikvision.json \
	etc/profiles/mqtt-face.json \
	etc/profiles/tasmota-fingerprint.json \
	etc/profiles/tasmota-rfid.json \
	etc/profiles/zkteco-adms-kv.json \
	etc/profiles/zkteco-adms.json
