# Manual pages, with this installation's paths and the table of settings.
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
CLEANFILES += $(MAN_PAGES) conf/man/settings.mdoc

noinst_PROGRAMS += conf/man/settings
conf_man_settings_SOURCES = conf/man/settings.c
conf_man_settings_LDADD = libbase.a

conf/man/settings.mdoc: conf/man/settings$(EXEEXT)
	$(AM_V_GEN)conf/man/settings$(EXEEXT) > $@.tmp && mv $@.tmp $@

$(MAN_PAGES): %: %.in conf/fill conf/man/settings.mdoc Makefile
	$(AM_V_GEN)sh $(srcdir)/conf/fill \
	    sysconfdir='$(sysconfdir)' localstatedir='$(localstatedir)' \
	    libexecdir='$(pkglibexecdir)' datadir='$(pkgdatadir)' \
	    < $(srcdir)/$@.in | $(SED) -e '/^@settings@$$/r conf/man/settings.mdoc' \
	    -e '/^@settings@$$/d' > $@.tmp && mv $@.tmp $@
