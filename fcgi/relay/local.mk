noinst_LIBRARIES += librelay.a
librelay_a_SOURCES = \
	fcgi/relay/meter.h \
	fcgi/relay/sse.h
