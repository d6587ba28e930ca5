# unit tests of fcgi/relay/
RELAY_TEST_LIBS = libbase.a $(CMOCKA_LIBS)
EXTRA_DIST += tests/relay/streams

UNIT_TESTS += tests/relay/test_meter
tests_relay_test_meter_SOURCES = tests/relay/test_meter.c \
	fcgi/relay/meter.c fcgi/relay/sse.c $(ALLOC_FAIL)
tests_relay_test_meter_CPPFLAGS = $(TEST_CPPFLAGS) \
	-DSTREAMS_DIR='"$(abs_top_srcdir)/tests/relay/streams"'
tests_relay_test_meter_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_relay_test_meter_LDADD = $(RELAY_TEST_LIBS)

UNIT_TESTS += tests/relay/test_sse
tests_relay_test_sse_SOURCES = tests/relay/test_sse.c fcgi/relay/sse.c \
	$(ALLOC_FAIL)
tests_relay_test_sse_CPPFLAGS = $(TEST_CPPFLAGS)
tests_relay_test_sse_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_relay_test_sse_LDADD = $(RELAY_TEST_LIBS)

UNIT_TESTS += tests/relay/test_trace
tests_relay_test_trace_SOURCES = tests/relay/test_trace.c \
	fcgi/relay/trace.c
tests_relay_test_trace_CPPFLAGS = $(TEST_CPPFLAGS)
tests_relay_test_trace_LDADD = $(CMOCKA_LIBS) $(JANSSON_LIBS)

UNIT_TESTS += tests/relay/test_throttle
tests_relay_test_throttle_SOURCES = tests/relay/test_throttle.c \
	fcgi/relay/throttle.c
tests_relay_test_throttle_CPPFLAGS = $(TEST_CPPFLAGS)
tests_relay_test_throttle_LDADD = $(CMOCKA_LIBS)

# What finds models in a body, and puts others there.
MENTIONS = fcgi/relay/mentions.c fcgi/relay/splice.c fcgi/pool/model_ask.c

UNIT_TESTS += tests/relay/test_peek
tests_relay_test_peek_SOURCES = tests/relay/test_peek.c fcgi/relay/peek.c \
	fcgi/relay/ask.c $(MENTIONS) fcgi/pool/object_ask.c \
	$(ALLOC_FAIL)
tests_relay_test_peek_CPPFLAGS = $(TEST_CPPFLAGS)
tests_relay_test_peek_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_relay_test_peek_LDADD = $(RELAY_TEST_LIBS)

UNIT_TESTS += tests/relay/test_splice
tests_relay_test_splice_SOURCES = tests/relay/test_splice.c \
	fcgi/relay/peek.c fcgi/relay/ask.c $(MENTIONS) \
	fcgi/pool/object_ask.c $(ALLOC_FAIL)
tests_relay_test_splice_CPPFLAGS = $(TEST_CPPFLAGS)
tests_relay_test_splice_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_relay_test_splice_LDADD = $(RELAY_TEST_LIBS)

UPSTREAM_TEST_LIBS = librelay.a libhttp.a libbase.a $(CMOCKA_LIBS) \
	$(CURL_LIBS) $(SODIUM_LIBS)

UPSTREAM_TEST_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/tests/relay
UPSTREAM_RUN = tests/relay/fake_upstream.c tests/relay/fake_upstream.h \
	tests/relay/upstream_run.c tests/relay/upstream_run.h

UNIT_TESTS += tests/relay/test_upstream
tests_relay_test_upstream_SOURCES = tests/relay/test_upstream.c \
	$(UPSTREAM_RUN)
tests_relay_test_upstream_CPPFLAGS = $(UPSTREAM_TEST_CPPFLAGS)
tests_relay_test_upstream_LDADD = $(UPSTREAM_TEST_LIBS)

UNIT_TESTS += tests/relay/test_upstream_fail
tests_relay_test_upstream_fail_SOURCES = tests/relay/test_upstream_fail.c \
	$(UPSTREAM_RUN)
