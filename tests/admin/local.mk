# The command and the admin responder.
ADMIN_TEST_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/admin \
	-I$(top_srcdir)/tests/admin
ADMIN_TEST_LIBS = libadmin.a librelay.a libhttp.a libpool.a libledger.a \
	libstore.a libbase.a $(CURL_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS) \
	$(OATH_LIBS) $(CMOCKA_LIBS)
DESK = tests/admin/desk.c tests/admin/desk.h $(STORE_RAW)

UNIT_TESTS += tests/admin/test_check
tests_admin_test_check_SOURCES = tests/admin/test_check.c
tests_admin_test_check_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_check_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_why
tests_admin_test_why_SOURCES = tests/admin/test_why.c $(DESK)
tests_admin_test_why_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_why_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_prices
tests_admin_test_prices_SOURCES = tests/admin/test_prices.c $(DESK)
tests_admin_test_prices_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_prices_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_registry
tests_admin_test_registry_SOURCES = tests/admin/test_registry.c $(DESK)
tests_admin_test_registry_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_registry_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_aliases
tests_admin_test_aliases_SOURCES = tests/admin/test_aliases.c $(DESK)
tests_admin_test_aliases_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_aliases_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_account_proxy
tests_admin_test_account_proxy_SOURCES = tests/admin/test_account_proxy.c \
	$(DESK)
tests_admin_test_account_proxy_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_account_proxy_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_login
tests_admin_test_login_SOURCES = tests/admin/test_login.c
tests_admin_test_login_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_login_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_sign_in
tests_admin_test_sign_in_SOURCES = tests/admin/test_sign_in.c \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_sign_in_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_sign_in_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_invitations
tests_admin_test_invitations_SOURCES = tests/admin/test_invitations.c \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_invitations_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_invitations_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_routes
tests_admin_test_routes_SOURCES = tests/admin/test_routes.c \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_routes_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_routes_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_routes_move
tests_admin_test_routes_move_SOURCES = tests/admin/test_routes_move.c \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_routes_move_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_routes_move_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_routes_pool
tests_admin_test_routes_pool_SOURCES = tests/admin/test_routes_pool.c \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_routes_pool_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_routes_pool_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_lists
tests_admin_test_lists_SOURCES = tests/admin/test_lists.c \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_lists_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_lists_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_routes_models
tests_admin_test_routes_models_SOURCES = tests/admin/test_routes_models.c \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_routes_models_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_routes_models_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_keys
tests_admin_test_keys_SOURCES = tests/admin/test_keys.c \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_keys_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_keys_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_events
tests_admin_test_events_SOURCES = tests/admin/test_events.c \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_events_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_events_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_account_oauth
tests_admin_test_account_oauth_SOURCES = tests/admin/test_account_oauth.c \
	tests/admin/answerer.c tests/admin/answerer.h \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_account_oauth_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_account_oauth_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_account_acts
tests_admin_test_account_acts_SOURCES = tests/admin/test_account_acts.c \
	tests/admin/answerer.c tests/admin/answerer.h \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_account_acts_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_account_acts_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_openapi
tests_admin_test_openapi_SOURCES = tests/admin/test_openapi.c \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_openapi_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_openapi_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_matrix
tests_admin_test_matrix_SOURCES = tests/admin/test_matrix.c \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_matrix_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_matrix_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_attacks
tests_admin_test_attacks_SOURCES = tests/admin/test_attacks.c \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_attacks_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_attacks_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_access
tests_admin_test_access_SOURCES = tests/admin/test_access.c
tests_admin_test_access_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_access_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_service
tests_admin_test_service_SOURCES = tests/admin/test_service.c $(DESK)
tests_admin_test_service_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_service_LDADD = $(ADMIN_TEST_LIBS)

# Runs ./leasehold-admin.fcgi.
UNIT_TESTS += tests/admin/test_responder
tests_admin_test_responder_SOURCES = tests/admin/test_responder.c \
	tests/admin/answerer.c tests/admin/answerer.h $(DESK) $(HTTP_RECORDS)
tests_admin_test_responder_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_responder_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_secret
tests_admin_test_secret_SOURCES = tests/admin/test_secret.c admin/secret.c
tests_admin_test_secret_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_secret_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_output
tests_admin_test_output_SOURCES = tests/admin/test_output.c admin/output.c
tests_admin_test_output_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_output_LDADD = $(ADMIN_TEST_LIBS)

EXTRA_DIST += tests/admin/lib.sh
dist_check_SCRIPTS += tests/admin/budgets.sh \
	tests/admin/ledger.sh tests/admin/command.sh \
	tests/admin/doctor.sh tests/admin/upgrade.sh

