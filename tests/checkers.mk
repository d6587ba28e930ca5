# make check-valgrind: the unit tests under valgrind, whose errors fail; in a
# tree without a sanitizer.  Left out:
#	test_doctor_host, test_pool, test_sqlite
#		valgrind (3.19) keeps its own lock while the kernel blocks in
#		F_OFD_SETLKW, so that neither another thread nor the signal that is
#		to end the wait can run
#	test_server
#		takes all descriptors but one away, of which valgrind needs some
#	test_upstream_fail
#		has time-outs too short for it
VALGRIND_SKIP = \
	tests/admin/test_doctor_host \
	tests/http/test_server \
	tests/pool/test_pool \
	tests/relay/test_upstream_fail \
	tests/store/test_sqlite
VALGRIND_FLAGS = -q --error-exitcode=99 --leak-check=full \
	--child-silent-after-fork=yes

check-valgrind: all
	@case '$(LH_CFLAGS)' in *-fsanitize=*) \
		echo "valgrind and sanitizers do not go together:" \
		    "configure without --enable-sanitizer" >&2; exit 1;; esac
	@valgrind --version
	@$(MAKE) $(AM_MAKEFLAGS) $(check_LIBRARIES) $(UNIT_TESTS)
	@tests=; for t in $(UNIT_TESTS); do \
		case " $(VALGRIND_SKIP) " in \
		*" $${t%$(EXEEXT)} "*) ;; \
		*) tests="$$tests $$t";; \
		esac; \
	done; \
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS="$$tests" \
	    LOG_COMPILER=valgrind AM_LOG_FLAGS='$(VALGRIND_FLAGS)' \
	    TEST_SUITE_LOG=check-valgrind.log

# make check-tsan: the tests with threads under ThreadSanitizer, in a tree of
# its own (tsan/), which is kept for the next time; all warnings count, none
# is suppressed.
TSAN_TESTS = \
	tests/admin/test_responder \
	tests/base/test_log \
	tests/base/test_loop \
	tests/pool/test_pool \
	tests/pool/test_storm \
	tests/relay/test_upstream \
	tests/store/test_thread \
	tests/store/test_thread_outage

check-tsan:
	$(MKDIR_P) tsan
	$(MAKE) $(AM_MAKEFLAGS) distdir distdir=tsan/source
	cd tsan && { test -f Makefile || source/configure -q CC='$(CC)' \
	    --enable-sanitizer=thread CFLAGS='-O1 -g'; }
	cd tsan && $(MAKE) $(AM_MAKEFLAGS) all
	cd tsan && $(MAKE) $(AM_MAKEFLAGS) libfake.a $(TSAN_TESTS)
	cd tsan && TSAN_OPTIONS=halt_on_error=1 \
	    $(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(TSAN_TESTS)'

clean-local:
	rm -rf tsan
.PHONY: check-valgrind check-tsan