tests_relay_test_upstream_fail_CPPFLAGS = $(UPSTREAM_TEST_CPPFLAGS)
tests_relay_test_upstream_fail_LDADD = $(UPSTREAM_TEST_LIBS)

UNIT_TESTS += tests/relay/test_upstream_reuse
tests_relay_test_upstream_reuse_SOURCES = tests/relay/test_upstream_reuse.c \
	$(UPSTREAM_RUN)
tests_relay_test_upstream_reuse_CPPFLAGS = $(UPSTREAM_TEST_CPPFLAGS)
tests_relay_test_upstream_reuse_LDADD = $(UPSTREAM_TEST_LIBS)

UNIT_TESTS += tests/relay/test_upstream_tls
tests_relay_test_upstream_tls_SOURCES = tests/relay/test_upstream_tls.c \
	$(UPSTREAM_RUN) $(TLS_SERVER)
tests_relay_test_upstream_tls_CPPFLAGS = $(UPSTREAM_TEST_CPPFLAGS) \
	$(TLS_SERVER_CPPFLAGS)
tests_relay_test_upstream_tls_LDADD = $(UPSTREAM_TEST_LIBS)

UNIT_TESTS += tests/relay/test_head
tests_relay_test_head_SOURCES = tests/relay/test_head.c fcgi/relay/head.c \
	$(ALLOC_FAIL)
tests_relay_test_head_CPPFLAGS = $(TEST_CPPFLAGS)
tests_relay_test_head_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_relay_test_head_LDADD = libhttp.a $(RELAY_TEST_LIBS)

UNIT_TESTS += tests/relay/test_judge
tests_relay_test_judge_SOURCES = tests/relay/test_judge.c fcgi/pool/share.c
tests_relay_test_judge_CPPFLAGS = $(TEST_CPPFLAGS)
tests_relay_test_judge_LDADD = $(UPSTREAM_TEST_LIBS)

UNIT_TESTS += tests/relay/test_platform
tests_relay_test_platform_SOURCES = tests/relay/test_platform.c $(ALLOC_FAIL)
tests_relay_test_platform_CPPFLAGS = $(TEST_CPPFLAGS)
tests_relay_test_platform_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_relay_test_platform_LDADD = $(UPSTREAM_TEST_LIBS)

UNIT_TESTS += tests/relay/test_probe
tests_relay_test_probe_SOURCES = tests/relay/test_probe.c fcgi/relay/probe.c \
	fcgi/relay/refusal.c
tests_relay_test_probe_CPPFLAGS = $(TEST_CPPFLAGS)
tests_relay_test_probe_LDADD = libhttp.a libbase.a $(CMOCKA_LIBS) \
	$(SODIUM_LIBS)

# A call's story: the relay's own modules on fakes of what is below them.
CALL_TEST_LIBS = librelay.a libhttp.a libledger.a libbase.a $(CMOCKA_LIBS) \
	$(JANSSON_LIBS) $(SODIUM_LIBS)
CALL_TEST_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/tests/relay
CALL_FAKES = fcgi/pool/share.c fcgi/pool/oauth.c fcgi/pool/breaker.c \
	fcgi/pool/object_ask.c fcgi/pool/model_ask.c \
	fcgi/pool/rules.c tests/relay/fakes.c tests/relay/fake_pool.c \
	tests/relay/fakes.h tests/relay/messages.h

UNIT_TESTS += tests/relay/test_call_objects
tests_relay_test_call_objects_SOURCES = tests/relay/test_call_objects.c \
	$(CALL_FAKES)
tests_relay_test_call_objects_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_relay_test_call_objects_LDADD = $(CALL_TEST_LIBS)

UNIT_TESTS += tests/relay/test_batch_peek
tests_relay_test_batch_peek_SOURCES = tests/relay/test_batch_peek.c \
	fcgi/relay/batch_peek.c fcgi/relay/object_answer.c $(MENTIONS) \
	fcgi/pool/object_ask.c
