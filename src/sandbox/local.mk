# src/sandbox: punch-sandbox, a stand-in for the cloud
noinst_LIBRARIES += libsandbox.a
libsandbox_a_SOURCES = \
	src/sandbox/answer.c src/sandbox/answer.h \
	src/sandbox/call_attendance.c \
	src/sandbox/call_page.c \
	src/sandbox/call_report.c \
	src/sandbox/call_sandbox.c \
	src/sandbox/call_stats.c \
	src/sandbox/call_users.c \
	src/sandbox/call_events.c \
	src/sandbox/curlloop.c src/sandbox/curlloop.h \
	src/sandbox/db.c src/sandbox/db.h \
	src/sandbox/directory.c src/sandbox/directory.h \
	src/sandbox/events.c src/sandbox/events.h \
	src/sandbox/exchange.c src/sandbox/exchange.h \
	src/sandbox/fault.c src/sandbox/fault.h \
	src/sandbox/gate.c src/sandbox/gate.h \
	src/sandbox/hook.c src/sandbox/hook.h \
	src/sandbox/idempotency.c src/sandbox/idempotency.h \
	src/sandbox/keys.c src/sandbox/keys.h \
	src/sandbox/listing.c src/sandbox/listing.h \
	src/sandbox/options.c src/sandbox/options.h \
	src/sandbox/options_table.c src/sandbox/options_table.h \
	src/sandbox/pdf.c src/sandbox/pdf.h \
	src/sandbox/record.c src/sandbox/record.h \
	src/sandbox/report.c src/sandbox/report.h \
	src/sandbox/report_text.c src/sandbox/report_text.h \
	src/sandbox/route.c \
	src/sandbox/sandbox.h \
	src/sandbox/schedule.c src/sandbox/schedule.h \
	src/sandbox/seed.c src/sandbox/seed.h \
	src/sandbox/server.c \
	src/sandbox/tls.c src/sandbox/tls.h

# The page at /: its files become bytes of the program.
sandbox_page = src/sandbox/page/index.html src/sandbox/page/script.js src/sandbox/page/style.css
EXTRA_DIST += $(sandbox_page)
BUILT_SOURCES += src/sandbox/page_files.inc
CLEANFILES += src/sandbox/page_files.inc
src/sandbox/page_files.inc: $(sandbox_page)
	$(AM_V_GEN)$(MKDIR_P) src/sandbox && rm -f $@.part && for file in $(sandbox_page); do \
		name=`basename $$file | tr . _`; \
		echo "static const unsigned char page_$$name[] = {" && \
		od -An -v -tx1 $(srcdir)/$$file | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g' && \
		echo '};'; \
	done >$@.part && mv $@.part $@
src/sandbox/call_page.$(OBJEXT): src/sandbox/page_files.inc

bin_PROGRAMS += punch-sandbox
punch_sandbox_SOURCES = src/sandbox/main.c
punch_sandbox_LDADD = libsandbox.a libbase.a $(LIBEVENT_OPENSSL_LIBS) $(LIBEVENT_LIBS) \
	$(CURL_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS) $(OPENSSL_LIBS)

dist_man_MANS += man/punch-sandbox.1
