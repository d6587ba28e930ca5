# make bench: see tests/bench/README.md.  BENCHFLAGS=--quick for a minute's.
noinst_PROGRAMS += tests/bench/load
tests_bench_load_SOURCES = tests/bench/load.c
noinst_PROGRAMS += tests/bench/admission
tests_bench_admission_SOURCES = tests/bench/admission.c
tests_bench_admission_LDADD = libpool.a libledger.a libstore.a libbase.a \
	$(SQLITE_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS)
EXTRA_PROGRAMS += tests/bench/ledger
tests_bench_ledger_SOURCES = tests/bench/ledger.c $(STORE_RAW)
tests_bench_ledger_CPPFLAGS = $(TEST_CPPFLAGS)
tests_bench_ledger_LDADD = libpool.a libledger.a libstore.a libbase.a \
	$(CMOCKA_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS)
EXTRA_PROGRAMS += tests/bench/lists
tests_bench_lists_SOURCES = tests/bench/lists.c
tests_bench_lists_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/admin
tests_bench_lists_LDADD = libadmin.a librelay.a libhttp.a libpool.a libledger.a \
	libstore.a libbase.a $(CURL_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS) \
	$(SODIUM_LIBS) $(OATH_LIBS)
EXTRA_DIST += \
	tests/bench/README.md \
	tests/bench/admission.mjs \
	tests/bench/bench.mjs \
	tests/bench/leaving.mjs \
	tests/bench/ledger.mjs \
	tests/bench/lists.mjs \
	tests/bench/proc.mjs \
	tests/bench/report.mjs \
	tests/bench/run \
	tests/bench/scenarios.mjs \
	tests/bench/servers.mjs \
	tests/bench/stand.mjs \
	tests/bench/syscalls.mjs

bench: all
	$(srcdir)/tests/bench/run --build $(builddir) \
	    --json $(builddir)/bench.json $(BENCHFLAGS)
.PHONY: bench
