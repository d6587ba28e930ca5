# The admin pages: static files, as a browser runs them.
htdocsdir = $(pkgdatadir)/htdocs
dist_htdocs_DATA = \
	htdocs/account-forms.js \
	htdocs/account-state.js \
	htdocs/account.js \
	htdocs/accounts.js \
	htdocs/aliases.js \
	htdocs/api.js \
	htdocs/app.js \
	htdocs/audit.js \
	htdocs/budgets.js \
	htdocs/change.js \
	htdocs/charts.js \
	htdocs/dashboard.js \
	htdocs/dom.js \
	htdocs/figures.js \
	htdocs/form.js \
	htdocs/groups.js \
	htdocs/host.js \
	htdocs/icon.svg \
	htdocs/icons.svg \
	htdocs/index.html \
	htdocs/jobs.js \
	htdocs/keys.js \
	htdocs/live.js \
	htdocs/maintenance.js \
	htdocs/manage.css \
	htdocs/me.js \
	htdocs/move.js \
	htdocs/my-usage.js \
	htdocs/notifications.js \
	htdocs/objects.js \
	htdocs/parts.js \
	htdocs/prices.js \
	htdocs/qr.js \
	htdocs/queue.js \
	htdocs/request.js \
	htdocs/requests.js \
	htdocs/settings.js \
	htdocs/setup.js \
	htdocs/sign-in.js \
	htdocs/strings-doctor.js \
	htdocs/strings-first.js \
	htdocs/strings-settings.js \
	htdocs/strings.js \
	htdocs/style.css \
	htdocs/suggest.js \
	htdocs/text.js \
	htdocs/tokens.js \
	htdocs/usage.js \
	htdocs/users.js \
	htdocs/wizard.js

# What ./bootstrap has fetched; a release is not made without.
CHART_FILES = \
	htdocs/lib/qrcode.js \
	htdocs/lib/uplot.LICENSE \
	htdocs/lib/uplot.css \
	htdocs/lib/uplot.js
EXTRA_DIST += htdocs/fetch htdocs/package.json htdocs/package-lock.json \
	htdocs/.npmrc $(CHART_FILES)
if CHARTS
htdocslibdir = $(htdocsdir)/lib
htdocslib_DATA = $(CHART_FILES)
endif
