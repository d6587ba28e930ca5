# Examples with this installation's paths; quickstart fills the same files in
# with its own.
CONF_FILES = \
	conf/leasehold.conf \
	conf/logrotate \
	conf/nginx/admin.conf \
	conf/nginx/mount.conf \
	conf/nginx/nginx.conf \
	conf/nginx/site.conf \
	conf/nginx/upstream.conf \
	conf/systemd/leasehold-admin.socket \
	conf/systemd/leasehold-admin@.service \
	conf/systemd/leasehold-relay.socket \
	conf/systemd/leasehold-relay@.service

confexamplesdir = $(pkgdatadir)/conf
confexamples_DATA = conf/leasehold.conf conf/logrotate
confnginxdir = $(pkgdatadir)/conf/nginx
confnginx_DATA = conf/nginx/admin.conf conf/nginx/mount.conf \
	conf/nginx/nginx.conf conf/nginx/site.conf conf/nginx/upstream.conf
confsystemddir = $(pkgdatadir)/conf/systemd
confsystemd_DATA = conf/systemd/leasehold-admin.socket \
	conf/systemd/leasehold-admin@.service \
	conf/systemd/leasehold-relay.socket \
	conf/systemd/leasehold-relay@.service
dist_confsystemd_DATA = conf/systemd/leasehold.target

EXTRA_DIST += $(CONF_FILES:=.in) conf/fill conf/quickstart conf/quickstart.d \
	conf/systemd/leasehold-demo.service.in
CLEANFILES += $(CONF_FILES)

$(CONF_FILES): %: %.in conf/fill Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && sh $(srcdir)/conf/fill \
	    sysconfdir='$(sysconfdir)' localstatedir='$(localstatedir)' \
	    libexec_dir='$(pkglibexecdir)' htdocs='$(pkgdatadir)/htdocs' \
	    conf_dir='$(pkgdatadir)/conf' \
	    conf_file='$(sysconfdir)/leasehold/leasehold.conf' \
	    state_dir='$(localstatedir)/lib/leasehold' \
	    run_dir=/run/leasehold log_dir='$(localstatedir)/log/leasehold' \
	    relay_socket=/run/leasehold/relay.sock \
	    admin_socket=/run/leasehold/admin.sock \
	    mount= listen=8080 server_name=localhost user=leasehold \
	    group=leasehold web_group=www-data user_line= keepalive_s=5 \
	    stop_s=90 \
	    < $(srcdir)/$@.in > $@.tmp && mv $@.tmp $@
