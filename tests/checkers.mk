# make check-valgrind: the unit tests under valgrind, whose errors fail; in a
# tree without a sanitizer; none may take longer than 50 minutes.
# valgrind_lock.c has it wait for locks; a case that valgrind cannot run skips
# itself where LEASEHOLD_VALGRIND is set.  What is lost for certain is an error,
# what may be is not: SQLite keeps pointers into its pages alone, which shows in
# the children of test_sqlite that end at once.
VALGRIND_FLAGS = -q --error-exitcode=99 --leak-check=full \
	--errors-for-leak-kinds=definite --child-silent-after-fork=yes
EXTRA_DIST += tests/valgrind_lock.c
CLEANFILES += tests/valgrind_lock.so

tests/valgrind_lock.so: tests/valgrind_lock.c
	$(AM_V_CC)$(MKDIR_P) tests && $(CC) $(AM_CFLAGS) $(CFLAGS) -fPIC \
	    -shared -o $@ $(srcdir)/tests/valgrind_lock.c -ldl

check-valgrind: all tests/valgrind_lock.so
	@case '$(LH_CFLAGS)' in *-fsanitize=*) \
		echo "valgrind and sanitizers do not go together:" \
		    "configure without --enable-sanitizer" >&2; exit 1;; esac
	@valgrind --version
	@$(MAKE) $(AM_MAKEFLAGS) $(check_LIBRARIES) $(UNIT_TESTS)
	@LEASEHOLD_VALGRIND=1; export LEASEHOLD_VALGRIND; \
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(UNIT_TESTS)' \
	    LOG_COMPILER='timeout -k 9 3000 env LD_PRELOAD=$(abs_builddir)/tests/valgrind_lock.so valgrind' \
	    AM_LOG_FLAGS='$(VALGRIND_FLAGS)' TEST_SUITE_LOG=check-valgrind.log

# make check-tsan: the tests with threads under ThreadSanitizer, in a tree of
# its own (tsan/), which is kept for the next time; all warnings count, none
# is suppressed.
TSAN_TESTS = \
	tests/admin/test_account_acts \
	tests/admin/test_account_oauth \
	tests/admin/test_doctor_fetch \
	tests/admin/test_events \
	tests/admin/test_jobs \
	tests/admin/test_responder \
	tests/base/test_log \
	tests/base/test_loop \
	tests/metrics/test_slots \
	tests/pool/test_halfopen \
	tests/pool/test_pool \
	tests/pool/test_refresh \
	tests/pool/test_storm \
	tests/relay/test_upstream \
	tests/relay/test_upstream_fail \
	tests/relay/test_upstream_reuse \
	tests/relay/test_upstream_tls \
	tests/sim/test_sim \
	tests/store/test_sqlite \
	tests/store/test_store \
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
# make check-faults: traffic under faults, from a git checkout; FAULTS_COUNT or
# FAULTS_MINUTES says how many.
check-faults:
	$(srcdir)/tests/run faults

.PHONY: check-valgrind check-tsan check-faults
