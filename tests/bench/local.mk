# make bench: see tests/bench/README.md
noinst_PROGRAMS += tests/bench/load
tests_bench_load_SOURCES = tests/bench/load.c
