#!/bin/bash
# conf/compose.yaml: docker-compose takes it, and what it names agrees with the
# Dockerfile, with conf/container/entry, and with the image of MariaDB.  Each of
# these facts then has to notice an error that is planted.  No engine is asked.
# Functions are called by name, through check.
# shellcheck disable=SC2317
# shellcheck source=tests/container/lib.sh
. "$(dirname "$0")/lib.sh"
trap machine_end EXIT

# load FILE: it is the one that facts are about; its paths are those of conf/.
load() {
	file=$1
	compose_load "$file"
}

# said WORD: what the Dockerfile's last instruction of that name says.
said() {
	instructions | sed -n "s/^$1 //p" | tail -n 1
}

# has LINE: is that one of those on standard input?
has() {
	grep -qxF -- "$1"
}

# ---- the file by itself ----

# By the program of Debian's package docker-compose, whose schema is that of all
# versions of the format up to 3.9.
valid() {
	docker-compose --project-directory "$top/conf" -f "$file" config -q
}

hardened() {
	of '[.services[] | .read_only == true and .cap_drop == ["ALL"] and
	    .security_opt == ["no-new-privileges:true"] and
	    (.user == null or (.user | test("^[1-9]"))) and
	    (.tmpfs | length) > 0 and has("stop_grace_period")] | all'
}

waits() {
	of '.services | .leasehold.depends_on.db.condition ==
	    "service_healthy" and (.db.healthcheck.test | length) > 1'
}

# What services name is there, and all of it is named.
whole_file() {
	of '. as $c | [.services[].secrets[]?] as $s |
	    [.services[].networks[]?] as $n |
	    [.services[].volumes[]? | split(":")[0]] as $v |
	    ($c.secrets | keys) == ($s | unique) and
	    ($c.networks | keys) == ($n | unique) and
	    ($c.volumes | keys) == ($v | unique)'
}

# ---- Leasehold's image ----

builds() {
	[ "$(realpath "$top/conf/$(of .services.leasehold.build)")" = \
	    "$(realpath "$top")" ] && [ -s "$top/Dockerfile" ]
}

port() {
	[ "$(of '.services.leasehold.ports[] | split(":")[-1]')" = \
	    "$(said EXPOSE)" ] &&
	    grep -q "http://127.0.0.1:$(said EXPOSE)\$(setting mount)/health" \
	    "$top/conf/container/entry"
}

# Only on this machine, and as public_url has it.
public() {
	local published
	published=$(of '.services.leasehold.ports[] | split(":")[:-1] |
	    join(":")') &&
	    [ "$(of .services.leasehold.environment.LEASEHOLD_PUBLIC_URL)" = \
	    "http://$published" ]
}

state() {
	[ "$(of '.services.leasehold.volumes[] | split(":")[1]')" = \
	    "$(said VOLUME)" ]
}

# The image's user may write to /run, which has what the Dockerfile names.
run_dir() {
	local options user
	user=$(said USER)
	options=$(of '.services.leasehold.tmpfs[] | select(startswith("/run:"))
	    | split(":")[1]') &&
	    tr , '\n' <<<"$options" | has "uid=${user%:*}" &&
	    tr , '\n' <<<"$options" | has "gid=${user#*:}" &&
	    [ "$(of '.services.leasehold.user // "image"')" = image ] &&
	    of '.services.leasehold.tmpfs | index("/tmp")' &&
	    said ENV | tr ' ' '\n' | has LEASEHOLD_RUN_DIR=/run/leasehold
}

# Each LEASEHOLD_NAME is read by something: the settings, and what conf_env.c
# has beside them.
known_names() {
	sed -n 's/^#\([a-z_]*\) =.*/LEASEHOLD_\U\1/p' "$top/conf/leasehold.conf.in"
	sed -n 's/^\t"\(LEASEHOLD_[A-Z_]*\)",.*/\1/p' \
	    "$top/fcgi/base/conf_env.c"
}

variables() {
	local name
	for name in $(of '.services.leasehold.environment | keys[]') \
	    $(said ENV | grep -o 'LEASEHOLD_[A-Z_]*'); do
		known_names | has "$name" || {
			echo "$name is no setting"
			return 1
		}
	done
}

# What entry takes from the environment is there whatever compose.yaml says.
entry_variables() {
	local name
	for name in $(grep -o '\$[A-Z][A-Z_]*' "$top/conf/container/entry" |
	    tr -d '$' | sort -u); do
		said ENV | grep -q "\<$name=" && of \
		    ".services.leasehold.environment | has(\"$name\") | not" ||
			return 1
	done
}

# A pool may drain for drain_s, and there is what lies round it.
grace() {
	local drain
	drain=$(sed -n 's/^#drain_s = //p' "$top/conf/leasehold.conf.in")
	[ "$(of '.services.leasehold.stop_grace_period | rtrimstr("s")')" -ge \
	    $((drain + 10)) ]
}

# ---- secrets ----

# A file that a variable names is a secret of that service.
secrets_given() {
	of '[.services[] | (.secrets // []) as $s | .environment | to_entries[] |
	    select(.value | startswith("/run/secrets/")) |
	    .value | ltrimstr("/run/secrets/") | IN($s[])] |
	    length > 1 and all'
}

# ... which gets neither into the image nor into the repository.
secrets_left_out() {
	local folder
	folder=$(of '.secrets[].file | split("/") | select(.[0] == "..") | .[1]') &&
	    has "$folder" <"$top/.dockerignore" &&
	    { [ ! -e "$top/.gitignore" ] || has "/$folder/" <"$top/.gitignore"; } &&
	    grep -q "^#.*>$folder/$(of '.secrets | keys[]'))\$" "$file"
}

no_secret_inside() {
	of '[.services[].environment | to_entries[] |
	    select(.key | test("PASSWORD$|SECRET$|_KEY$")) |
	    select(.key != "MARIADB_RANDOM_ROOT_PASSWORD")] | length == 0'
}

