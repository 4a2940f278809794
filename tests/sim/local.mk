# The simulation: the real daemon in a world of its own. Its folder's objects come first, so that the
# linker takes loop, clock, link, transport and control socket from there and not from the libraries.
# Built when it is asked for: make tests/sim/sim.
EXTRA_PROGRAMS += tests/sim/sim
tests_sim_sim_SOURCES = \
	tests/sim/broker.c tests/sim/broker.h \
	tests/sim/chance.c tests/sim/chance.h \
	tests/sim/cloud.c tests/sim/cloud.h tests/sim/cloud_private.h \
	tests/sim/control.c \
	tests/sim/disk.c \
	tests/sim/gateway.c tests/sim/gateway.h \
	tests/sim/herald.c tests/sim/herald.h \
	tests/sim/laws.c tests/sim/laws.h tests/sim/laws_private.h tests/sim/laws_wire.c \
	tests/sim/judge.c tests/sim/judge.h \
	tests/sim/linker.c tests/sim/linker.h \
	tests/sim/loop.c \
	tests/sim/main.c \
	tests/sim/notify.c \
	tests/sim/operator.c tests/sim/operator.h \
	tests/sim/oracle.c \
	tests/sim/plan.c tests/sim/plan.h \
	tests/sim/shrink.c \
	tests/sim/story.c tests/sim/story.h \
	tests/sim/terminal.c tests/sim/terminal.h \
	tests/sim/trouble.c tests/sim/trouble.h \
	tests/sim/watchfile.c \
	tests/sim/way.c \
	tests/sim/world.c tests/sim/world.h \
	tests/unit/faultvfs.c tests/unit/faultvfs.h
tests_sim_sim_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/sim
tests_sim_sim_LDFLAGS = -Wl,--wrap=statvfs
tests_sim_sim_LDADD = libdaemon.a libstore.a libapi.a libcore.a libbase.a $(SQLITE_LIBS) \
	$(JANSSON_LIBS) $(INIH_LIBS) $(SYSTEMD_LIBS) $(CRYPTO_LIBS)
CLEANFILES += tests/sim/sim
EXTRA_DIST += docs/testing.md tests/sim/mutants.sh tests/sim/mutants tests/sim/seeds
