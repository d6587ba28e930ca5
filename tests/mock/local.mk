# The mock upstream: for tests and benchmarks, and installed for the demo.
noinst_PROGRAMS += tests/mock/mock-upstream
tests_mock_mock_upstream_SOURCES = \
	tests/mock/answer.c \
	tests/mock/answer.h \
	tests/mock/control.c \
	tests/mock/control.h \
	tests/mock/head.c \
	tests/mock/head.h \
	tests/mock/journal.c \
	tests/mock/journal.h \
	tests/mock/main.c \
	tests/mock/objects.c \
	tests/mock/objects.h \
	tests/mock/plan.c \
	tests/mock/plan.h \
	tests/mock/reply.c \
	tests/mock/reply.h \
	tests/mock/server.c \
	tests/mock/server.h
tests_mock_mock_upstream_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_mock_mock_upstream_LDADD = libbase.a $(JANSSON_LIBS) $(SODIUM_LIBS)

install-exec-local: tests/mock/mock-upstream$(EXEEXT)
	$(MKDIR_P) "$(DESTDIR)$(pkglibexecdir)"
	$(INSTALL_PROGRAM) tests/mock/mock-upstream$(EXEEXT) \
	    "$(DESTDIR)$(pkglibexecdir)/leasehold-demo-upstream"

uninstall-local:
	rm -f "$(DESTDIR)$(pkglibexecdir)/leasehold-demo-upstream"
