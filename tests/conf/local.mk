# tests of conf/
EXTRA_DIST += tests/conf/lib.sh
dist_check_SCRIPTS += tests/conf/entry.sh
dist_check_SCRIPTS += tests/conf/man.sh
dist_check_SCRIPTS += tests/conf/monitoring.sh
dist_check_SCRIPTS += tests/conf/units.sh
dist_check_SCRIPTS += tests/conf/web.sh
dist_check_SCRIPTS += tests/conf/pool.sh
dist_check_SCRIPTS += tests/conf/readme.sh
dist_check_SCRIPTS += tests/conf/translation.sh
