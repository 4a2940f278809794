noinst_LIBRARIES += libctl.a
libctl_a_SOURCES = \
	src/ctl/brokerconf.c src/ctl/brokerconf.h \
	src/ctl/client.c src/ctl/client.h \
	src/ctl/cmd_devices.c \
	src/ctl/cmd_doctor.c \
	src/ctl/cmd_hand.c \
	src/ctl/cmd_links.c \
	src/ctl/cmd_lobby.c \
	src/ctl/cmd_pause.c \
	src/ctl/cmd_punches.c \
	src/ctl/links_csv.c src/ctl/links_csv.h \
	src/ctl/cmd_report.c \
	src/ctl/cmd_status.c \
	src/ctl/cmd_sync.c \
	src/ctl/cmd_trace.c \
	src/ctl/cmd_try_profile.c \
	src/ctl/cmd_users.c src/ctl/cmd_users_add.c \
	src/ctl/cmd_watch.c \
	src/ctl/commands.h \
	src/ctl/ctl.c src/ctl/ctl.h \
	src/ctl/doc.c src/ctl/doc.h \
	src/ctl/doctor.h \
	src/ctl/doctor_devices.c \
	src/ctl/doctor_status.c \
	src/ctl/lobby.h \
	src/ctl/overview.c src/ctl/overview.h \
	src/ctl/pages.c src/ctl/pages.h \
	src/ctl/parse.c src/ctl/parse.h \
	src/ctl/punchrow.c src/ctl/punchrow.h \
	src/ctl/report.h \
	src/ctl/report_compare.c \
	src/ctl/report_file.c \
	src/ctl/report_pdf.c \
	src/ctl/report_show.c \
	src/ctl/screen.c src/ctl/screen.h \
	src/ctl/table.c src/ctl/table.h \
	src/ctl/text.c src/ctl/text.h \
	src/ctl/times.c src/ctl/times.h \
	src/ctl/users.h \
	src/ctl/vocabulary.c src/ctl/vocabulary.h \
	src/ctl/watch.h \
	src/ctl/watch_lines.c \
	src/ctl/watch_screen.c

bin_PROGRAMS += punchctl
punchctl_SOURCES = src/ctl/main.c
punchctl_LDADD = libctl.a libcore.a libbase.a $(CURL_LIBS) $(JANSSON_LIBS)
dist_man_MANS += man/punchctl.1
