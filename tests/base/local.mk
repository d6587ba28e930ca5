# unit tests of fcgi/base/
BASE_TEST_LIBS = libbase.a $(CMOCKA_LIBS)

UNIT_TESTS += tests/base/test_address
tests_base_test_address_SOURCES = tests/base/test_address.c
tests_base_test_address_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_address_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_arena
tests_base_test_arena_SOURCES = tests/base/test_arena.c $(ALLOC_FAIL)
tests_base_test_arena_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_arena_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_base_test_arena_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_buf
tests_base_test_buf_SOURCES = tests/base/test_buf.c $(ALLOC_FAIL)
tests_base_test_buf_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_buf_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_base_test_buf_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_clock
tests_base_test_clock_SOURCES = tests/base/test_clock.c
tests_base_test_clock_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_clock_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_err
tests_base_test_err_SOURCES = tests/base/test_err.c
tests_base_test_err_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_err_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_grow
tests_base_test_grow_SOURCES = tests/base/test_grow.c
tests_base_test_grow_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_grow_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_heap
tests_base_test_heap_SOURCES = tests/base/test_heap.c
tests_base_test_heap_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_heap_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_net
tests_base_test_net_SOURCES = tests/base/test_net.c
tests_base_test_net_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_net_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_num
tests_base_test_num_SOURCES = tests/base/test_num.c
tests_base_test_num_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_num_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_json
tests_base_test_json_SOURCES = tests/base/test_json.c $(ALLOC_FAIL)
tests_base_test_json_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_json_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_base_test_json_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_json_conv
tests_base_test_json_conv_SOURCES = tests/base/test_json_conv.c
tests_base_test_json_conv_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_json_conv_LDADD = $(BASE_TEST_LIBS)

# The same with the search that needs no SSE2.
UNIT_TESTS += tests/base/test_json_portable
tests_base_test_json_portable_SOURCES = tests/base/test_json.c \
	fcgi/base/json.c $(ALLOC_FAIL)
tests_base_test_json_portable_CPPFLAGS = $(TEST_CPPFLAGS) -DJSON_PORTABLE
tests_base_test_json_portable_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_base_test_json_portable_LDADD = $(BASE_TEST_LIBS)

LOG_FILE = tests/base/log_file.c tests/base/log_file.h

UNIT_TESTS += tests/base/test_log
tests_base_test_log_SOURCES = tests/base/test_log.c $(LOG_FILE)
tests_base_test_log_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_log_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_log_json
tests_base_test_log_json_SOURCES = tests/base/test_log_json.c $(LOG_FILE)
tests_base_test_log_json_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_log_json_LDADD = $(BASE_TEST_LIBS) $(JANSSON_LIBS)

UNIT_TESTS += tests/base/test_log_daemons
tests_base_test_log_daemons_SOURCES = tests/base/test_log_daemons.c
tests_base_test_log_daemons_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_log_daemons_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_loop
tests_base_test_loop_SOURCES = tests/base/test_loop.c $(ALLOC_FAIL)
tests_base_test_loop_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_loop_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_base_test_loop_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_seal
tests_base_test_seal_SOURCES = tests/base/test_seal.c $(ALLOC_FAIL)
tests_base_test_seal_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_seal_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_base_test_seal_LDADD = $(BASE_TEST_LIBS) $(SODIUM_LIBS)

CONF_FILE = tests/base/conf_file.c tests/base/conf_file.h

UNIT_TESTS += tests/base/test_conf
tests_base_test_conf_SOURCES = tests/base/test_conf.c $(CONF_FILE) \
	$(ALLOC_FAIL)
tests_base_test_conf_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_conf_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_base_test_conf_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_conf_env
tests_base_test_conf_env_SOURCES = tests/base/test_conf_env.c $(CONF_FILE)
tests_base_test_conf_env_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_conf_env_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_cron
tests_base_test_cron_SOURCES = tests/base/test_cron.c
tests_base_test_cron_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_cron_LDADD = $(BASE_TEST_LIBS)

UNIT_TESTS += tests/base/test_seal_token
tests_base_test_seal_token_SOURCES = tests/base/test_seal_token.c
tests_base_test_seal_token_CPPFLAGS = $(TEST_CPPFLAGS)
tests_base_test_seal_token_LDADD = $(BASE_TEST_LIBS) $(SODIUM_LIBS)

UNIT_TESTS += tests/base/test_zone
tests_base_test_zone_SOURCES = tests/base/test_zone.c $(ALLOC_FAIL)
tests_base_test_zone_CPPFLAGS = $(TEST_CPPFLAGS) \
	-DCORPUS_DIR='"$(abs_top_srcdir)/tests/fuzz/corpus/zone"'
tests_base_test_zone_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_base_test_zone_LDADD = $(BASE_TEST_LIBS)
