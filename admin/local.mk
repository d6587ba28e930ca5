# The command for the shell; what it does is in a library, which the admin
# responder shares.
noinst_LIBRARIES += libadmin.a
libadmin_a_SOURCES = \
	admin/access.c \
	admin/access.h \
	admin/account_breaker.c \
	admin/account_breaker.h \
	admin/account_health.c \
	admin/account_health.h \
	admin/account_oauth.c \
	admin/account_oauth.h \
	admin/account_proxy.c \
	admin/account_proxy.h \
	admin/account_secrets.c \
	admin/account_secrets.h \
	admin/account_start.c \
	admin/account_start.h \
	admin/accounts.c \
	admin/accounts.h \
	admin/aliases.c \
	admin/aliases.h \
	admin/api.c \
	admin/api.h \
	admin/api_stream.c \
	admin/audit.c \
	admin/audit.h \
	admin/audit_views.c \
	admin/backup_before.c \
	admin/backup_before.h \
	admin/backup_store.c \
	admin/backup_store.h \
	admin/budget_models.c \
	admin/budget_notes.c \
	admin/budget_notes.h \
	admin/budget_rules.c \
	admin/budget_rules.h \
	admin/budget_view.c \
	admin/budget_view.h \
	admin/change.c \
	admin/change.h \
	admin/check.c \
	admin/check.h \
	admin/copy.c \
	admin/copy.h \
	admin/copy_older.c \
	admin/copy_older.h \
	admin/copy_rows.c \
	admin/copy_rows.h \
	admin/csv.c \
	admin/csv.h \
	admin/doctor.c \
	admin/doctor.h \
	admin/doctor_access.c \
	admin/doctor_access.h \
	admin/doctor_fetch.c \
	admin/doctor_fetch.h \
	admin/doctor_host.c \
	admin/doctor_jobs.c \
	admin/doctor_judge.c \
	admin/doctor_judge.h \
	admin/doctor_mail.c \
	admin/doctor_pool.c \
	admin/doctor_remedy.c \
	admin/doctor_time.c \
	admin/doctor_time.h \
	admin/doctor_web.c \
	admin/event_state.c \
	admin/event_state.h \
	admin/events.c \
	admin/events.h \
	admin/export.c \
	admin/export.h \
	admin/export_seal.c \
	admin/export_seal.h \
	admin/gate.c \
	admin/gate.h \
	admin/groups.c \
	admin/groups.h \
	admin/host.c \
	admin/host.h \
	admin/import.c \
	admin/import.h \
	admin/import_crs.c \
	admin/import_env.c \
	admin/import_from.c \
	admin/import_from.h \
	admin/import_keys.c \
	admin/import_litellm.c \
	admin/import_rows.c \
	admin/import_rows.h \
	admin/in_force.c \
	admin/in_force.h \
	admin/install.c \
	admin/install.h \
	admin/key_rules.c \
	admin/key_rules.h \
	admin/key_secrets.c \
	admin/key_secrets.h \
	admin/keys.c \
	admin/keys.h \
	admin/keys_bulk.c \
	admin/keys_bulk.h \
	admin/latency_fold.c \
	admin/latency_fold.h \
	admin/latency_set.c \
	admin/latency_set.h \
	admin/job_backup.c \
	admin/job_notify.c \
	admin/job_pool.c \
	admin/job_probe.c \
	admin/job_row.c \
	admin/job_row.h \
	admin/job_store.c \
	admin/jobs.c \
	admin/jobs.h \
	admin/login.c \
	admin/login.h \
	admin/member.h \
	admin/metrics.c \
	admin/metrics.h \
	admin/names.c \
	admin/names.h \
	admin/notify.h \
	admin/notify_detect.c \
	admin/notify_hook.c \
	admin/notify_mail.c \
	admin/notify_outbox.c \
	admin/notify_outbox.h \
	admin/notify_secrets.c \
	admin/notify_secrets.h \
	admin/notify_send.h \
	admin/notify_sign.c \
	admin/notify_targets.c \
	admin/notify_targets.h \
	admin/notify_time.c \
	admin/notify_words.c \
	admin/objects.c \
	admin/objects.h \
	admin/openapi.h \
	admin/openapi_show.c \
	admin/passwords.c \
	admin/passwords.h \
	admin/people.c \
	admin/people.h \
	admin/periods.c \
	admin/periods.h \
	admin/price_file.c \
	admin/price_file.h \
	admin/prices.c \
	admin/prices.h \
	admin/probe.c \
	admin/probe.h \
	admin/probe_model.c \
	admin/probe_model.h \
	admin/provider_report.c \
	admin/provider_report.h \
	admin/query.c \
	admin/query.h \
	admin/queue.c \
	admin/queue.h \
	admin/reconcile.c \
	admin/reconcile.h \
	admin/requests.c \
	admin/requests.h \
	admin/requests_find.c \
	admin/requests_find.h \
	admin/restore_store.c \
	admin/restore_store.h \
	admin/routes.c \
	admin/routes.def \
	admin/routes_account_acts.c \
	admin/routes_account_oauth.c \
	admin/routes_accounts.c \
	admin/routes_accounts.h \
	admin/routes_auth.c \
	admin/routes_budgets.c \
	admin/routes_groups.c \
	admin/routes_jobs.c \
	admin/routes_keys.c \
	admin/routes_ledger.c \
	admin/routes_me.c \
	admin/routes_models.c \
	admin/routes_move.c \
	admin/routes_notify.c \
	admin/routes_objects.c \
	admin/routes_people.c \
	admin/routes_pool.c \
	admin/routes_reports.c \
	admin/routes_tokens.c \
	admin/second_factor.c \
	admin/second_factor.h \
	admin/sendmail.c \
	admin/sendmail.h \
	admin/service.c \
	admin/service.h \
	admin/settings.c \
	admin/settings.h \
	admin/sign_in.c \
	admin/sign_in.h \
	admin/status.c \
	admin/status.h \
	admin/tokens.c \
	admin/tokens.h \
	admin/trial.c \
	admin/trial.h \
	admin/tries.c \
	admin/tries.h \
	admin/usage.c \
	admin/usage.h \
	admin/usage_latency.c \
	admin/usage_latency.h \
	admin/usage_text.c \
	admin/users.c \
	admin/users.h \
	admin/verify.c \
	admin/verify.h \
	admin/verify_internal.h \
	admin/verify_rows.c \
	admin/verify_windows.c \
	admin/who.c \
	admin/who.h \
	admin/why.c \
	admin/why.h