# ---- the database ----

# It is at the host, of the name and the user that the store says; the two can
# see each other, and nobody sees the database from outside.
store() {
	of '. as $c | .services.leasehold.networks as $n | .services.db |
	    ("mysql://" + .environment.MARIADB_USER + "@db/" +
	    .environment.MARIADB_DATABASE + "?tls=off") ==
	    $c.services.leasehold.environment.LEASEHOLD_STORE and
	    .ports == null and .networks - $n == [] and
	    ([.networks[] | $c.networks[.].internal == true] | all)'
}

# Both are of Leasehold's tables, see sql/mysql.
characters() {
	of '.services.db.command | sort == [
	    "--character-set-server=utf8mb4",
	    "--collation-server=utf8mb4_bin"]'
}

# What the image "mariadb:10.11" is like, by the files in the folder 10.11 of
# the repository MariaDB/mariadb-docker:
#	Dockerfile	"groupadd -r mysql && useradd -r -g mysql mysql" before
#			any package, which makes it 999:999; VOLUME
#			/var/lib/mysql; the server writes to /run/mysqld and /tmp
#	docker-entrypoint.sh	as another user than root it changes to none;
#			what begins with "-" is an option of mariadbd;
#			MARIADB_PASSWORD and others may be _FILE; without a
#			kind of ROOT_PASSWORD it does not start
#	healthcheck.sh	each of its words is a test of that name; "connect" is
#			by TCP, which the server that the entry point has for
#			the first start does not listen to
database_image() {
	[ "$(of .services.db.image)" = mariadb:10.11 ] &&
	    [ "$(of .services.db.user)" = 999:999 ] &&
	    of '.services.db.volumes == ["db:/var/lib/mysql"]' &&
	    of '.services.db.tmpfs | sort ==
	    ["/run/mysqld:uid=999,gid=999,mode=755", "/tmp"]' &&
	    of '.services.db.command | all(startswith("--"))'
}

database_variables() {
	of '.services.db.environment | keys - ["MARIADB_DATABASE", "MARIADB_USER",
	    "MARIADB_PASSWORD_FILE", "MARIADB_RANDOM_ROOT_PASSWORD"] == []' &&
	    of '.services.db.environment | [has("MARIADB_PASSWORD_FILE",
	    "MARIADB_DATABASE", "MARIADB_USER"),
	    (.MARIADB_RANDOM_ROOT_PASSWORD | . != null and . != "")] | all'
}

health_words() {
	of '.services.db.healthcheck.test | .[:2] == ["CMD", "healthcheck.sh"] and
	    (.[2:] - ["--connect", "--innodb_initialized",
	    "--innodb_buffer_pool_loaded"] == []) and
	    any(. == "--connect") and any(. == "--innodb_initialized")'
}

