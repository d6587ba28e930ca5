# Fuzzers: one a parser, each a file fuzz_NAME.c with LLVMFuzzerTestOneInput
# and a corpus in tests/fuzz/corpus/NAME/.  `make check` replays the corpus
# with any compiler; ./configure CC=clang --enable-fuzzer builds them with
# libFuzzer instead: tests/fuzz/fuzz_NAME -max_total_time=60 FOLDER.
#
# To add one:
#	FUZZERS += tests/fuzz/fuzz_NAME
#	tests_fuzz_fuzz_NAME_SOURCES = tests/fuzz/fuzz_NAME.c $(FUZZ_MAIN)
#	tests_fuzz_fuzz_NAME_CPPFLAGS = $(FUZZ_CPPFLAGS)
#	tests_fuzz_fuzz_NAME_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
#	tests_fuzz_fuzz_NAME_LDADD = libbase.a
FUZZERS =
FUZZ_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCORPUS_DIR='"$(abs_top_srcdir)/tests/fuzz/corpus"'

if FUZZER
FUZZ_MAIN =
noinst_PROGRAMS += $(FUZZERS)
else
FUZZ_MAIN = tests/fuzz/replay.c
check_PROGRAMS += $(FUZZERS)
endif

EXTRA_DIST += tests/fuzz/must.h tests/fuzz/replay.c tests/fuzz/corpus

FUZZERS += tests/fuzz/fuzz_json
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c $(FUZZ_MAIN)
tests_fuzz_fuzz_json_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_json_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_json_LDADD = libbase.a $(JANSSON_LIBS)

FUZZERS += tests/fuzz/fuzz_sse
tests_fuzz_fuzz_sse_SOURCES = tests/fuzz/fuzz_sse.c fcgi/relay/meter.c \
	fcgi/relay/sse.c $(FUZZ_MAIN)
tests_fuzz_fuzz_sse_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_sse_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_sse_LDADD = libbase.a

FUZZERS += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c $(FUZZ_MAIN)
tests_fuzz_fuzz_conf_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_conf_LDADD = libbase.a

FUZZERS += tests/fuzz/fuzz_peek
tests_fuzz_fuzz_peek_SOURCES = tests/fuzz/fuzz_peek.c fcgi/relay/peek.c \
	fcgi/relay/ask.c fcgi/relay/mentions.c fcgi/relay/splice.c \
	fcgi/pool/model_ask.c fcgi/pool/object_ask.c \
	$(FUZZ_MAIN)
tests_fuzz_fuzz_peek_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_peek_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_peek_LDADD = libbase.a

FUZZERS += tests/fuzz/fuzz_record
tests_fuzz_fuzz_record_SOURCES = tests/fuzz/fuzz_record.c $(FUZZ_MAIN)
tests_fuzz_fuzz_record_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_record_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_record_LDADD = libhttp.a libbase.a

FUZZERS += tests/fuzz/fuzz_params
tests_fuzz_fuzz_params_SOURCES = tests/fuzz/fuzz_params.c $(FUZZ_MAIN)
tests_fuzz_fuzz_params_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_params_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_params_LDADD = libhttp.a libbase.a

FUZZERS += tests/fuzz/fuzz_head
tests_fuzz_fuzz_head_SOURCES = tests/fuzz/fuzz_head.c fcgi/relay/head.c \
	$(FUZZ_MAIN)
tests_fuzz_fuzz_head_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_head_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_head_LDADD = libhttp.a libbase.a

FUZZERS += tests/fuzz/fuzz_mysql_url
tests_fuzz_fuzz_mysql_url_SOURCES = tests/fuzz/fuzz_mysql_url.c \
	fcgi/store/mysql_url.c $(FUZZ_MAIN)
tests_fuzz_fuzz_mysql_url_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_mysql_url_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_mysql_url_LDADD = libbase.a

FUZZERS += tests/fuzz/fuzz_zone
tests_fuzz_fuzz_zone_SOURCES = tests/fuzz/fuzz_zone.c $(FUZZ_MAIN)
tests_fuzz_fuzz_zone_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_zone_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_zone_LDADD = libbase.a

FUZZERS += tests/fuzz/fuzz_import
tests_fuzz_fuzz_import_SOURCES = tests/fuzz/fuzz_import.c $(FUZZ_MAIN)
tests_fuzz_fuzz_import_CPPFLAGS = $(FUZZ_CPPFLAGS) -I$(top_srcdir)/admin
tests_fuzz_fuzz_import_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_import_LDADD = libadmin.a librelay.a libhttp.a libpool.a \
	libledger.a libstore.a libbase.a $(CURL_LIBS) $(SQLITE_LIBS) \
	$(JANSSON_LIBS) $(SODIUM_LIBS) $(OATH_LIBS)

FUZZERS += tests/fuzz/fuzz_provider_report
tests_fuzz_fuzz_provider_report_SOURCES = \
	tests/fuzz/fuzz_provider_report.c admin/csv.c \
	admin/provider_report.c $(FUZZ_MAIN)
tests_fuzz_fuzz_provider_report_CPPFLAGS = $(FUZZ_CPPFLAGS) \
	-I$(top_srcdir)/admin
tests_fuzz_fuzz_provider_report_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_provider_report_LDADD = libledger.a libstore.a libbase.a \
	$(SQLITE_LIBS) $(JANSSON_LIBS)
