# unit tests of fcgi/pool/
POOL_TEST_LIBS = libpool.a libledger.a libstore.a libbase.a $(CMOCKA_LIBS) \
	$(SQLITE_LIBS) $(SODIUM_LIBS)
POOL_RIG = tests/pool/rig.c tests/pool/rig.h

UNIT_TESTS += tests/pool/test_admit
tests_pool_test_admit_SOURCES = tests/pool/test_admit.c $(POOL_RIG)
tests_pool_test_admit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_admit_LDADD = $(POOL_TEST_LIBS)
