#!/bin/sh
# Reports of usage and the commands that look after the ledger, through the
# built command: text, CSV, JSON and exit status, on SQLite and, where there is
# one, on a MariaDB.

# shellcheck source=tests/admin/lib.sh
. "${srcdir:-.}/tests/admin/lib.sh"
begin ledger jq sqlite3

# What is in the store, behind the command's back.
sql() {
	case $store in
	sqlite) sqlite3 "$dir/db" "$1" ;;
	*) mariadb --no-defaults -S "$dir/server/sock" -u root lh -e "$1" ;;
	esac
}

# One request of key 1: 1 November 2026, 10:00 UTC, 1,000 in, 200 out, $0.005.
hour=1793527200000
day=1793491200000
request() {
	id=$(((hour - 1735689600000) << 22))
	sums='1, 0, 0, 5000000, 1000, 200, 0, 0, 0, 0, 0, 400, 900, 1, 0, 0,
	    0, 0, 1, 0, 0, 0, 0, 0'
	sql "INSERT INTO ledger (id, state, fence, responder_id, created_ms,
	    key_id, kind, model, stream, reserved_nusd, body_bytes, account_id,
	    mark, outcome, attempts, input_tokens, output_tokens, cost_nusd,
	    queue_ms, first_byte_ms, total_ms) VALUES ($id, 1, 1, 1, $hour, 1,
	    'messages', 'claude-sonnet-4-5', 1, 6000000, 9, 1, 1, 'ok', 1,
	    1000, 200, 5000000, 0, 400, 900);
	    INSERT INTO attempt (ledger_id, n, account_id, started_ms, outcome,
	    mark, input_tokens, output_tokens, cost_nusd) VALUES ($id, 1, 1,
	    $hour, 'ok', 1, 1000, 200, 5000000);
	    INSERT INTO usage_hour VALUES ($hour, 1, 1, 0, 0,
	    'claude-sonnet-4-5', $sums);
	    INSERT INTO usage_day VALUES ($day, 1, 1, 0, 0,
	    'claude-sonnet-4-5', $sums);
	    INSERT INTO key_usage VALUES (1, 1, 5000000, 1000, 200, 0, 0,
	    $hour)"
}

usage() {
	is 0 "usage of nothing" usage
	json "as JSON" '.rows == [] and .total.requests == 0 and
	    .zone == "UTC" and .per == "total"' usage
	is 0 "as CSV" usage --csv
	has "its first line" '^start,requests,errors,unpriced,cost_nusd,'
	request
	json "a day by key and model" '.rows[0].key == "k1" and
	    .rows[0].model == "claude-sonnet-4-5" and
	    .rows[0].start == "2026-11-01T00:00:00+00:00" and
	    .rows[0].input_tokens == 1000 and .total.cost_nusd == 5000000' \
	    usage --by key,model --per day --from 2026-11-01 --to 2026-11-02
	is 0 "in a table" usage --by key,model --per hour --from 2026-11
	has "the hour, key, model and cost" \
	    '^2026-11-01 10:00  k1  *claude-sonnet-4-5 .*\$0.005$'
	is 0 "as CSV" usage --by key --csv --from 2026-11
	has "a line" '^2026-11-01T00:00:00+00:00,k1,1,0,0,5000000,1000,200,'
	json "in another zone it is another day" \
	    '.rows[0].start == "2026-11-02T00:00:00+14:00"' \
	    usage --per day --from 2026-11-01 --to 2026-11-03 \
	    --zone Pacific/Kiritimati
	is 0 "a zone that is half an hour off" usage --per day \
	    --from 2026-11-01 --to 2026-11-03 --zone Asia/Kolkata
	has "it says how that is rounded" 'within an hour'
	json "filters" '.total.requests == 1' usage --from 2026 --key k1 \
	    --account a1 --model 'claude-*'
	json "other models" '.rows == []' usage --from 2026 --model 'gpt*'
	json "long ago" '.rows == []' usage --from 2025 --to 2026
}

