# All rooms above count, so that this goes with what they all link.
libbase_a_SOURCES += \
	fcgi/metrics/metrics.c \
	fcgi/metrics/metrics.h \
	fcgi/metrics/slots.c \
	fcgi/metrics/slots.h \
	fcgi/metrics/slots_internal.h \
	fcgi/metrics/sums.c \
	fcgi/metrics/text.c \
	fcgi/metrics/text.h
