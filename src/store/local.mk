noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	src/store/schema.c src/store/schema.h \
	src/store/store.c src/store/store.h \
	src/store/store_directory.c src/store/store_directory.h \
	src/store/store_facts.c \
	src/store/store_guard.c src/store/store_guard.h \
	src/store/store_private.h \
	src/store/store_punch.c src/store/store_punch.h \
	src/store/store_sql.c \
	src/store/store_upkeep.c
