#!/bin/bash
# From one host to two, as README.md tells it: the commands are read from
# there.  Three machines without systemd on a network of their own: the
# database's (db, with TLS), and two hosts (a, b).
# Functions are called by name, through check.
# shellcheck disable=SC2317
# shellcheck source=tests/machine/lib.sh
. "$(dirname "$0")/lib.sh"

password='a long password'

# block WORDS: the commands of that section below the line that begins so.
block() {
	awk -v words="$1" '
	    /^## / { here = $0 == "## From one host to two" }
	    here && index($0, words) == 1 { next_is = 1 }
	    /^```/ && inside { exit }
	    inside { print }
	    /^```[a-z]/ && next_is { inside = 1 }' "$top/README.md"
}

# follow NAME WORDS ...: what the README says under each, as one person would
# type it; who is root needs no sudo.
follow() {
	local name=$1
	shift

	{
		echo 'sudo() { "$@"; }'
		for words; do
			block "$words" | grep . || exit 1
		done
	} >"$scratch/$name.sh" || return 1
	in_checkout "$name" tee /root/follow.sh <"$scratch/$name.sh"
	in_checkout "$name" bash -exo pipefail /root/follow.sh \
	    <<<"$password" >"$scratch/$name.out" 2>&1 || {
		cat "$scratch/$name.out"
		return 1
	}
}

# ---- the network: a bridge on the database's machine ----

link() {
	ip link add name eth0 netns "${first[$1]}" type veth \
	    peer name "to-$1" netns "${first[db]}" &&
	    nsenter --target "${first[db]}" --net \
	    ip link set "to-$1" master net up &&
	    nsenter --target "${first[$1]}" --net sh -c \
	    "ip addr add $2/24 dev eth0 && ip link set eth0 up" &&
	    on "$1" sh -c 'echo 10.9.0.1 db.example >>/etc/hosts'
}

network() {
	nsenter --target "${first[db]}" --net sh -c '
	    ip link add net type bridge && ip addr add 10.9.0.1/24 dev net &&
	    ip link set net up' && link a 10.9.0.2 && link b 10.9.0.3
}

# ---- the database ----

certificates() {
	on db bash -es <<-'END'
	mkdir -p /etc/mysql/tls
	cd /etc/mysql/tls
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Some CA' \
	    -keyout ca.key -out ca.pem
	openssl req -newkey rsa:2048 -nodes -subj /CN=db.example \
	    -keyout server.key -out server.csr
	openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 \
	    -CAcreateserial -out server.pem \
	    -extfile <(echo subjectAltName=DNS:db.example)
	chown mysql server.key
	cat >/etc/mysql/mariadb.conf.d/90-tls.cnf <<-X
	[mariadbd]
	bind-address = 10.9.0.1
	ssl_cert = /etc/mysql/tls/server.pem
	ssl_key = /etc/mysql/tls/server.key
	X
	END
}

start_database() {
	on db setsid mariadbd-safe --user=mysql </dev/null >/dev/null 2>&1 &
	for _ in {1..300}; do
		on db mariadb -e 'SELECT 1' >/dev/null 2>&1 && return
		sleep 0.1
	done
	on db tail -n 20 /var/log/mysql/error.log
	return 1
}

database() {
	certificates && start_database &&
	    block '**The server.**' | on db mariadb
}

stop_database() {
	on db mariadb-admin shutdown
}

# ---- the hosts ----

prepare() {
	on db cat /etc/mysql/tls/ca.pem |
		in_checkout "$1" tee db-ca.pem
}

bring_master_key() {
	on a cat /etc/leasehold/master.key |
		in_checkout b tee master.key >/dev/null
}

# b says YOUR-KEY; it is a's.
streams_on_b() {
	quickstart b "$@" || return 1
	sed -i "s/YOUR-KEY/$(on a cat /etc/leasehold/first.key)/" \
	    "$scratch/b.curl"
	streams b
}

secrets_are_kept() {
	on "$1" sh -c 'stat -c "%a %U %n" /etc/leasehold/master.key \
	    /etc/leasehold/store.password | tee /dev/stderr |
	    grep -v "^600 leasehold " && exit 1; exit 0'
}

# hosts_are NAME ...: whose responders does a see, within a time?  What comes
# before the name tells boots apart.
hosts_are() {
	local now

	for _ in {1..60}; do
		now=$(on a leasehold --json status | tr ',' '\n' |
			sed -n 's|.*"host": *"[^"]*/\([^/"]*\)".*|\1|p' | sort -u |
			tr '\n' ' ')
		[ "$now" != "$* " ] || return 0
		sleep 1
	done
	echo "hosts: $now"
	on a leasehold --json status
	return 1
}

# health NAME STATUS SECONDS
health() {
	local now

	for ((i = 0; i < $3 * 2; i++)); do
		now=$(on "$1" curl -s -o /dev/null -w '%{http_code}' -m 10 \
		    http://127.0.0.1:8787/health)
		[ "$now" != "$2" ] || return 0
		sleep 0.5
	done
	echo "$now"
	return 1
}

without_database() {
	stop_database
	health a 503 30 && health b 503 30
}

with_database() {
	start_database && health a 200 60 && health b 200 60 &&
	    streams a && streams b
}

back() {
	in_checkout a bash -exs <<-END
	$(block '**On each host**' | grep '^STORE=')
	conf/quickstart --stop
	leasehold store copy "\$STORE" sqlite:/var/lib/leasehold/back.db
	conf/quickstart --store sqlite:/var/lib/leasehold/back.db
	END
}

machine_needs
machine_trees

for name in db a b; do
	machine_plain $name "$ready"
done
check "a network" network || give_up "no network of namespaces"
check "a database with TLS, and what README says to it" database ||
	give_up "no database"
machine_checkout a
machine_checkout b
check "the first host, on SQLite" quickstart a --demo ||
	give_up "nothing to go on with"
check "it streams" streams a
keys_same a
check "certificates go to the first host" prepare a
check "README: on each host, the first host" \
    follow a '**On each host**' '**The first host**'
check "its keys are the same" keys_same a
check "it streams" streams a
check "its secrets are the responders' alone" secrets_are_kept a
check "certificates go to the second host" prepare b
bring_master_key
check "README: on each host, the second host" \
    follow b '**On each host**' '**The second host**'
check "its secrets are the responders' alone" secrets_are_kept b
check "each host sees both" hosts_are a b
check "the second streams, with the first one's key" streams_on_b --demo
check "set up again, it keeps its store" streams_on_b
check "without the database both say so" without_database
check "both heal when it is back" with_database
machine_stop b
check "a host that vanishes is noticed" hosts_are a
check "the other streams" streams a
check "back to a file" back
check "its keys are the same" keys_same a
check "it streams" streams a
check "--remove --yes" quickstart a --remove --yes
check "nothing is left" nothing_left a
check "the database is left" on db mariadb -e \
    'SELECT COUNT(*) FROM leasehold.account'

results
