# Examples with this installation's paths; quickstart fills the same files in
# with its own.
CONF_NGINX = \
	conf/nginx/admin.conf \
	conf/nginx/example.conf \
	conf/nginx/mount.conf \
	conf/nginx/nginx.conf \
	conf/nginx/site.conf \
	conf/nginx/upstream.conf

CONF_APACHE = \
	conf/apache/admin.conf \
	conf/apache/apache.conf \
	conf/apache/example.conf \
	conf/apache/mount.conf \
	conf/apache/site.conf

CONF_CADDY = \
	conf/caddy/Caddyfile \
	conf/caddy/admin.caddy \
	conf/caddy/example.caddy \
	conf/caddy/mount.caddy \
	conf/caddy/site.caddy

CONF_FILES = \
	conf/leasehold.conf \
	conf/logrotate \
	conf/init.d/leasehold \
	conf/leasehold-pool \
	$(CONF_NGINX) \
	$(CONF_APACHE) \
	$(CONF_CADDY) \
	conf/systemd/leasehold-admin.socket \
	conf/systemd/leasehold-admin@.service \
	conf/systemd/leasehold-relay.socket \
	conf/systemd/leasehold-relay@.service

confexamplesdir = $(pkgdatadir)/conf
confexamples_DATA = conf/leasehold.conf conf/logrotate
confinitdir = $(pkgdatadir)/conf/init.d
confinit_SCRIPTS = conf/init.d/leasehold
pkglibexec_SCRIPTS = conf/leasehold-pool
confnginxdir = $(pkgdatadir)/conf/nginx
confnginx_DATA = $(CONF_NGINX)
confapachedir = $(pkgdatadir)/conf/apache
confapache_DATA = $(CONF_APACHE)
confcaddydir = $(pkgdatadir)/conf/caddy
confcaddy_DATA = $(CONF_CADDY)
confsystemddir = $(pkgdatadir)/conf/systemd
confsystemd_DATA = conf/systemd/leasehold-admin.socket \
	conf/systemd/leasehold-admin@.service \
	conf/systemd/leasehold-relay.socket \
	conf/systemd/leasehold-relay@.service
dist_confsystemd_DATA = conf/systemd/leasehold.target

monitoringdir = $(pkgdatadir)/monitoring
dist_monitoring_DATA = \
	conf/monitoring/alerts.yml \
	conf/monitoring/alerts_test.yml \
	conf/monitoring/dashboard.json \
	conf/monitoring/prometheus.yml

EXTRA_DIST += $(CONF_FILES:=.in) conf/fill conf/quickstart conf/quickstart.d \
	conf/debian conf/container conf/compose.yaml Dockerfile .dockerignore \
	conf/systemd/leasehold-demo.service.in
CLEANFILES += $(CONF_FILES)

$(CONF_FILES): %: %.in conf/fill Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && sh $(srcdir)/conf/fill \
	    sysconfdir='$(sysconfdir)' localstatedir='$(localstatedir)' \
	    sbin_dir='$(sbindir)' libexec_dir='$(pkglibexecdir)' htdocs='$(pkgdatadir)/htdocs' \
	    conf_dir='$(pkgdatadir)/conf' \
	    conf_file='$(sysconfdir)/leasehold/leasehold.conf' \
	    state_dir='$(localstatedir)/lib/leasehold' \
	    run_dir=/run/leasehold log_dir='$(localstatedir)/log/leasehold' \
	    relay_socket=/run/leasehold/relay.sock \
	    admin_socket=/run/leasehold/admin.sock \
	    mount= listen=8080 port=8080 server_name=localhost user=leasehold \
	    group=leasehold web_group=www-data user_line= keepalive_s=5 \
	    stop_s=90 apache_modules=/usr/lib/apache2/modules \
	    site_root=/var/www/html \
	    tls_cert=/etc/ssl/certs/leasehold.pem \
	    tls_key=/etc/ssl/private/leasehold.key \
	    < $(srcdir)/$@.in > $@.tmp && mv $@.tmp $@

# The Debian package, of what "make dist" made, in deb/; DEBFLAGS for
# dpkg-buildpackage.
deb: dist
	rm -rf deb && $(MKDIR_P) deb
	cp $(distdir).tar.xz deb/$(PACKAGE)_$(VERSION).orig.tar.xz
	cd deb && tar -xf $(PACKAGE)_$(VERSION).orig.tar.xz
	cp -R deb/$(distdir)/conf/debian deb/$(distdir)/debian
	cd deb/$(distdir)/debian && \
	    sh ../conf/fill version='$(VERSION)' date="$$(date -R)" \
	    < changelog.in > changelog && rm changelog.in
	cd deb/$(distdir) && dpkg-buildpackage -us -uc $(DEBFLAGS)

mostlyclean-local:
	rm -rf deb
.PHONY: deb
