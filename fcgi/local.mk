# The relay responder.
pkglibexec_PROGRAMS += leasehold-relay.fcgi
leasehold_relay_fcgi_SOURCES = fcgi/main.c
leasehold_relay_fcgi_LDADD = librelay.a libhttp.a libpool.a libledger.a \
	libstore.a libbase.a $(CURL_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS) \
	$(SODIUM_LIBS)
