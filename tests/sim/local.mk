# The simulation: see tests/sim/README.md.  SIMFLAGS=--json, --seed=2, ...
SIM_SOURCES = tests/sim/agenda.c tests/sim/agenda.h tests/sim/crowd.c \
	tests/sim/crowd.h tests/sim/faults.c tests/sim/faults.h \
	tests/sim/naive.c tests/sim/naive.h tests/sim/ours.c \
	tests/sim/ours.h tests/sim/rng.c tests/sim/rng.h tests/sim/sim.c \
	tests/sim/sim.h tests/sim/world.c tests/sim/world.h $(POOL_RIG)
SIM_LIBS = librelay.a libhttp.a libpool.a libledger.a libstore.a libbase.a \
	$(CMOCKA_LIBS) $(CURL_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS) \
	$(SODIUM_LIBS) -lm
EXTRA_DIST += tests/sim/README.md

EXTRA_PROGRAMS += tests/sim/sim
tests_sim_sim_SOURCES = tests/sim/main.c $(SIM_SOURCES)
tests_sim_sim_CPPFLAGS = $(TEST_CPPFLAGS)
tests_sim_sim_LDADD = $(SIM_LIBS)

sim: tests/sim/sim
	@tests/sim/sim $(SIMFLAGS)
.PHONY: sim

UNIT_TESTS += tests/sim/test_sim
tests_sim_test_sim_SOURCES = tests/sim/test_sim.c $(SIM_SOURCES)
tests_sim_test_sim_CPPFLAGS = $(TEST_CPPFLAGS)
tests_sim_test_sim_LDADD = $(SIM_LIBS)
