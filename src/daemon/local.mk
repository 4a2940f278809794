noinst_LIBRARIES += libdaemon.a
libdaemon_a_SOURCES = \
	src/daemon/acks.c src/daemon/acks.h \
	src/daemon/alarms.c src/daemon/alarms.h \
	src/daemon/apikey.c src/daemon/apikey.h \
	src/daemon/attempts.c src/daemon/attempts.h \
	src/daemon/check.c src/daemon/check.h \
	src/daemon/clockmarks.c src/daemon/clockmarks.h \
	src/daemon/cloudmarks.c src/daemon/cloudmarks.h \
	src/daemon/conditions.c src/daemon/conditions.h \
	src/daemon/context.c src/daemon/context.h \
	src/daemon/control.c src/daemon/control.h src/daemon/control_private.h \
	src/daemon/control_filter.c src/daemon/control_hand.c \
	src/daemon/control_links.c src/daemon/control_lobby.c src/daemon/control_pause.c \
	src/daemon/control_report.c \
	src/daemon/entry.c src/daemon/entry.h \
	src/daemon/control_users.c \
	src/daemon/devices.c src/daemon/devices.h \
	src/daemon/families.c src/daemon/families.h \
	src/daemon/forward.c src/daemon/forward.h src/daemon/forward_private.h \
	src/daemon/forward_answer.c src/daemon/forward_doubt.c src/daemon/forward_hand.c \
	src/daemon/forward_join.c src/daemon/forward_pause.c src/daemon/forward_pick.c \
	src/daemon/forward_event.c src/daemon/forward_settle.c \
	src/daemon/guard.c src/daemon/guard.h \
	src/daemon/hooks.c src/daemon/hooks.h src/daemon/hooks_private.h \
	src/daemon/hooks_apply.c src/daemon/hooks_kept.c \
	src/daemon/inforce.c src/daemon/inforce.h \
	src/daemon/intake.c src/daemon/intake.h src/daemon/intake_private.h \
	src/daemon/intake_crash.c src/daemon/intake_profile.c src/daemon/intake_record.c \
	src/daemon/judging.c src/daemon/judging.h \
	src/daemon/letters.c src/daemon/letters.h \
	src/daemon/link.c src/daemon/link.h \
	src/daemon/linking.c src/daemon/linking.h \
	src/daemon/newpeople.c src/daemon/newpeople.h src/daemon/newpeople_private.h \
	src/daemon/newpeople_answer.c src/daemon/newpeople_ask.c \
	src/daemon/newpeople_settle.c src/daemon/newpeople_view.c \
	src/daemon/localreport.c src/daemon/localreport.h \
	src/daemon/opening.c src/daemon/opening.h \
	src/daemon/people.c src/daemon/people.h \
	src/daemon/punchd.c src/daemon/punchd.h \
	src/daemon/refresh.c src/daemon/refresh.h \
	src/daemon/refresh_page.c src/daemon/refresh_page.h \
	src/daemon/rejudge.c src/daemon/rejudge.h \
	src/daemon/reload.c src/daemon/reload.h \
	src/daemon/replaced.c src/daemon/replaced.h \
	src/daemon/reports.c src/daemon/reports.h src/daemon/reports_private.h \
	src/daemon/reports_cloud.c src/daemon/reports_local.c src/daemon/reports_words.c \
	src/daemon/service.c src/daemon/service.h \
	src/daemon/settings.c src/daemon/settings_check.c src/daemon/settings_tell.c \
	src/daemon/settings.h \
	src/daemon/settlement.c src/daemon/settlement.h \
	src/daemon/status.c src/daemon/status.h \
	src/daemon/terminals.c src/daemon/terminals.h \
	src/daemon/unsettled.c \
	src/daemon/upkeep.c src/daemon/upkeep.h \
	src/daemon/view.c src/daemon/view.h

sbin_PROGRAMS += punchd
punchd_SOURCES = src/daemon/main.c
punchd_LDADD = libdaemon.a libstore.a libedge.a libapi.a libcore.a libbase.a \
	$(LIBEVENT_OPENSSL_LIBS) \
	$(LIBEVENT_LIBS) $(CURL_LIBS) $(SQLITE_LIBS) $(MOSQUITTO_LIBS) \
	$(JANSSON_LIBS) $(INIH_LIBS) $(SYSTEMD_LIBS) $(CRYPTO_LIBS) $(OPENSSL_LIBS) -lpthread

dist_man_MANS += man/punchd.8 man/punchd.conf.5 man/punchd-mqtt.7 man/punchd-profile.5
