# Manual pages, with this installation's paths and the tables of settings, of
# admin routes and of commands.
MAN_PAGES = \
	conf/man/leasehold.8 \
	conf/man/leasehold-relay.fcgi.8 \
	conf/man/leasehold.conf.5 \
	conf/man/leasehold-api.7

man_MANS = $(MAN_PAGES)
dist_man_MANS = \
	conf/man/leasehold-admin.fcgi.8 \
	conf/man/leasehold.fcgi.8 \
	conf/man/leasehold-guide.7
EXTRA_DIST += $(MAN_PAGES:=.in)
MAN_TABLES = conf/man/settings.mdoc conf/man/routes.mdoc \
	conf/man/commands.mdoc conf/man/metrics.mdoc
CLEANFILES += $(MAN_PAGES) $(MAN_TABLES)

noinst_PROGRAMS += conf/man/settings conf/man/routes
conf_man_settings_SOURCES = conf/man/settings.c
conf_man_settings_LDADD = libbase.a
conf_man_routes_SOURCES = conf/man/routes.c
conf_man_routes_CPPFLAGS = -I$(top_srcdir)/admin

noinst_PROGRAMS += conf/man/metrics
conf_man_metrics_SOURCES = conf/man/metrics.c
conf_man_metrics_LDADD = libbase.a

conf/man/settings.mdoc: conf/man/settings$(EXEEXT)
	$(AM_V_GEN)conf/man/settings$(EXEEXT) > $@.tmp && mv $@.tmp $@

conf/man/routes.mdoc: conf/man/routes$(EXEEXT)
	$(AM_V_GEN)conf/man/routes$(EXEEXT) > $@.tmp && mv $@.tmp $@

conf/man/metrics.mdoc: conf/man/metrics$(EXEEXT)
	$(AM_V_GEN)conf/man/metrics$(EXEEXT) > $@.tmp && mv $@.tmp $@

conf/man/commands.mdoc: leasehold$(EXEEXT)
	$(AM_V_GEN){ echo '.Bl -column "account why-not" "what"' && \
	    ./leasehold$(EXEEXT) --help | $(SED) -n \
	    's/^  \([a-z][a-z -]*[a-z]\)   *\(.*\)/.It Cm \1 Ta \2/p' && \
	    echo .El; } > $@.tmp && mv $@.tmp $@

$(MAN_PAGES): %: %.in conf/fill $(MAN_TABLES) Makefile
	$(AM_V_GEN)sh $(srcdir)/conf/fill \
	    sysconfdir='$(sysconfdir)' localstatedir='$(localstatedir)' \
	    libexecdir='$(pkglibexecdir)' datadir='$(pkgdatadir)' \
	    < $(srcdir)/$@.in | $(SED) \
	    -e '/^@settings@$$/r conf/man/settings.mdoc' \
	    -e '/^@routes@$$/r conf/man/routes.mdoc' \
	    -e '/^@commands@$$/r conf/man/commands.mdoc' \
	    -e '/^@metrics@$$/r conf/man/metrics.mdoc' -e '/^@metrics@$$/d' \
	    -e '/^@settings@$$/d' -e '/^@routes@$$/d' -e '/^@commands@$$/d' \
	    > $@.tmp && mv $@.tmp $@
