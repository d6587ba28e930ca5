#!/bin/bash
# The Dockerfile, carried out step by step, what it makes, run as it says with a
# read-only root, and conf/compose.yaml beside a MariaDB of this machine's.
# Functions are called by name, through check.
# shellcheck disable=SC2317
# shellcheck source=tests/container/lib.sh
. "$(dirname "$0")/lib.sh"
compose=$top/conf/compose.yaml
upstream_pid=''

# ---- conf/compose.yaml ----

yaml_read() {
	python3 -c 'import json, sys, yaml
print(json.dumps(yaml.safe_load(sys.stdin)))' <"$compose" >"$scratch/compose"
}

# of FILTER: what it has there, a line each.
of() {
	jq -er "$1" "$scratch/compose"
}

# Where there is one who knows all of the format.
compose_config() {
	docker compose -f "$compose" config -q
}

compose_hardened() {
	of '[.services[] | .read_only == true and .cap_drop == ["ALL"] and
	    .security_opt == ["no-new-privileges:true"] and
	    (.user == null or (.user | test("^[1-9]"))) and
	    (.tmpfs | length) > 0 and has("stop_grace_period")] | all'
}

compose_waits() {
	of '.services | .leasehold.depends_on.db.condition ==
	    "service_healthy" and (.db.healthcheck.test | length) > 1'
}

compose_is_whole() {
	of '. as $c | [.services[] |
	    (.secrets[]? | in($c.secrets)),
	    (.networks[]? | in($c.networks)),
	    (.volumes[]? | split(":")[0] | in($c.volumes))] | all'
}

compose_port() {
	[ "$(of '.services.leasehold.ports[] | split(":")[-1]')" = "$exposed" ]
}

# Each of its volumes is one of the image's.
compose_volumes() {
	[ "$(of '.services.leasehold.volumes[] | split(":")[1]')" = \
	    "${volumes[*]}" ]
}

# No secret gets into an image.
secrets_left_out() {
	local folder
	folder=$(of '.secrets[].file | split("/") | select(.[0] == "..") | .[1]') &&
	    grep -qx "$folder" "$top/.dockerignore"
}

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

# Nothing in there is another user's, or has a capability.
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
	[ "$count" -gt 5 ]
}

root_is_read_only() {
	local dir
	for dir in / /etc /usr/share/leasehold /var/log/leasehold \
	    /etc/leasehold; do
		nsenter --target "$box_first" --mount touch "$dir/there" &&
			return 1
	done
	nsenter --target "$box_first" --mount touch /var/lib/leasehold/there &&
	    nsenter --target "$box_first" --mount \
	    rm /var/lib/leasehold/there
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
	grep request_too_large "$scratch/stream"
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

# ---- MariaDB ----

database() {
	local options
	mapfile -t options < <(of '.services.db.command[]')
	printf 'a long password\n' >"$scratch/db_password"
	net "$top/tests/mariadb.sh" start "$scratch/db" --skip-networking=0 \
	    --bind-address=127.0.0.1 --port=3306 "${options[@]}" || return 1
	mariadb --no-defaults -S "$scratch/db/sock" -u root <<-END
	CREATE DATABASE $(of .services.db.environment.MARIADB_DATABASE);
	CREATE USER $(of .services.db.environment.MARIADB_USER)@'%'
	    IDENTIFIED BY 'a long password';
	GRANT ALL ON $(of .services.db.environment.MARIADB_DATABASE).* TO
	    $(of .services.db.environment.MARIADB_USER)@'%';
	END
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
	echo "bind $scratch/master_key /run/secrets/master_key" \
	    >>"$box/mounts"
	chmod 644 "$scratch/db_password"
	echo "bind $scratch/db_password /run/secrets/$(of \
	    '.services.leasehold.secrets[]')" >>"$box/mounts"
	box_start "$entrypoint" && healthy
}

ledger_count() {
	mariadb --no-defaults -S "$scratch/db/sock" -u root -N \
	    -e 'SELECT COUNT(*) FROM leasehold.ledger' |
		grep -x '[1-9][0-9]*'
}

ledger_is_there() {
	eventually 60 ledger_count &&
	    [ ! -e "$scratch/db-volumes/var/lib/leasehold/leasehold.db" ] &&
	    [ ! -e "$scratch/db-volumes/var/lib/leasehold/master.key" ]
}

end() {
	[ -z "$upstream_pid" ] || kill "$upstream_pid"
	[ ! -d "$scratch/db" ] || "$top/tests/mariadb.sh" stop "$scratch/db"
	box_end
}
trap end EXIT

machine_needs
for program in jq python3 curl; do
	command -v $program >/dev/null || skip "$program is not installed"
done
chmod 755 "$scratch"
base_tree

check "compose.yaml is YAML" yaml_read || give_up "nothing to compare with"
if docker compose version >/dev/null 2>&1; then
	check "docker compose takes it" compose_config
fi
check "its services are hardened" compose_hardened
check "it waits for a database that is well" compose_waits
check "what it names is there" compose_is_whole
check "an unknown instruction is refused" eval '! docker_instruction ONBUILD x'
check "the Dockerfile, step by step" carry_out || give_up "no image"
check "its secrets are left out of the image" secrets_left_out
check "compose.yaml has its port" compose_port
check "compose.yaml has its volumes" compose_volumes
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
check "all run as the user, without capabilities" unprivileged
check "the root is read-only, the volume is not" root_is_read_only
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
check "a MariaDB" database || give_up "no database"
check "with what compose.yaml says, and a master key by file, it starts" composed ||
	give_up "nothing to go on with"
check "what compose.yaml names are settings" settings_known
check "it prints a link for the first administrator" invited
check "an account and a key, from inside" account
check "a message goes through" streams_here
check "the database has it, the volume neither database nor key" ledger_is_there
check "$stop_signal ends it within the grace, an open stream whole" \
    stops_whole "${stop_signal#SIG}"
check "started again, it is well" started_again "$entrypoint"
check "it has its data" streams_here
check "$stop_signal ends it" box_stop "${stop_signal#SIG}" "$(grace)"

results
