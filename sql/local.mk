# Named statements, one file a room, in alphabetic order.
SQL_STATEMENTS = \
	sql/accounts.sql \
	sql/admission.sql \
	sql/affinity.sql \
	sql/budgets.sql \
	sql/copy.sql \
	sql/doctor.sql \
	sql/health.sql \
	sql/jobs.sql \
	sql/keys.sql \
	sql/latency.sql \
	sql/meta.sql \
	sql/metrics.sql \
	sql/models.sql \
	sql/notify.sql \
	sql/oauth.sql \
	sql/objects.sql \
	sql/people.sql \
	sql/prices.sql \
	sql/prune.sql \
	sql/report.sql \
	sql/snapshot.sql \
	sql/store.sql \
	sql/usage.sql \
	sql/users.sql \
	sql/verify.sql

# Migrations, numbered, never edited once released.
SQL_MIGRATIONS = \
	sql/sqlite/0001-init.sql \
	sql/mysql/0001-init.sql \
	sql/sqlite/0002-prices.sql \
	sql/mysql/0002-prices.sql \
	sql/sqlite/0003-money.sql \
	sql/mysql/0003-money.sql \
	sql/sqlite/0004-usage.sql \
	sql/mysql/0004-usage.sql \
	sql/sqlite/0005-disconnect.sql \
	sql/mysql/0005-disconnect.sql \
	sql/sqlite/0006-health.sql \
	sql/mysql/0006-health.sql \
	sql/sqlite/0007-proxy.sql \
	sql/mysql/0007-proxy.sql \
	sql/sqlite/0008-affinity.sql \
	sql/mysql/0008-affinity.sql \
	sql/sqlite/0009-oauth.sql \
	sql/mysql/0009-oauth.sql \
	sql/sqlite/0010-class.sql \
	sql/mysql/0010-class.sql \
	sql/sqlite/0011-objects.sql \
	sql/mysql/0011-objects.sql \
	sql/sqlite/0012-people.sql \
	sql/mysql/0012-people.sql \
	sql/sqlite/0013-rules.sql \
	sql/mysql/0013-rules.sql \
	sql/sqlite/0014-breaker.sql \
	sql/mysql/0014-breaker.sql \
	sql/sqlite/0015-holds.sql \
	sql/mysql/0015-holds.sql \
	sql/sqlite/0016-jobs.sql \
	sql/mysql/0016-jobs.sql \
	sql/sqlite/0017-models.sql \
	sql/mysql/0017-models.sql \
	sql/sqlite/0018-secrets.sql \
	sql/mysql/0018-secrets.sql \
	sql/sqlite/0019-latency.sql \
	sql/mysql/0019-latency.sql \
	sql/sqlite/0020-oauth-start.sql \
	sql/mysql/0020-oauth-start.sql \
	sql/sqlite/0021-gone.sql \
	sql/mysql/0021-gone.sql \
	sql/sqlite/0022-lists.sql \
	sql/mysql/0022-lists.sql \
	sql/sqlite/0023-audit-filters.sql \
	sql/mysql/0023-audit-filters.sql \
	sql/sqlite/0024-notify.sql \
	sql/mysql/0024-notify.sql \
	sql/sqlite/0025-notify-overlap.sql \
	sql/mysql/0025-notify-overlap.sql

SQL_COMPILER = sql/compile.awk
SQL_FILES = $(SQL_STATEMENTS) $(SQL_MIGRATIONS)
EXTRA_DIST += $(SQL_COMPILER) $(SQL_FILES)
BUILT_SOURCES += sql/stmts.h sql/stmts.c
CLEANFILES += sql/stmts.h sql/stmts.c sql/stmts.h-t sql/stmts.c-t

sql/stmts.h: $(SQL_FILES) $(SQL_COMPILER)
	$(AM_V_GEN)$(MKDIR_P) sql && (cd $(srcdir) && \
	    LC_ALL=C $(AWK) -v out=h -f $(SQL_COMPILER) $(SQL_FILES)) >$@-t \
	    && mv -f $@-t $@

sql/stmts.c: $(SQL_FILES) $(SQL_COMPILER)
	$(AM_V_GEN)$(MKDIR_P) sql && (cd $(srcdir) && \
	    LC_ALL=C $(AWK) -v out=c -f $(SQL_COMPILER) $(SQL_FILES)) >$@-t \
	    && mv -f $@-t $@
