#!/bin/bash
# The Debian package: built from what "make dist" makes, then installed on
# Debian machines with systemd and without, upgraded with streams running,
# removed and purged.
# Functions are called by name, through check.
# shellcheck disable=SC2317
# shellcheck source=tests/machine/lib.sh
. "$(dirname "$0")/../machine/lib.sh"

# ---- built on this machine ----

# In $PACKAGE_BUILD, a configured tree; $PACKAGE_DEB: one that is there already.
built() {
	deb=${PACKAGE_DEB-}
	[ -z "$deb" ] || return 0
	DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" \
	    make -s -C "${PACKAGE_BUILD:?}" deb DEBFLAGS=-b &&
	    deb=$(echo "$PACKAGE_BUILD"/deb/leasehold_*.deb)
}

# What lintian holds against it; a maintainer's address is for whoever uploads.
linted() {
	lintian --fail-on error --suppress-tags \
	    bogus-mail-host,bogus-mail-host-in-debian-changelog,root-in-contact "$deb"
}

version_is() {
	[ "$(dpkg-deb -f "$deb" Version)" = "$(sed -n \
	    's/^AC_INIT(\[leasehold\], \[\(.*\)\])/\1/p' "$top/configure.ac")-1" ]
}

# A later one of the same, to upgrade to.
later() {
	dpkg-deb -R "$deb" "$scratch/later" &&
	    sed -i 's/^Version: .*/&+later/' "$scratch/later/DEBIAN/control" &&
	    dpkg-deb -b --root-owner-group "$scratch/later" "$scratch/later.deb"
}

# ---- without a package ----

# installed: by "make install" below another root, and taken away again.
make_installs() {
	make -s -C "$PACKAGE_BUILD" install DESTDIR="$scratch/root" || return 1
	! grep -rIl -e "$scratch" "$scratch/root" &&
	    [ "$(find "$scratch/root" -name 'leasehold*' -perm -u+x -type f |
		wc -l)" -ge 4 ]
}

make_uninstalls() {
	make -s -C "$PACKAGE_BUILD" uninstall DESTDIR="$scratch/root" || return 1
	! find "$scratch/root" ! -type d -print -o -name '*leasehold*' -print |
		grep .
}

# ---- on a machine ----

# put NAME FILE: install it there.  The machine has what it depends on.
put() {
	on "$1" tee /root/leasehold.deb <"$2" >/dev/null &&
	    on "$1" env DEBIAN_FRONTEND=noninteractive \
	    dpkg --force-confold -i /root/leasehold.deb
}

# Under nginx, with an account on the demo upstream; then as quickstart's.
mounted() {
	local name=$1

	on "$name" bash -s >"$scratch/key" <<-'END' || return 1
	set -e
	exec 3>&1 >/dev/null
	cat >/etc/nginx/conf.d/leasehold.conf <<-'SITE'
	include /usr/share/leasehold/conf/nginx/upstream.conf;
	server {
		listen 127.0.0.1:8787;
		include /usr/share/leasehold/conf/nginx/mount.conf;
	}
	SITE
	rm -f /etc/nginx/sites-enabled/default
	setpriv --reuid=nobody --clear-groups setsid \
	    /usr/libexec/leasehold/leasehold-demo-upstream \
	    --listen 127.0.0.1:9009 --delay-ms 100 >/dev/null 2>&1 &
	nginx -t -q && if [ -s /run/nginx.pid ]; then nginx -s reload; else nginx; fi
	echo demo | leasehold account add --name demo --platform claude \
	    --base-url http://127.0.0.1:9009 --credential api_key
	leasehold key create --name first >&3
	END
	cat >"$scratch/$name.curl" <<-END
	curl -sN http://127.0.0.1:8787/v1/messages -H 'x-api-key: $(cat "$scratch/key")' \
	    -H 'anthropic-version: 2023-06-01' -H 'content-type: application/json' \
	    -d '{"model":"claude-sonnet-4-5","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"Hello"}]}'
	END
	eventually 60 streams "$name"
}

relays='^/usr/libexec/leasehold/leasehold-relay.fcgi'

# The pool is another one, and what was there is there.
upgraded() {
	local before
	before=$(responders "$1")
	unbroken "$1" 1 put "$1" "$scratch/later.deb" &&
	    eventually 120 replaced "$1" "$before" && streams "$1"
}

owned() {
	on "$1" bash -s <<-'END'
	set -ex
	[ "$(stat -c '%U %a' /etc/leasehold/master.key)" = 'leasehold 600' ]
	[ "$(stat -c '%U %G %a' /etc/leasehold)" = 'root leasehold 750' ]
	[ "$(stat -c '%U %a' /var/lib/leasehold/leasehold.db)" = 'leasehold 600' ] ||
	    [ "$(stat -c '%U' /var/lib/leasehold/leasehold.db)" = leasehold ]
	[ "$(stat -c '%U %G %a' /run/leasehold/relay.sock)" = \
	    'leasehold www-data 660' ]
	dpkg --verify leasehold | grep -v ' c ' | grep . && exit 1
	dpkg-query -W -f '${Conffiles}\n' leasehold |
	    grep -c -e /etc/leasehold/leasehold.conf -e /etc/init.d/leasehold \
	    -e /etc/logrotate.d/leasehold | grep -x 3
	END
}

# removed NAME: nothing runs, and the data is kept; then nothing is left.
removed() {
	on "$1" dpkg -r leasehold && ! processes "$1" 'leasehold-(relay|admin)' &&
	    on "$1" test -s /etc/leasehold/master.key
}

purged() {
	on "$1" dpkg -P leasehold || return 1
	on "$1" bash -s <<-'END'
	rm -f /etc/nginx/conf.d/leasehold.conf /root/leasehold.deb
	exec 2>&1
	find / -xdev \( -path /root -o -path /proc -o -path /tmp -o \
	    -path /var/lib/systemd/deb-systemd-helper-enabled \) -prune \
	    -o -iname '*leasehold*' -print | grep . && exit 1
	getent passwd leasehold && exit 1
	exit 0
	END
}

lives() {
	check "$2: installs" put "$1" "$deb" || return
	check "$2: the pool runs" count "$1" "$relays" 2 100
	check "$2: files have their owners, and are conffiles" owned "$1"
	check "$2: README.Debian: mounted under nginx, it streams" mounted "$1"
	check "$2: an upgrade breaks no stream, and takes over" upgraded "$1"
	check "$2: removed, it keeps its data" removed "$1"
	check "$2: purged, nothing is left" purged "$1"
}

machine_needs
machine_trees

check "dpkg-buildpackage builds it" built || give_up "no package"
check "its version is configure.ac's" version_is
check "lintian finds no error" linted
if [ -z "${PACKAGE_DEB-}" ]; then
	check "make install DESTDIR= installs there" make_installs
	check "make uninstall leaves nothing" make_uninstalls
fi
check "a later one" later || give_up "nothing to upgrade to"
machine_plain p "$ready"
# What an init of that kind would say; no package starts anything without.
on p sh -c 'rm -f /sbin/runlevel
    printf "#!/bin/sh\necho N 2\n" >/sbin/runlevel; chmod 755 /sbin/runlevel'
lives p "without systemd"
machine_stop p
machine_booted s
lives s "with systemd"
machine_stop s

results
