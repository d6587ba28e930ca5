#!/bin/sh
# An upgrade and the way back, on each store: a database with the schema of two
# versions before is backed up and migrated, also where that fails half-way; the
# backup is what was there, and can be put in its place.

# shellcheck source=tests/admin/lib.sh
. "${srcdir:-.}/tests/admin/lib.sh"
begin upgrade jq sqlite3

server() {
	mariadb --no-defaults -N -S "$dir/server/sock" -u root "$@"
}

# SQL on the store; it may be standard input.
db() {
	case $store in
	sqlite) sqlite3 "$dir/db" "$@" ;;
	*) server lh ${1:+-e "$1"} ;;
	esac
}

# What the database says of itself; statistics of its own aside.
state() {
	case $store in
	sqlite) db .dump | grep -v '^INSERT INTO sqlite_stat' | cksum ;;
	*)
		mariadb-dump --no-defaults -S "$dir/server/sock" -u root \
		    --skip-comments --skip-dump-date --order-by-primary lh |
		    cksum
		;;
	esac
}

# How many rows each table of the file has there, and here.
rows_there() {
	for table in $(sqlite3 "$1" "SELECT name FROM sqlite_master
	    WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1"); do
		echo "$table $(sqlite3 "$1" "SELECT count(*) FROM $table")"
	done
}

rows_here() {
	while read -r table _; do
		echo "$table $(db "SELECT count(*) FROM $table")"
	done
}

backups() {
	find "$dir/backup" -name 'leasehold-schema-*.db' 2>/dev/null | wc -l
}

schema() {
	db 'SELECT max(number) FROM migration'
}

# ---- a database of two versions before ----

# What init makes of meta, with the master key of all.
facts() {
	LEASEHOLD_STORE=sqlite:$dir/facts.db "$bin" \
	    --config "$dir/leasehold.conf" init \
	    --prices "$srcdir/conf/prices.json" >"$dir/out" || exit 99
	sqlite3 "$dir/facts.db" "SELECT 'INSERT INTO meta VALUES (''' || name ||
	    ''', ' || quote(value) || ');' FROM meta"
}

make_old() {
	number_of=0
	for file in "$srcdir/sql/$1"/0*.sql; do
		number_of=$((number_of + 1))
		[ "$number_of" -le "$old" ] || break
		name=$(basename "$file" .sql)
		db <"$file" && db "INSERT INTO migration VALUES ($number_of,
		    '${name#*-}', $number_of)" || exit 99
	done >/dev/null
	printf 'BEGIN;\n%s\nCOMMIT;\n' "$(facts)" | db || exit 99
	db "INSERT INTO account_group (id, name, created_ms)
	    VALUES (7, 'before', 1);
	    INSERT INTO api_key (id, name, visible, hash, created_ms)
	    VALUES (9, 'marker', 'v', x'00ff', 1);
	    INSERT INTO ledger (id, state, fence, responder_id, created_ms,
	    key_id, kind, model, stream, reserved_nusd, body_bytes) VALUES
	    (7000000000000000001, 4, 1, 1, 1, 9, 'messages', 'm', 0, 0, 0)" ||
	    exit 99
}

# The last step fails when it is to be noted: on a server its tables are there.
hinder() {
	case $store in
	sqlite)
		db "CREATE TRIGGER hinder BEFORE INSERT ON migration
		    WHEN new.number = $newest
		    BEGIN SELECT RAISE(ABORT, 'hinder'); END"
		;;
	*)
		db "ALTER TABLE migration ADD CONSTRAINT hinder
		    CHECK (number <> $newest)"
		;;
	esac || exit 99
}

hinder_no_more() {
	case $store in
	sqlite) db 'DROP TRIGGER hinder' ;;
	*) db 'ALTER TABLE migration DROP CONSTRAINT hinder' ;;
	esac || exit 99
}

upgrade() {
	before=$(state)
	is 6 "what needs the new schema refuses" status
	has "and says what to run" 'leasehold migrate'
	is 6 "restart refuses" restart
	[ "$(state)" = "$before" ]
	report $? "nothing has changed"

	: >"$dir/backup"
	is 1 "no backup can be made" migrate
	[ "$(state)" = "$before" ]
	report $? "so nothing is migrated"
	rm "$dir/backup"

	hinder
	run migrate
	[ "$rc" != 0 ]
	report $? "the last step of a migration fails"
	has "it says why" hinder
	hinder_no_more
	[ "$(schema)" = $((newest - 1)) ]
	report $? "what was before it is done"
	[ "$(backups)" = 1 ]
	report $? "and there is a backup"
	first=$(find "$dir/backup" -name 'leasehold-schema-*.db')
	sqlite3 "$first" 'DROP TRIGGER IF EXISTS hinder'

	json "a second time it brings the database to this version's" \
	    ".schema_before == $((newest - 1)) and .schema == $newest" migrate
	backup=$(jq -r .backup "$dir/out")
	[ -s "$backup" ] && [ "$(stat -c %a "$backup")" = 600 ]
	report $? "it has told of a backup, which is nobody else's"
	is 0 "a third time" migrate
	has "there is nothing to do" 'nothing to do'
	[ "$(backups)" = 2 ]
	report $? "and no third backup"
	is 0 "init sets up the rest" init --prices "$srcdir/conf/prices.json"
	is 0 "it can be used" key show marker
}

# The backup from before all of it.
compare() {
	[ "$(sqlite3 "$first" 'SELECT max(number) FROM migration')" = "$old" ]
	report $? "the first backup is of the old schema"
	[ "$(sqlite3 "$first" 'PRAGMA integrity_check')" = ok ]
	report $? "it is not damaged"
	[ "$(sqlite3 "$first" "SELECT hex(hash) FROM api_key
	    WHERE name = 'marker'")" = 00FF ]
	report $? "it has what was there"
}

bring_back() {
	db "DELETE FROM account_group WHERE id = 7"
	is 0 "the old backup is restored" restore "$first"
	has "it is brought to this version's schema" "schema"
	[ "$(schema)" = "$newest" ]
	report $? "so it says itself"
	[ "$(db 'SELECT name FROM account_group WHERE id = 7')" = before ]
	report $? "what was deleted is there again"
	is 0 "it can be used" key show marker
}

# ---- the way back, as leasehold(8) says ----

back_sqlite() {
	cp "$first" "$dir/db"
	rm -f "$dir/db-wal" "$dir/db-shm"
	[ "$(state)" = "$before" ]
	report $? "the backup in its place is the old one"
	is 6 "this version does not take it" key list
	is 0 "without a backup" migrate --no-backup
	[ "$(backups)" = 2 ]
	report $? "none was made"
	cp "$first" "$dir/db"
	rm -f "$dir/db-wal" "$dir/db-shm"
	is 0 "init makes one, too" init --prices "$srcdir/conf/prices.json"
	has "and tells of it" 'backup: .*leasehold-schema-'
	[ "$(backups)" = 3 ]
	report $? "so that quickstart has one"
	is 0 "it can be used" key list
}

back_mariadb() {
	rows_there "$first" >"$dir/there"
	rows_here <"$dir/there" >"$dir/here"
	server -e 'DROP DATABASE lh; CREATE DATABASE lh'
	make_old mysql
	rows_here <"$dir/there" >"$dir/here"
	cmp "$dir/there" "$dir/here" >"$dir/out"
	report $? "the backup has all rows of all tables"
	is 0 "init makes a backup, too" init --prices "$srcdir/conf/prices.json"
	has "and tells of it" 'backup: .*leasehold-schema-'
	[ "$(backups)" = 3 ]
	report $? "so that quickstart and the container have one"
	server -e 'DROP DATABASE lh; CREATE DATABASE lh'
	is 0 "a backup is restored into an empty database" restore "$first"
	is 0 "it can be used" key show marker
	sed -i 's/^backup_dir.*/backup_dir =/' "$dir/leasehold.conf"
	server -e 'DROP DATABASE lh; CREATE DATABASE lh'
	make_old mysql
	run migrate
	[ "$rc" != 0 ] && [ "$(schema)" = "$old" ]
	report $? "without a folder for backups nothing is migrated"
	has "it says what to do" 'backup_dir'
	is 0 "without a backup it is" migrate --no-backup
}

on() {
	store=$1
	rm -rf "$dir/backup" "$dir/facts.db"*
	cat >"$dir/leasehold.conf" <<-EOC
		store = $2
		master_key_file = $dir/master.key
		run_dir = $dir
		backup_dir = $dir/backup
	EOC
	make_old "$(echo "$store" | sed s/mariadb/mysql/)"
	upgrade
	compare
	bring_back
	case $store in
	sqlite) back_sqlite ;;
	*) back_mariadb ;;
	esac
}

set -- "$srcdir"/sql/sqlite/0*.sql
newest=$#
old=$((newest - 2))
on_each_store
