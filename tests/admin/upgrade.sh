#!/bin/sh
# An upgrade and the way back: a database with the schema of the version before
# is backed up and migrated; the backup in its place is the one that was.

for tool in jq sqlite3; do
	command -v "$tool" >/dev/null 2>&1 || {
		echo "1..0 # SKIP $tool is not installed"
		exit 77
	}
done
srcdir=${srcdir:-.}
bin=$(pwd)/leasehold
dir=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-upgrade.XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
unset LEASEHOLD_CONFIG

cat >"$dir/leasehold.conf" <<EOC
store = sqlite:$dir/leasehold.db
master_key_file = $dir/master.key
run_dir = $dir
backup_dir = $dir/backup
EOC

# shellcheck source=tests/admin/lib.sh
. "$srcdir/tests/admin/lib.sh"

db() {
	sqlite3 "$dir/leasehold.db" "$@"
}

# What the database says of itself, the newest migration aside.
state() {
	db .dump | grep -v '^INSERT INTO sqlite_stat' | cksum
}

backups() {
	find "$dir/backup" -name 'leasehold-schema-*.db' 2>/dev/null | wc -l
}

# ---- a database of the version before ----

# The newest step is left out, so that it is there to be made.
set -- "$srcdir"/sql/sqlite/0*.sql
newest=$#
old=$((newest - 1))
number_of=0
for file; do
	number_of=$((number_of + 1))
	[ "$number_of" -le "$old" ] || break
	name=$(basename "$file" .sql)
	db <"$file" && db "INSERT INTO migration VALUES ($number_of,
	    '${name#*-}', $number_of)" || exit 99
done >/dev/null
db "INSERT INTO api_key (name, prefix, hash, created_ms)
    VALUES ('marker', 'p', x'00', 1)" 2>/dev/null
before=$(state)

is 6 "what needs the new schema refuses" status
has "and says what to run" 'leasehold migrate'
is 6 "restart refuses" restart
[ "$(state)" = "$before" ]
report $? "nothing has changed"

# ---- no room, no migration ----

: >"$dir/backup"
is 1 "no backup can be made" migrate
[ "$(state)" = "$before" ]
report $? "so nothing is migrated"
rm "$dir/backup"

# ---- upgrade ----

json "migrate brings it to this version's" \
    ".schema_before == $old and .schema == $newest" migrate
backup=$(jq -r .backup "$dir/out")
[ -s "$backup" ] && [ "$(stat -c %a "$backup")" = 600 ]
report $? "it has told of the backup, which is nobody else's"
[ "$(sqlite3 "$backup" .dump | cksum)" = "$before" ]
report $? "which is what was there"
[ "$(state)" != "$before" ]
report $? "the database is another one"
is 0 "a second time" migrate
has "there is nothing to do" 'nothing to do'
[ "$(backups)" = 1 ]
report $? "and no second backup"
is 0 "init sets up the rest" init --prices "$srcdir/conf/prices.json"
is 0 "it can be used" key list

# ---- the way back, as leasehold(8) says ----

cp "$backup" "$dir/leasehold.db"
rm -f "$dir/leasehold.db-wal" "$dir/leasehold.db-shm"
[ "$(state)" = "$before" ]
report $? "the backup in its place is the old one"
is 6 "this version does not take it" key list

# ---- and there again ----

is 0 "without a backup" migrate --no-backup
[ "$(backups)" = 1 ]
report $? "none was made"
cp "$backup" "$dir/leasehold.db"
rm -f "$dir/leasehold.db-wal" "$dir/leasehold.db-shm"
sleep 1
is 0 "init makes one, too" init --prices "$srcdir/conf/prices.json"
[ "$(backups)" = 2 ]
report $? "so that quickstart has one"
is 0 "it can be used" key list
echo "1..$number"
exit $failed
