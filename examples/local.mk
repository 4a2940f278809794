# examples: programs of others, built here as well so that they stay whole. They see what is installed,
# and nothing else.
noinst_PROGRAMS += examples/users-csv examples/record-punch examples/download-report \
	examples/devices-poll
EXAMPLES_CPPFLAGS = -I$(srcdir)/src/api
EXAMPLES_LIBS = libpunch-api.a $(CURL_LIBS) $(JANSSON_LIBS)
examples_users_csv_SOURCES = examples/users-csv.c
examples_users_csv_CPPFLAGS = $(EXAMPLES_CPPFLAGS)
examples_users_csv_LDADD = $(EXAMPLES_LIBS)
examples_record_punch_SOURCES = examples/record-punch.c
examples_record_punch_CPPFLAGS = $(EXAMPLES_CPPFLAGS)
examples_record_punch_LDADD = $(EXAMPLES_LIBS)
examples_download_report_SOURCES = examples/download-report.c
examples_download_report_CPPFLAGS = $(EXAMPLES_CPPFLAGS)
examples_download_report_LDADD = $(EXAMPLES_LIBS)
examples_devices_poll_SOURCES = examples/devices-poll.c
examples_devices_poll_CPPFLAGS = $(EXAMPLES_CPPFLAGS)
examples_devices_poll_LDADD = $(EXAMPLES_LIBS)
EXTRA_DIST += examples/Makefile