bad_usage() {
	is 3 "usage of no key" usage --key nobody
	is 3 "of no user" usage --user nobody
	is 3 "of no account" usage --account nobody
	is 3 "of no group" usage --group nobody
	is 2 "in no zone" usage --zone Mars/Olympus
	is 2 "in what is no name of a zone" usage --zone ../../etc/passwd
	is 2 "by something else" usage --by weather
	is 2 "by something twice" usage --by key,key
	is 2 "by nothing more" usage --by key,
	is 2 "per something else" usage --per fortnight
	is 2 "from no time" usage --from tomorrow
	is 2 "from no day" usage --from 2026-02-30
	is 2 "to no time" usage --to ''
	is 2 "ending before it begins" usage --from 2026-11 --to 2026-10
	is 2 "in more periods than there are" usage --per hour --from 2000
	is 2 "in two formats" usage --csv --json
}

ledger() {
	json "verify" '.rows == 1 and .attempts == 1 and .hours == 1 and
	    .days == 1 and .differences == 0 and .shown == []' ledger verify
	is 0 "verify as text" ledger verify
	has "it says how many rows" '^rows  *1$'
	sql "UPDATE usage_hour SET output_tokens = 201"
	is 1 "verify finds what differs" ledger verify
	has "it shows the hour" '^usage_hour  2026-11-01T10:00Z key #1 .* 201 '
	is 1 "and as JSON" --json ledger verify
	sql "UPDATE usage_hour SET output_tokens = 200"
	is 2 "verify takes no argument" ledger verify all
	json "for ever" '.rows == 0 and .cut_ms == null' ledger prune
	is 0 "for ever, in words" ledger prune
	has "it says so" 'kept for ever'
	for n in 0 -1 many 1.5 99999999; do
		is 2 "prune --days $n" ledger prune --days $n
	done
	json "it is young" '.rows == 0' ledger prune --days 3650
	sql "UPDATE ledger SET id = 4194304000, created_ms = 1;
	    UPDATE attempt SET ledger_id = 4194304000;
	    UPDATE usage_hour SET start_ms = 1735689600000;
	    UPDATE usage_day SET start_ms = 1735689600000"
	json "a row of January 2025" '.differences == 0 and .rows == 1' \
	    ledger verify
	echo 'ledger_keep_days = 30' >>"$dir/leasehold.conf"
	json "the setting holds" '.rows == 1 and .cut_ms > 0' ledger prune
	json "sums stay" '.total.requests == 1' usage --from 2025
	json "and agree" '.differences == 0 and .rows == 0 and .cut_ms > 0' \
	    ledger verify
	json "there is no more" '.rows == 0' ledger prune
}

reconcile() {
	head='usage_date_utc,model_version,usage_input_tokens_no_cache'
	head=$head,usage_output_tokens
	printf '%s\n2025-01-01,claude-sonnet-4-5-20250929,1000,200\n' \
	    "$head" >"$dir/report"
	is 0 "a report that agrees" reconcile "$dir/report"
	has "and says so" '^0 days and models are off'
	printf '2025-01-02,claude-haiku-4-5,10,20\n' >>"$dir/report"
	is 1 "one that does not" reconcile "$dir/report"
	has "the gap" '^2025-01-02  claude-haiku-4-5  *yes  *10  *20 '
	run reconcile - <"$dir/report"
	[ "$rc" = 1 ]
	report $? "from standard input"
	is 0 "its first day" reconcile "$dir/report" --to 2025-01-02
	is 1 "as JSON" --json reconcile "$dir/report"
	jq -e '.off == 1 and .rows[1].gap.output_tokens == 20 and
	    .total.gap.input_tokens == 10' "$dir/out" >/dev/null
	report $? "with the gaps"
	is 0 "a wide tolerance" reconcile "$dir/report" --tolerance 100
	for t in -1 101 much nan ''; do
		is 2 "a tolerance of \"$t\"" reconcile "$dir/report" \
		    --tolerance "$t"
	done
	is 3 "no such account" reconcile "$dir/report" --account nobody
	is 3 "no such file" reconcile "$dir/nowhere"
	echo 'hello' >"$dir/report"
	is 2 "what is no report" reconcile "$dir/report"
	has "it names the file" "$dir/report: its first line names no column"
	is 2 "no file" reconcile
}

# on NAME URL: all of it on a store.
on() {
	set_up "$@"
	is 0 "a key" key create --name k1
	run account add --name a1 --platform claude --credential api_key \
	    --base-url https://api.example <<-EOC
	sk-ant-0123456789
	EOC
	usage
	bad_usage
	ledger
	reconcile
}

on_each_store