tests_relay_test_batch_peek_CPPFLAGS = $(TEST_CPPFLAGS)
tests_relay_test_batch_peek_LDADD = $(RELAY_TEST_LIBS)

UNIT_TESTS += tests/relay/test_tally
tests_relay_test_tally_SOURCES = tests/relay/test_tally.c \
	fcgi/relay/tally.c fcgi/relay/meter.c fcgi/relay/sse.c
tests_relay_test_tally_CPPFLAGS = $(TEST_CPPFLAGS)
tests_relay_test_tally_LDADD = libledger.a $(RELAY_TEST_LIBS)

UNIT_TESTS += tests/relay/test_call_front
tests_relay_test_call_front_SOURCES = tests/relay/test_call_front.c \
	$(CALL_FAKES)
tests_relay_test_call_front_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_relay_test_call_front_LDADD = $(CALL_TEST_LIBS)

UNIT_TESTS += tests/relay/test_call_answer
tests_relay_test_call_answer_SOURCES = tests/relay/test_call_answer.c \
	$(CALL_FAKES)
tests_relay_test_call_answer_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_relay_test_call_answer_LDADD = $(CALL_TEST_LIBS)

UNIT_TESTS += tests/relay/test_call_early
tests_relay_test_call_early_SOURCES = tests/relay/test_call_early.c \
	$(CALL_FAKES)
tests_relay_test_call_early_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_relay_test_call_early_LDADD = $(CALL_TEST_LIBS)

UNIT_TESTS += tests/relay/test_call_move
tests_relay_test_call_move_SOURCES = tests/relay/test_call_move.c \
	$(CALL_FAKES)
tests_relay_test_call_move_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_relay_test_call_move_LDADD = $(CALL_TEST_LIBS)

UNIT_TESTS += tests/relay/test_call_access
tests_relay_test_call_access_SOURCES = tests/relay/test_call_access.c \
	$(CALL_FAKES)
tests_relay_test_call_access_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_relay_test_call_access_LDADD = $(CALL_TEST_LIBS) $(JANSSON_LIBS)

UNIT_TESTS += tests/relay/test_call_trace
tests_relay_test_call_trace_SOURCES = tests/relay/test_call_trace.c \
	$(CALL_FAKES)
tests_relay_test_call_trace_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_relay_test_call_trace_LDADD = $(CALL_TEST_LIBS)

UNIT_TESTS += tests/relay/test_call_renew
tests_relay_test_call_renew_SOURCES = tests/relay/test_call_renew.c \
	$(CALL_FAKES)
tests_relay_test_call_renew_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_relay_test_call_renew_LDADD = $(CALL_TEST_LIBS)

UNIT_TESTS += tests/relay/test_call_drain
tests_relay_test_call_drain_SOURCES = tests/relay/test_call_drain.c \
	$(CALL_FAKES)
tests_relay_test_call_drain_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_relay_test_call_drain_LDADD = $(CALL_TEST_LIBS)

UNIT_TESTS += tests/relay/test_call_extend
tests_relay_test_call_extend_SOURCES = tests/relay/test_call_extend.c \
	$(CALL_FAKES)
tests_relay_test_call_extend_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_relay_test_call_extend_LDADD = $(CALL_TEST_LIBS)

UNIT_TESTS += tests/relay/test_call_leave
tests_relay_test_call_leave_SOURCES = tests/relay/test_call_leave.c \
	$(CALL_FAKES)
tests_relay_test_call_leave_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_relay_test_call_leave_LDADD = $(CALL_TEST_LIBS)

UNIT_TESTS += tests/relay/test_call_memory
tests_relay_test_call_memory_SOURCES = tests/relay/test_call_memory.c \
	$(CALL_FAKES) $(ALLOC_FAIL)
tests_relay_test_call_memory_CPPFLAGS = $(CALL_TEST_CPPFLAGS)
tests_relay_test_call_memory_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_relay_test_call_memory_LDADD = $(CALL_TEST_LIBS)
