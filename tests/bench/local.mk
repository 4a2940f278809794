# What the measurements of tests/bench need beside the programs: ./dev bench builds it.
check_PROGRAMS += tests/bench/bare_curl
tests_bench_bare_curl_SOURCES = tests/bench/bare_curl.c
tests_bench_bare_curl_LDADD = libbase.a $(CURL_LIBS)
EXTRA_DIST += tests/bench/bench.py tests/bench/broker_kept.py tests/bench/bytes_written.py tests/bench/disk.py \
	tests/bench/rejudging.py tests/bench/reporting.py tests/bench/rows.py tests/bench/sandbox_rate.py tests/bench/speed.py
