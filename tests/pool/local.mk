# unit tests of fcgi/pool/
POOL_TEST_LIBS = libpool.a libledger.a libstore.a libbase.a $(CMOCKA_LIBS) \
	$(SQLITE_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS)
POOL_RIG = tests/pool/rig.c tests/pool/rig.h $(STORE_RAW)

UNIT_TESTS += tests/pool/test_admit
tests_pool_test_admit_SOURCES = tests/pool/test_admit.c $(POOL_RIG) \
	$(ALLOC_FAIL)
tests_pool_test_admit_LDFLAGS = $(AM_LDFLAGS) $(ALLOC_FAIL_LINK)
tests_pool_test_admit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_admit_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_budgets
tests_pool_test_budgets_SOURCES = tests/pool/test_budgets.c $(POOL_RIG)
tests_pool_test_budgets_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_budgets_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_many_budgets
tests_pool_test_many_budgets_SOURCES = tests/pool/test_many_budgets.c \
	$(POOL_RIG)
tests_pool_test_many_budgets_CPPFLAGS = $(TEST_CPPFLAGS) \
	-I$(top_srcdir)/admin
tests_pool_test_many_budgets_LDADD = libadmin.a $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_choose
tests_pool_test_choose_SOURCES = tests/pool/test_choose.c tests/pool/accounts.h
tests_pool_test_choose_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_choose_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_cooldown
tests_pool_test_cooldown_SOURCES = tests/pool/test_cooldown.c $(POOL_RIG)
tests_pool_test_cooldown_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_cooldown_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_affinity
tests_pool_test_affinity_SOURCES = tests/pool/test_affinity.c $(POOL_RIG)
tests_pool_test_affinity_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_affinity_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_halfopen
tests_pool_test_halfopen_SOURCES = tests/pool/test_halfopen.c $(POOL_RIG)
tests_pool_test_halfopen_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_halfopen_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_health
tests_pool_test_health_SOURCES = tests/pool/test_health.c $(POOL_RIG)
tests_pool_test_health_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_health_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_board
tests_pool_test_board_SOURCES = tests/pool/test_board.c tests/pool/accounts.h
tests_pool_test_board_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_board_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_rules
tests_pool_test_rules_SOURCES = tests/pool/test_rules.c $(POOL_RIG)
tests_pool_test_rules_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_rules_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_wait
tests_pool_test_wait_SOURCES = tests/pool/test_wait.c $(POOL_RIG)
tests_pool_test_wait_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_wait_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_likeness
tests_pool_test_likeness_SOURCES = tests/pool/test_likeness.c $(POOL_RIG)
tests_pool_test_likeness_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_likeness_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_models
tests_pool_test_models_SOURCES = tests/pool/test_models.c $(POOL_RIG)
tests_pool_test_models_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_models_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_model_ask
tests_pool_test_model_ask_SOURCES = tests/pool/test_model_ask.c $(POOL_RIG)
tests_pool_test_model_ask_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_model_ask_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_oauth
tests_pool_test_oauth_SOURCES = tests/pool/test_oauth.c
tests_pool_test_oauth_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_oauth_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_refresh
tests_pool_test_refresh_SOURCES = tests/pool/test_refresh.c $(POOL_RIG)
tests_pool_test_refresh_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_refresh_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_move
tests_pool_test_move_SOURCES = tests/pool/test_move.c $(POOL_RIG)
tests_pool_test_move_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_move_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_reap
tests_pool_test_reap_SOURCES = tests/pool/test_reap.c $(POOL_RIG)
tests_pool_test_reap_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_reap_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_bill
tests_pool_test_bill_SOURCES = tests/pool/test_bill.c $(POOL_RIG)
tests_pool_test_bill_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_bill_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_backlog
tests_pool_test_backlog_SOURCES = tests/pool/test_backlog.c $(POOL_RIG)
tests_pool_test_backlog_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_backlog_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_pool
tests_pool_test_pool_SOURCES = tests/pool/test_pool.c $(STORE_RAW)
tests_pool_test_pool_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_pool_LDADD = libadmin.a $(POOL_TEST_LIBS) $(OATH_LIBS)

UNIT_TESTS += tests/pool/test_storm
tests_pool_test_storm_SOURCES = tests/pool/test_storm.c $(POOL_RIG) \
	tests/store/faulty_vfs.c tests/store/faulty_vfs.h
tests_pool_test_storm_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/admin
tests_pool_test_storm_LDADD = libadmin.a $(POOL_TEST_LIBS) $(OATH_LIBS)

UNIT_TESTS += tests/pool/test_unseal
tests_pool_test_unseal_SOURCES = tests/pool/test_unseal.c $(POOL_RIG)
tests_pool_test_unseal_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_unseal_LDADD = libadmin.a $(POOL_TEST_LIBS) $(OATH_LIBS)

UNIT_TESTS += tests/pool/test_key_use
tests_pool_test_key_use_SOURCES = tests/pool/test_key_use.c $(POOL_RIG)
tests_pool_test_key_use_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_key_use_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_crowd
tests_pool_test_crowd_SOURCES = tests/pool/test_crowd.c $(POOL_RIG)
tests_pool_test_crowd_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_crowd_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_budget_change
tests_pool_test_budget_change_SOURCES = tests/pool/test_budget_change.c \
	$(POOL_RIG)
tests_pool_test_budget_change_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_budget_change_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_prune
tests_pool_test_prune_SOURCES = tests/pool/test_prune.c $(POOL_RIG)
tests_pool_test_prune_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/admin
tests_pool_test_prune_LDADD = libadmin.a $(POOL_TEST_LIBS) $(OATH_LIBS)

UNIT_TESTS += tests/pool/test_rush
tests_pool_test_rush_SOURCES = tests/pool/test_rush.c $(POOL_RIG)
tests_pool_test_rush_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_rush_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_crews
tests_pool_test_crews_SOURCES = tests/pool/test_crews.c $(POOL_RIG)
tests_pool_test_crews_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_crews_LDADD = $(POOL_TEST_LIBS)

UNIT_TESTS += tests/pool/test_objects
tests_pool_test_objects_SOURCES = tests/pool/test_objects.c $(POOL_RIG)
tests_pool_test_objects_CPPFLAGS = $(TEST_CPPFLAGS)
tests_pool_test_objects_LDADD = $(POOL_TEST_LIBS)
