noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/backoff.c src/base/backoff.h \
	src/base/banned.h \
	src/base/bucket.c src/base/bucket.h \
	src/base/buf.c src/base/buf.h \
	src/base/chain.c src/base/chain.h \
	src/base/clock.c src/base/clock.h \
	src/base/csv.c src/base/csv.h \
	src/base/file.c src/base/file.h \
	src/base/heap.c src/base/heap.h \
	src/base/hex.c src/base/hex.h \
	src/base/jget.c src/base/jget.h \
	src/base/jsplit.c src/base/jsplit.h \
	src/base/log.c src/base/log.h \
	src/base/mdoc.c src/base/mdoc.h \
	src/base/nearest.c src/base/nearest.h \
	src/base/newfile.c src/base/newfile.h \
	src/base/netaddr.c src/base/netaddr.h \
	src/base/strhash.c src/base/strhash.h \
	src/base/strmap.c src/base/strmap.h \
	src/base/time.c src/base/time.h \
	src/base/tzrule.c src/base/tzrule.h \
	src/base/units.c src/base/units.h \
	src/base/utf8.c src/base/utf8.h \
	src/base/zone.c src/base/zone.h
