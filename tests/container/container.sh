#!/bin/bash
# The Dockerfile, carried out step by step, what it makes, run as it says with a
# read-only root, and then as conf/compose.yaml says, with a MariaDB beside it.
# Functions are called by name, through check.
# shellcheck disable=SC2317
# shellcheck source=tests/container/lib.sh
. "$(dirname "$0")/lib.sh"
upstream_pid='' db_pid='' db_first=''

# ---- conf/compose.yaml ----

grace() {
	of '.services.leasehold.stop_grace_period | rtrimstr("s")'
}

# ---- clients ----

healthy() {
	local words
	mapfile -t words <<<"$healthcheck"

	eventually 120 box_exec "${words[@]}" && return
	tail -n 40 "$box/log"
	return 1
}

# message FILE [CURL-OPTION ...]
message() {
	local file=$1
	shift
	net curl -sN "http://127.0.0.1:$exposed/v1/messages" "$@" \
	    -H "x-api-key: $(cat "$scratch/key")" \
	    -H 'anthropic-version: 2023-06-01' \
	    -H 'content-type: application/json' \
	    -d '{"model":"claude-sonnet-4-5","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"Hello"}]}' \
	    >"$file"
}

streams_here() {
	message "$scratch/stream" -m 60 && whole "$scratch/stream"
}

# The mock upstream, outside the container.
upstream() {
	local tree
	tree=$(root "$stage")
	nsenter --net="/proc/$net_pid/ns/net" \
	    chroot --userspec=65534:65534 "$tree" \
	    /usr/libexec/leasehold/leasehold-demo-upstream \
	    --listen 127.0.0.1:9009 --delay-ms 300 \
	    </dev/null >"$scratch/upstream.log" 2>&1 &
	upstream_pid=$!
	eventually 60 net curl -sS http://127.0.0.1:9009/
}

account() {
	echo demo | box_exec leasehold account add --name demo \
	    --platform claude --base-url http://127.0.0.1:9009 \
	    --credential api_key &&
	    box_exec leasehold key create --name first >"$scratch/key"
}

# The link leads to where the first administrator is made.
invited() {
	grep -A1 '^To sign in' "$box/log" | tail -n 1 |
		grep "^  http://127.0.0.1:$exposed/admin/#invitation=[A-Za-z0-9_-]\{20,\}\$" &&
	    net curl -fsS "http://127.0.0.1:$exposed/admin/" | grep -q '<html'
}

# ---- what it is run as ----

settings_known() {
	box_exec leasehold config check >"$scratch/check" 2>&1
	cat "$scratch/check"
	[ ! -s "$scratch/check" ] || ! grep -i 'warn\|LEASEHOLD_' "$scratch/check"
}

# unprivileged NUMBER: nothing in there is another user's, or has a capability;
# so many processes at least.
unprivileged() {
	local status uid count=0
	uid=${stage_user%:*}
	while read -r pid; do
		status=/proc/$pid/status
		count=$((count + 1))
		grep -P "^Uid:\t$uid\t$uid\t$uid\t$uid\$" "$status" || return 1
		grep -P '^CapEff:\t0+$' "$status" || return 1
		grep -P '^NoNewPrivs:\t1$' "$status" || return 1
	done < <(pgrep --ns "$box_first" --nslist pid .)
	[ "$count" -ge "$1" ]
}

# root_is_read_only VOLUME DIR ...
root_is_read_only() {
	local dir volume=$1
	shift
	for dir; do
		nsenter --target "$box_first" --mount touch "$dir/there" &&
			return 1
	done
	nsenter --target "$box_first" --mount touch "$volume/there" &&
	    nsenter --target "$box_first" --mount rm "$volume/there"
}