# ---- errors ----

# notices FACT SCRIPT: a copy that sed has changed is not what the fact wants.
notices() {
	sed "$2" "$compose" >"$scratch/planted.yaml"
	! cmp -s "$compose" "$scratch/planted.yaml" || {
		echo "nothing was planted"
		return 1
	}
	load "$scratch/planted.yaml" && ! "$1"
}

for program in docker-compose jq python3; do
	command -v $program >/dev/null || skip "$program is not installed"
done

check "compose.yaml is YAML" load "$compose" || give_up "nothing to look at"
while IFS='|' read -r fact text; do
	check "$text" "$fact"
done <<-'END'
	valid|docker-compose takes it
	hardened|its services are hardened
	waits|it waits for a database that is well
	whole_file|what it names is there
	builds|it builds the Dockerfile
	port|its port is the Dockerfile's
	public|its address is public_url, and of this machine
	state|its volume is the Dockerfile's
	run_dir|the user of the image can write to /run
	variables|its variables are settings
	entry_variables|what entry wants is in the image
	grace|a pool has time to drain
	secrets_given|secrets are given to who reads them
	secrets_left_out|secrets are left out of the image
	no_secret_inside|no secret is in it
	store|the store is its database
	characters|the database has Leasehold's characters
	database_image|user and folders are those of MariaDB's image
	database_variables|its variables are those of MariaDB's image
	health_words|MariaDB's image knows how to look at its health
END
while IFS='|' read -r fact script; do
	check "noticed ($fact): $script" notices "$fact" "$script"
done <<-'END'
	valid|s/read_only:/readonly:/
	valid|s/condition: service_healthy/condition: 1/
	valid|s/^      - db_password/      - [db_password]/
	hardened|0,/read_only: true/s//read_only: false/
	hardened|0,/- ALL/s//- NET_RAW/
	hardened|s/user: 999:999/user: 0:0/
	waits|s/service_healthy/service_started/
	whole_file|s/- state:/- data:/
	whole_file|s/^  state: {}/&\n  spare: {}/
	whole_file|s/^  db_password:/  password:/
	whole_file|s/- back$/- backs/
	builds|s/build: \.\./build: ./
	port|s/:8080:8080/:8080:8081/
	public|s/127.0.0.1:8080:/8080:/
	public|s/127.0.0.1:8080:/127.0.0.1:8090:/
	state|s|state:/var/lib/leasehold|state:/var/lib/lease|
	run_dir|s/uid=10001/uid=1000/
	run_dir|s/gid=10001/gid=0/
	run_dir|s|/run:uid|/var/run:uid|
	variables|s/LEASEHOLD_PUBLIC_URL/LEASEHOLD_PUBLIC_URI/
	variables|s/STORE_PASSWORD_FILE/STORE_PASS_FILE/
	entry_variables|s|LEASEHOLD_PUBLIC_URL: .*|LEASEHOLD_RUN_DIR: /tmp|
	grace|s/75s/60s/
	secrets_given|s|FILE: /run/secrets/db_password|FILE: /run/secrets/password|
	secrets_left_out|s|file: \.\./secrets/|file: ../private/|
	secrets_left_out|s|>secrets/db_password|>secrets/password|
	no_secret_inside|s/MARIADB_USER: leasehold/MARIADB_PASSWORD: x/
	store|s/@db\//@mariadb\//
	store|s/MARIADB_DATABASE: leasehold/MARIADB_DATABASE: lease/
	store|s/internal: true/internal: false/
	characters|s/utf8mb4_bin/utf8mb4_general_ci/
	database_image|s/user: 999:999/user: 1000:1000/
	database_image|s|db:/var/lib/mysql|db:/var/lib/mariadb|
	database_image|s|/run/mysqld:uid=999|/run/mysqld:uid=10001|
	database_variables|s/MARIADB_RANDOM_ROOT_PASSWORD/MARIADB_ROOT_RANDOM/
	database_variables|s/RANDOM_ROOT_PASSWORD: "1"/RANDOM_ROOT_PASSWORD: ""/
	health_words|s/--connect/--conect/
	health_words|s/CMD, healthcheck.sh/CMD, healthcheck/
END

results
