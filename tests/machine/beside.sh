#!/bin/bash
# conf/quickstart on a machine whose nginx serves other sites, from a checkout
# that somebody has built in place.
# Functions are called by name, through check.
# shellcheck disable=SC2317
# shellcheck source=tests/machine/lib.sh
. "$(dirname "$0")/lib.sh"

# A site of somebody else's, beside the one that Debian brings.
other_site() {
	on m bash -s <<-'END'
	printf 'server {\n\tlisten 8080;\n\treturn 200 "other site\\n";\n}\n' \
	    >/etc/nginx/sites-available/other
	ln -s ../sites-available/other /etc/nginx/sites-enabled/
	nginx
	END
}

# What is not of Leasehold in nginx's folder, and nginx itself.
nginx_marks() {
	on m find /etc/nginx ! -type d ! -name leasehold \
	    -printf '%p %T@ %i %l\n' | sort
	processes m '^nginx: master'
}

others_serve() {
	nginx_marks | diff "$scratch/nginx" - &&
	    on m sh -c 'curl -fsS http://127.0.0.1:8080/ | grep "other site" &&
	    curl -fsS http://127.0.0.1/ | grep -o "Welcome to nginx"'
}

machine_needs
machine_trees

machine_plain m "$ready"
machine_checkout m
other_site
check "a checkout is built in place" in_checkout m sh -c \
    './bootstrap && ./configure && make -j"$(nproc)"'
nginx_marks >"$scratch/nginx"
check "sets up from it" quickstart m --demo ||
	give_up "nothing to go on with"
check "the printed curl line streams a reply" streams m
check "the other sites are as they were" others_serve
check "--remove" quickstart m --remove
check "the other sites are as they were" others_serve
check "sets up again" quickstart m
check "the printed curl line streams a reply" streams m
check "--remove --yes" quickstart m --remove --yes
check "the other sites are as they were" others_serve
check "no site is left" on m test ! -e /etc/nginx/sites-available/leasehold
check "--remove --yes leaves nothing" nothing_left m
machine_stop m

results
