# The admin pages: static files, as a browser runs them.
htdocsdir = $(pkgdatadir)/htdocs
dist_htdocs_DATA = \
	htdocs/icon.svg \
	htdocs/index.html \
	htdocs/status.js \
	htdocs/strings.js \
	htdocs/style.css