UNIT_TESTS += tests/admin/test_doctor_judge
tests_admin_test_doctor_judge_SOURCES = tests/admin/test_doctor_judge.c
tests_admin_test_doctor_judge_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_doctor_judge_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_doctor_host
tests_admin_test_doctor_host_SOURCES = tests/admin/test_doctor_host.c $(DESK)
tests_admin_test_doctor_host_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_doctor_host_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_doctor_fetch
tests_admin_test_doctor_fetch_SOURCES = tests/admin/test_doctor_fetch.c
tests_admin_test_doctor_fetch_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_doctor_fetch_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_copy
tests_admin_test_copy_SOURCES = tests/admin/test_copy.c $(STORE_RAW)
tests_admin_test_copy_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_copy_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_copy_older
tests_admin_test_copy_older_SOURCES = tests/admin/test_copy_older.c \
	$(STORE_RAW)
tests_admin_test_copy_older_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_copy_older_LDADD = $(ADMIN_TEST_LIBS)

# A MariaDB over TCP, if there is one.
if MYSQL
dist_check_SCRIPTS += tests/admin/store.sh
else
EXTRA_DIST += tests/admin/store.sh
endif

UNIT_TESTS += tests/admin/test_budget_notes
tests_admin_test_budget_notes_SOURCES = tests/admin/test_budget_notes.c
tests_admin_test_budget_notes_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_budget_notes_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_budgets
tests_admin_test_budgets_SOURCES = tests/admin/test_budgets.c $(DESK)
tests_admin_test_budgets_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_budgets_LDADD = $(ADMIN_TEST_LIBS)

# Reports and the ledger.
UNIT_TESTS += tests/admin/test_me
tests_admin_test_me_SOURCES = tests/admin/test_me.c \
	tests/admin/visit.c tests/admin/visit.h $(DESK)
tests_admin_test_me_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_me_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_latency
tests_admin_test_latency_SOURCES = tests/admin/test_latency.c $(DESK)
tests_admin_test_latency_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_latency_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_requests
tests_admin_test_requests_SOURCES = tests/admin/test_requests.c $(DESK)
tests_admin_test_requests_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_requests_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_csv
tests_admin_test_csv_SOURCES = tests/admin/test_csv.c admin/csv.c
tests_admin_test_csv_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_csv_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_periods
tests_admin_test_periods_SOURCES = tests/admin/test_periods.c
tests_admin_test_periods_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_periods_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_reconcile
tests_admin_test_reconcile_SOURCES = tests/admin/test_reconcile.c $(DESK)
tests_admin_test_reconcile_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_reconcile_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_usage
tests_admin_test_usage_SOURCES = tests/admin/test_usage.c $(DESK)
tests_admin_test_usage_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_usage_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_verify
tests_admin_test_verify_SOURCES = tests/admin/test_verify.c $(DESK)
tests_admin_test_verify_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_verify_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_notify_send
tests_admin_test_notify_send_SOURCES = tests/admin/test_notify_send.c
tests_admin_test_notify_send_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_notify_send_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_sendmail
tests_admin_test_sendmail_SOURCES = tests/admin/test_sendmail.c
tests_admin_test_sendmail_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_sendmail_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_notify
tests_admin_test_notify_SOURCES = tests/admin/test_notify.c $(DESK)
tests_admin_test_notify_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_notify_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_notify_hook
tests_admin_test_notify_hook_SOURCES = tests/admin/test_notify_hook.c \
	tests/admin/answerer.c tests/admin/answerer.h $(TLS_SERVER)
tests_admin_test_notify_hook_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS) \
	$(TLS_SERVER_CPPFLAGS)
tests_admin_test_notify_hook_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_notify_targets
tests_admin_test_notify_targets_SOURCES = \
	tests/admin/test_notify_targets.c $(DESK)
tests_admin_test_notify_targets_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_notify_targets_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_jobs
tests_admin_test_jobs_SOURCES = tests/admin/test_jobs.c $(DESK)
tests_admin_test_jobs_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_jobs_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_backup
tests_admin_test_backup_SOURCES = tests/admin/test_backup.c $(DESK)
tests_admin_test_backup_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_backup_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_import
tests_admin_test_import_SOURCES = tests/admin/test_import.c $(DESK)
tests_admin_test_import_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_import_LDADD = $(ADMIN_TEST_LIBS)

UNIT_TESTS += tests/admin/test_export
tests_admin_test_export_SOURCES = tests/admin/test_export.c $(DESK)
tests_admin_test_export_CPPFLAGS = $(ADMIN_TEST_CPPFLAGS)
tests_admin_test_export_LDADD = $(ADMIN_TEST_LIBS)

dist_check_SCRIPTS += tests/admin/move.sh tests/admin/room.sh
