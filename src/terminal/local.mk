# src/terminal: punch-terminal, a double that shares nothing but base/ with what it tests
bin_PROGRAMS += punch-terminal
noinst_LIBRARIES += libterminal.a
libterminal_a_SOURCES = \
	src/terminal/fleet.c src/terminal/fleet.h \
	src/terminal/journal.c src/terminal/journal.h \
	src/terminal/keep.c src/terminal/keep.h \
	src/terminal/link.c src/terminal/link.h \
	src/terminal/make.c src/terminal/make.h \
	src/terminal/names.c src/terminal/names.h \
	src/terminal/notes.c src/terminal/notes.h \
	src/terminal/options.c src/terminal/options.h \
	src/terminal/options_table.c src/terminal/options_table.h \
	src/terminal/pattern.c src/terminal/pattern.h \
	src/terminal/people.c src/terminal/people.h \
	src/terminal/raw.c src/terminal/raw.h \
	src/terminal/reply.c src/terminal/reply.h \
	src/terminal/shelf.c src/terminal/shelf.h \
	src/terminal/terminal.c src/terminal/terminal.h \
	src/terminal/terminal_private.h \
	src/terminal/terminal_receive.c \
	src/terminal/terminal_send.c

punch_terminal_SOURCES = src/terminal/main.c
punch_terminal_LDADD = libterminal.a libbase.a $(LIBEVENT_LIBS) $(MOSQUITTO_LIBS) $(SQLITE_LIBS) \
	$(JANSSON_LIBS)
dist_man_MANS += man/punch-terminal.1