nodist_libadmin_a_SOURCES = admin/openapi.c
EXTRA_DIST += admin/openapi.awk admin/openapi.json
CLEANFILES += admin/openapi.c

admin/openapi.c: admin/openapi.json admin/openapi.awk
	$(AM_V_GEN)$(MKDIR_P) admin && LC_ALL=C $(AWK) \
	    -f $(srcdir)/admin/openapi.awk $(srcdir)/admin/openapi.json \
	    >$@-t && mv $@-t $@

sbin_PROGRAMS += leasehold
leasehold_SOURCES = \
	admin/budget_text.c \
	admin/budget_text.h \
	admin/cmd_account.c \
	admin/cmd_alias.c \
	admin/cmd_audit.c \
	admin/cmd_backup.c \
	admin/cmd_budget.c \
	admin/cmd_config.c \
	admin/cmd_doctor.c \
	admin/cmd_group.c \
	admin/cmd_job.c \
	admin/cmd_key.c \
	admin/cmd_ledger.c \
	admin/cmd_login.c \
	admin/cmd_move.c \
	admin/cmd_notify.c \
	admin/cmd_object.c \
	admin/cmd_pool.c \
	admin/cmd_price.c \
	admin/cmd_report.c \
	admin/cmd_setup.c \
	admin/cmd_store.c \
	admin/cmd_token.c \
	admin/cmd_usage.c \
	admin/cmd_user.c \
	admin/cmd_why.c \
	admin/command.c \
	admin/command.h \
	admin/help.c \
	admin/help.h \
	admin/main.c \
	admin/output.c \
	admin/output.h \
	admin/secret.c \
	admin/secret.h
leasehold_LDADD = libadmin.a librelay.a libhttp.a libpool.a libledger.a \
	libstore.a libbase.a $(CURL_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS) $(SODIUM_LIBS) \
	$(OATH_LIBS)

# Prices as they were when this version was made.
dist_pkgdata_DATA += conf/prices.json

pkglibexec_PROGRAMS += leasehold-admin.fcgi
leasehold_admin_fcgi_SOURCES = \
	admin/job_thread.c \
	admin/job_thread.h \
	admin/presence.c \
	admin/presence.h \
	admin/responder.c \
	admin/workers.c \
	admin/workers.h
leasehold_admin_fcgi_LDADD = libadmin.a librelay.a libhttp.a libpool.a \
	libledger.a libstore.a libbase.a $(CURL_LIBS) $(SQLITE_LIBS) \
	$(JANSSON_LIBS) $(SODIUM_LIBS) \
	$(OATH_LIBS) $(FCGI_LIBS)