secrets_kept() {
	local state=$scratch/volumes/var/lib/leasehold
	stat -c '%u %a %n' "$state" "$state"/*
	[ "$(stat -c '%u %a' "$state/master.key")" = "${stage_user%:*} 600" ] &&
	    [ -s "$state/leasehold.db" ]
}

logged() {
	eventually 60 grep ' relay request kind=messages' "$box/log" &&
	    eventually 60 grep '"POST /v1/messages" 200' "$box/log" &&
	    ! grep -i 'alert\|emerg\|cannot' "$box/log"
}

# ---- signals ----

# HUP: a setting of a file that is read again, by the same responders.
reloads() {
	local before
	before=$(box_exec sh -c 'cat /run/leasehold/*-pool.pid')
	echo body_max_bytes = 1K >>"$scratch/leasehold.conf"
	kill -HUP "$box_first"
	eventually 60 too_long || return 1
	sed -i '/^body_max_bytes/d' "$scratch/leasehold.conf"
	kill -HUP "$box_first"
	eventually 60 streams_here &&
	    [ "$(box_exec sh -c 'cat /run/leasehold/*-pool.pid')" = "$before" ]
}

too_long() {
	message "$scratch/stream" -H "x-long: 1" --data-binary \
	    "{\"pad\":\"$(printf %02000d 0)\"}"
	grep request_too_large "$scratch/stream" || {
		grep ' reload' "$box/log"
		tail -n 3 "$scratch/stream" "$box/log"
		return 1
	}
}

# As many as there were have started anew, and the log is the same.
restarts() {
	local before
	before=$(started)
	box_exec leasehold restart && eventually 60 started_more "$before" &&
	    streams_here
}

started() {
	grep -c ' main started' "$box/log"
}

started_more() {
	started
	[ "$(started)" -ge $(($1 * 2)) ]
}

# stops_whole SIGNAL: within the grace; an open stream ends as it would have.
stops_whole() {
	local reader status=0

	message "$scratch/open" -m 60 &
	reader=$!
	eventually 60 grep -q text_delta "$scratch/open" || status=1
	box_stop "$1" "$(grace)" || status=1
	echo "ended with status $box_status"
	wait "$reader" || status=1
	whole "$scratch/open" && [ "$box_status" -eq 0 ] &&
	    [ "$status" -eq 0 ]
}

started_again() {
	box_start "$@" && healthy
}

# dies PATTERN: when that part has gone for good the container ends.
dies() {
	local pid
	pid=$(pgrep --ns "$box_first" --nslist pid -o -f -- "$1") || return 1
	kill -KILL "$pid"
	box_ended 90 && echo "status $box_status" && [ "$box_status" -eq 1 ]
}

other_command() {
	box_start "$entrypoint" sh -c 'sleep 1; leasehold --version' &&
	    box_ended 10 && [ "$box_status" -eq 0 ] &&
	    tail -n 1 "$box/log" | grep "^leasehold [0-9]"
}

# Under a path: nginx, the link and the health check go by the setting.
mounted() {
	: >"$box/log"
	box_start "$entrypoint" && healthy || return 1
	cat "$box/log"
	net curl -fsS "http://127.0.0.1:$exposed/claude/health" &&
	    net curl -fsS "http://127.0.0.1:$exposed/claude/admin/" |
		grep '<html' &&
	    grep "^  http://127.0.0.1:$exposed/claude/admin/#invitation=" \
		"$box/log"
}

# ---- MariaDB: Debian's, run as compose.yaml has the image; see compose.sh ----

database_tree() (
	docker_from 'debian:bookworm AS db' && docker_run '
	    groupadd -r -g 999 mysql && useradd -r -u 999 -g mysql mysql &&
	    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install \
	    -y --no-install-recommends mariadb-server &&
	    sed -i "s/^bind-address/#&/" /etc/mysql/mariadb.conf.d/*.cnf &&
	    rm -rf /var/lib/mysql && install -d -o mysql -g mysql /var/lib/mysql'
)

# as_database COMMAND ...: what is said of "the box" here is the database's then.
as_database() {
	local status box=$scratch/db stage=db stage_cwd=/ volumes=(/var/lib/mysql)
	local stage_env=("PATH=$PATH" LANG=C.UTF-8) stage_user
	local box_pid=$db_pid box_first=$db_first

	stage_user=$(of .services.db.user)
	"$@"
	status=$?
	db_pid=$box_pid db_first=$box_first
	return $status
}

database_new() {
	local env
	mapfile -t env < <(of '.services.db.environment | to_entries[] |
	    "\(.key)=\(.value)"')
	printf 'a long password\n' >"$scratch/db_password"
	chmod 644 "$scratch/db_password"
	box_new "$scratch/db-data" "$(of '.services.db.tmpfs[]')" "${env[@]}"
	secret_is "$scratch/db_password" "$(of '.services.db.secrets[]')"
}

# secret_is FILE NAME: as compose mounts it.
secret_is() {
	echo "bind $1 /run/secrets/$2" >>"$box/mounts"
}

# What the image's entry point does: files, database and user before anyone can
# connect, if there are none; then the server with the options that are given.
database_start() {
	local options
	mapfile -t options < <(of '.services.db.command[]')
	# What runs in there expands this.
	# shellcheck disable=SC2016
	box_start bash -ec '[ -d /var/lib/mysql/mysql ] || {
		mariadb-install-db --rpm --skip-test-db \
		    --auth-root-authentication-method=normal "$@"
		cat >/tmp/first.sql <<-X
		CREATE DATABASE $MARIADB_DATABASE;
		CREATE USER $MARIADB_USER@"%" IDENTIFIED BY "$(cat "$MARIADB_PASSWORD_FILE")";
		GRANT ALL ON $MARIADB_DATABASE.* TO $MARIADB_USER@"%";
		CREATE USER healthcheck@"127.0.0.1" IDENTIFIED BY "health";
		SET PASSWORD FOR root@localhost = PASSWORD("$RANDOM$RANDOM");
		X
		set -- "$@" --init-file=/tmp/first.sql
	    }
	    exec mariadbd "$@"' database "${options[@]}" || return 1
	eventually 120 database_healthy && return
	tail -n 40 "$box/log"
	return 1
}

# --connect and --innodb_initialized, as healthcheck.sh asks.
database_healthy() {
	box_exec mariadb -h 127.0.0.1 -u healthcheck -phealth -N -e "SELECT 1 FROM
	    information_schema.ENGINES WHERE engine = 'innodb' AND
	    support IN ('YES', 'DEFAULT', 'ENABLED')" | grep -x 1
}

asked() {
	box_exec mariadb -u "$(of .services.db.environment.MARIADB_USER)" \
	    -p"$(cat "$scratch/db_password")" -N -e "$1" \
	    "$(of .services.db.environment.MARIADB_DATABASE)"
}

# What is made without a word of it has Leasehold's characters.
characters() {
	[ "$(asked 'SELECT @@character_set_server, @@collation_server,
	    @@character_set_database, @@collation_database' | tr '\t' ' ')" = \
	    'utf8mb4 utf8mb4_bin utf8mb4 utf8mb4_bin' ] &&
	    [ "$(asked "SELECT COUNT(*) FROM information_schema.COLUMNS
	    WHERE TABLE_SCHEMA = DATABASE() AND CHARACTER_SET_NAME IS NOT NULL
	    AND CHARACTER_SET_NAME NOT IN ('utf8mb4', 'ascii')")" = 0 ]
}

# Stopped, and started on what it has: nobody else is started anew for that.
database_again() {
	as_database box_stop TERM \
	    "$(of '.services.db.stop_grace_period | rtrimstr("s")')" &&
	    as_database database_start && eventually 120 streams_here
}

composed() {
	local env
	mapfile -t env < <(of '.services.leasehold.environment | to_entries[] |
	    "\(.key)=\(.value)"')
	: >"$box/log"
	box_new "$scratch/db-volumes" "$(of '.services.leasehold.tmpfs[]')" \
	    "${env[@]}" LEASEHOLD_MASTER_KEY_FILE=/run/secrets/master_key
	install -m 400 -o "${stage_user%:*}" \
	    "$scratch/volumes/var/lib/leasehold/master.key" \
	    "$scratch/master_key"
	secret_is "$scratch/master_key" master_key
	secret_is "$scratch/db_password" "$(of '.services.leasehold.secrets[]')"
	box_start "$entrypoint" && healthy
}

ledger_count() {
	as_database asked 'SELECT COUNT(*) FROM ledger' | grep -x '[1-9][0-9]*'
}

ledger_is_there() {
	eventually 60 ledger_count &&
	    [ ! -e "$scratch/db-volumes/var/lib/leasehold/leasehold.db" ] &&
	    [ ! -e "$scratch/db-volumes/var/lib/leasehold/master.key" ]
}

end() {
	[ -z "$upstream_pid" ] || kill "$upstream_pid"
	# shellcheck disable=SC2086
	[ -z "$db_pid" ] || kill -KILL $db_first "$db_pid" 2>/dev/null
	box_end
}
trap end EXIT

machine_needs
for program in jq python3 curl; do
	command -v $program >/dev/null || skip "$program is not installed"
done
chmod 755 "$scratch"
base_tree

check "compose.yaml is YAML" compose_load "$compose" ||
	give_up "nothing to compare with"
check "an unknown instruction is refused" eval '! docker_instruction ONBUILD x'
check "the Dockerfile, step by step" carry_out || give_up "no image"
check "a network" network_up || give_up "no network of namespaces"
check "the mock upstream" upstream

cp "$(root "$stage")/etc/leasehold/leasehold.conf" "$scratch/leasehold.conf"
chmod 644 "$scratch/leasehold.conf"
box_new "$scratch/volumes" "$(of '.services.leasehold.tmpfs[]')"
echo "bind $scratch/leasehold.conf /etc/leasehold/leasehold.conf" \
    >>"$box/mounts"
check "it starts with a read-only root" box_start "$entrypoint"
check "the health check passes" healthy || give_up "nothing to go on with"
check "it prints a link for the first administrator" invited
check "its environment is known" settings_known
check "all run as the user, without capabilities" unprivileged 6
check "the root is read-only, the volume is not" root_is_read_only \
    /var/lib/leasehold / /etc /usr/share/leasehold /var/log/leasehold \
    /etc/leasehold
check "the volume has database and master key" secrets_kept
check "an account and a key, from inside" account
check "a message goes through" streams_here
check "both logs go to standard output and error" logged
check "HUP has settings read again" reloads
check "leasehold restart puts another pool there, with the same log" restarts
check "$stop_signal ends it within the grace, an open stream whole" \
    stops_whole "${stop_signal#SIG}"
check "started again, it is well" started_again "$entrypoint"
check "it has its data" streams_here
check "without nginx it ends" dies '^nginx: master'
check "killed, it starts again" started_again "$entrypoint"
check "without its pool it ends" dies '^[^ ]*multiwatch.*leasehold-relay'
check "another command runs instead" other_command
box_new "$scratch/volumes" "$(of '.services.leasehold.tmpfs[]')" \
    LEASEHOLD_MOUNT=/claude
check "LEASEHOLD_MOUNT is where it is" mounted
check "$stop_signal ends it" box_stop "${stop_signal#SIG}" "$(grace)"
check "a MariaDB" database_tree || give_up "no database"
as_database database_new
check "it starts with a read-only root, and is well" \
    as_database database_start || give_up "no database"
check "all of it is its user's, without capabilities" as_database unprivileged 1
check "its root is read-only, its volume is not" as_database root_is_read_only \
    /var/lib/mysql / /etc /usr/lib/mysql
check "with what compose.yaml says, and a master key by file, it starts" composed ||
	give_up "nothing to go on with"
check "what compose.yaml names are settings" settings_known
check "it prints a link for the first administrator" invited
check "an account and a key, from inside" account
check "a message goes through" streams_here
check "the database has it, the volume neither database nor key" ledger_is_there
check "the database has its characters" as_database characters
check "the database started again, they find each other" database_again
check "$stop_signal ends it within the grace, an open stream whole" \
    stops_whole "${stop_signal#SIG}"
check "started again, it is well" started_again "$entrypoint"
check "it has its data" streams_here
check "$stop_signal ends it" box_stop "${stop_signal#SIG}" "$(grace)"
check "the database ends in its time" as_database box_stop TERM \
    "$(of '.services.db.stop_grace_period | rtrimstr("s")')"
check "both started again: the database" as_database database_start
check "both started again: Leasehold" started_again "$entrypoint"
check "it has its data" streams_here
check "$stop_signal ends it" box_stop "${stop_signal#SIG}" "$(grace)"
check "the database ends in its time" as_database box_stop TERM \
    "$(of '.services.db.stop_grace_period | rtrimstr("s")')"

results
