noinst_LIBRARIES += libcore.a
libcore_a_SOURCES = \
	src/core/clocktrust.c src/core/clocktrust.h \
	src/core/config.c src/core/config.h \
	src/core/config_keys.c src/core/config_keys.h \
	src/core/directory.c src/core/directory.h \
	src/core/identity.c src/core/identity.h \
	src/core/links.c src/core/links.h \
	src/core/outbox.c src/core/outbox.h \
	src/core/payload.c src/core/payload.h \
	src/core/punch.c src/core/punch.h \
	src/core/refusals.c src/core/refusals.h \
	src/core/settle.c src/core/settle.h \
	src/core/user.c src/core/user.h \
	src/core/verdict.c src/core/verdict.h \
	src/core/workday.c src/core/workday.h
