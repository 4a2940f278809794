noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	src/store/schema.c src/store/schema.h \
	src/store/store.c src/store/store.h \
	src/store/store_check.c src/store/store_check.h \
	src/store/store_copy.c src/store/store_copy.h \
	src/store/store_directory.c src/store/store_directory.h \
	src/store/store_event.c src/store/store_event.h \
	src/store/store_facts.c \
	src/store/store_guard.c src/store/store_guard.h \
	src/store/store_hand.c src/store/store_hand.h \
	src/store/store_leaf.c src/store/store_leaf.h \
	src/store/store_link.c src/store/store_link.h \
	src/store/store_lobby.c src/store/store_lobby.h \
	src/store/store_log.c src/store/store_log.h \
	src/store/store_mend.c src/store/store_mend.h \
	src/store/store_newuser.c src/store/store_newuser.h \
	src/store/store_open.c \
	src/store/store_pages.c src/store/store_pages.h \
	src/store/store_private.h \
	src/store/store_punch.c src/store/store_punch.h \
	src/store/store_read.c \
	src/store/store_report.c src/store/store_report.h \
	src/store/store_salvage.c src/store/store_salvage.h \
	src/store/store_sql.c \
	src/store/store_tables.c src/store/store_tables.h \
	src/store/store_taps.c src/store/store_taps.h \
	src/store/store_upkeep.c \
	src/store/tapcache.c src/store/tapcache.h
