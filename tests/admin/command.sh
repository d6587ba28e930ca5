#!/bin/sh
# The built command against a database of its own: every subcommand, its text,
# its JSON and its exit status, and that no secret is ever shown.

# shellcheck source=tests/admin/lib.sh
. "${srcdir:-.}/tests/admin/lib.sh"
begin command jq
prices=$(cd "$srcdir" && pwd)/conf/prices.json
secret=sk-ant-very-secret-0123456789
other=sk-ant-other-secret-9876543210

cat >"$dir/leasehold.conf" <<EOC
store = sqlite:$dir/leasehold.db
master_key_file = $dir/master.key
run_dir = $dir
EOC

# from TEXT STATUS WHAT ARGS ...: as is, with TEXT on standard input.
from() {
	text=$1
	shift
	printf '%s\n' "$text" >"$dir/in"
	is "$@" <"$dir/in"
}

# ---- help and usage ----

is 0 "help is help" --help
has "it lists the commands" 'account add'
is 0 "a group has help" account --help
has "it lists the group's commands" 'account enable'
is 0 "the version" --version
is 2 "no command"
is 2 "an unknown command" frobnicate
is 2 "an unknown second word" key frobnicate
is 2 "an unknown option" key list --frobnicate
is 2 "a missing argument" key show
is 2 "an argument too many" key list extra

# Each command that the overview names has a help of its own.
"$bin" --help | sed -n 's/^  \([a-z]*\( [a-z]*\)\{0,1\}\)  .*/\1/p' \
    >"$dir/commands"
while read -r words; do
	# shellcheck disable=SC2086
	is 0 "$words --help" $words --help
	grep -q "^usage: leasehold $words" "$dir/out"
	report $? "it states the usage of $words"
done <"$dir/commands"
[ "$(wc -l <"$dir/commands")" -ge 28 ]
report $? "there are as many as there should be"

# ---- config ----

is 0 "a good config" config check
json "config show has the settings" \
    ".store == \"sqlite:$dir/leasehold.db\"" config show
is 0 "config show as text" config show
has "it can be read again" "^master_key_file = $dir/master.key\$"
cp "$dir/out" "$dir/shown.conf"
"$bin" --config "$dir/shown.conf" config check >/dev/null
report $? "what config show prints is a config file"
LEASEHOLD_QUEUE_MAX=7 "$bin" --config "$dir/leasehold.conf" config show \
    >"$dir/out"
has "a variable wins, and config show names it" \
    "^# from environment variable LEASEHOLD_QUEUE_MAX\$"
has "its value is shown" '^queue_max = 7$'
has "as the line of the file that another is from" \
    "^# from $dir/leasehold.conf, line [0-9]*\$"
LEASEHOLD_QEUE_MAX=7 "$bin" --config "$dir/leasehold.conf" config check \
    >"$dir/out" 2>"$dir/err"
report $? "a variable that nothing reads stops nothing"
has "but config check warns of it" \
    'LEASEHOLD_QEUE_MAX; did you mean LEASEHOLD_QUEUE_MAX?'
LEASEHOLD_QEUE_MAX=7 json "as it does in JSON" \
    '.unknown_variables | index("LEASEHOLD_QEUE_MAX") != null' config check
LEASEHOLD_QUEUE_MAX=many "$bin" --config "$dir/leasehold.conf" config check \
    >"$dir/out" 2>"$dir/err"
[ $? = 6 ]
report $? "a bad variable is a matter of setup, too"
has "and named" 'environment variable LEASEHOLD_QUEUE_MAX: queue_max = "many"'
LEASEHOLD_BODY_MAX_BYTES=1G "$bin" --config "$dir/leasehold.conf" config \
    check >"$dir/out" 2>"$dir/err"
[ $? = 6 ]
report $? "a variable and the file may contradict each other"
has "and both places are named" 'the default) is.*(LEASEHOLD_BODY_MAX_BYTES)'
for url in u@h/d u@h:0/d 'u@h/d?ca=x' 'u@h/d?ca=/x&tls=off' 'u@h/d?tls=no'; do
	printf '\nstore = mysql://%s\n' "$url" >"$dir/bad.conf"
	"$bin" --config "$dir/bad.conf" config check >"$dir/out" 2>"$dir/err"
	[ $? = 6 ]
	report $? "a store like mysql://$url is a matter of setup"
	has "its line is named" 'bad.conf: store (line 2): '
done
echo 'queue_max = many' >"$dir/bad.conf"
"$bin" --config "$dir/bad.conf" config check >"$dir/out" 2>"$dir/err"
[ $? = 6 ]
report $? "a bad config is a matter of setup"
has "it names the file, line and setting" "bad.conf.*1.*queue_max"
"$bin" config check --config "$dir/leasehold.conf" >"$dir/out" 2>"$dir/err"
report $? "--config stands behind the command as well"

# ---- before and at init ----

is 6 "no database yet" account list
has "it says what to run" "leasehold init"
is 6 "nothing to migrate" migrate
is 0 "init" init --prices "$prices"
[ "$(stat -c %a "$dir/master.key")" = 600 ]
report $? "the master key file is private"
cksum <"$dir/master.key" >"$dir/sum"
json "init again changes nothing" \
    '.installed == false and .master_key_made == false and
    .schema_before == .schema and .prices_added == 0' \
    init --prices "$prices"
cksum <"$dir/master.key" | cmp -s - "$dir/sum"
report $? "the master key is the same"
json "migrate has nothing to do" '.schema_before == .schema' migrate

# ---- groups ----

is 0 "group add" group add g1 --strategy least_connections
is 4 "a group twice" group add g1
is 2 "an unknown strategy" group add g2 --strategy best
has "it names those that are there" 'take weighted or least_connections or round_robin or response_time'
is 0 "another strategy" group set g1 --strategy round_robin
is 0 "and one more" group set g1 --strategy response_time
is 0 "and back" group set g1 --strategy least_connections
is 2 "a bad name" group add ' g'
is 2 "concurrency below 0" group set g1 --concurrency -1
is 0 "a group's concurrency" group set g1 --concurrency 7
json "it is set" '.[0].concurrency == 7' group list
is 0 "group set" group set g1 --strategy weighted
json "group list" '.[0].name == "g1" and .[0].strategy == "weighted"' \
    group list
is 2 "nothing to change in a group" group set g1
is 3 "group set of none" group set nope --strategy weighted
is 0 "another group" group add g2
is 0 "group remove" group remove g2
is 3 "group remove of none" group remove g2

# ---- accounts ----

add="account add --platform claude --credential api_key"
# shellcheck disable=SC2086
{
	from "$secret" 0 "account add" $add --name a1 --group g1 \
	    --base-url https://upstream.example/ --priority 5 --weight 7 \
	    --concurrency 3
	from "$secret" 4 "an account twice" $add --name a1 \
	    --base-url https://upstream.example
	from "$secret" 2 "http elsewhere" $add --name a2 \
	    --base-url http://upstream.example
	from "$secret" 2 "a URL with a user" $add --name a2 \
	    --base-url https://u:p@upstream.example
	from "$secret" 3 "an unknown group" $add --name a2 --group nope \
	    --base-url https://upstream.example
	from "$secret" 2 "no base URL" $add --name a2
	from "" 2 "an empty secret" $add --name a2 \
	    --base-url https://upstream.example
	from "two words" 2 "a secret with a blank" $add --name a2 \
	    --base-url https://upstream.example
	from "$secret" 2 "too much concurrency" $add --name a2 \
	    --base-url https://upstream.example --concurrency 10001
	from "$other" 0 "a bearer token, disabled" account add --name a2 \
	    --platform claude --credential bearer --disabled \
	    --base-url http://127.0.0.1:1
}
json "account list" '[.[].name] == ["a1", "a2"] and .[0].concurrency == 3 and
    .[0].base_url == "https://upstream.example" and .[0].leases == 0' \
    account list
json "no secret in it" 'map(has("secret")) | any | not' account list
json "account show" '.enabled == false and .credential == "bearer" and
    .cooldowns == [] and .group == null' account show a2
is 0 "account show as text" account show a1
has "it names the group" '^group  *g1$'
is 3 "account show of none" account show nope
is 0 "account enable" account enable a2
json "it is enabled" '.enabled' account show a2
is 0 "account disable" account disable a2
json "it is disabled" '.enabled | not' account show a2
is 0 "account wake" account wake a2
has "it says so" 'account "a2" is parked no more'
json "account wake as JSON" '.account == "a2"' account wake a2
is 3 "account wake of none" account wake nope
is 0 "account set" account set a2 --name a3 --priority 0 --concurrency 20
json "it is set" '.priority == 0 and .concurrency == 20 and .weight == 100' \
    account show a3
from "$secret" 0 "account set --secret" account set a3 --secret
is 4 "a name that is taken" account set a3 --name a1
is 2 "nothing to change in an account" account set a3
is 3 "account set of none" account set nope --weight 1
is 0 "into a group" account set a3 --group g1
is 4 "a group that is in use" group remove g1
is 0 "out of it" account set a3 --group ""
is 1 "account test says that nobody is there" account test a3
has "in libcurl's words" "status 0"
is 1 "account test with a model" account test a3 --model claude-x

# ---- keys ----

run key create --name k1 --group g1 --budget 5.25 --concurrency 4 \
    --models 'claude-*, other' --expires 90d
[ "$rc" = 0 ] && [ "$(wc -l <"$dir/out")" = 1 ] &&
    grep -q '^sk-lh-[A-Za-z0-9_-]\{43\}$' "$dir/out"
report $? "key create prints the key alone on standard output"
key=$(cat "$dir/out")
: >"$dir/all"
is 4 "a key twice" key create --name k1
run key rotate k1 --overlap 2h
[ "$rc" = 0 ] && [ "$(wc -l <"$dir/out")" = 1 ] &&
    grep -q '^sk-lh-' "$dir/out"
report $? "key rotate prints the new secret alone"
is 2 "an overlap of more than 30 days" key rotate k1 --overlap 31d
is 2 "an overlap that is no time" key rotate k1 --overlap soon
is 2 "a key without a name" key create
is 2 "two bindings" key create --name k2 --group g1 --account a1
is 3 "an unknown account" key create --name k2 --account nope
is 2 "an expiry that is over" key create --name k2 --expires 2020-01-01
is 2 "an expiry without a unit" key create --name k2 --expires 90
is 2 "a budget that is no number" key create --name k2 --budget lots
json "key create as JSON" '.name == "k2" and (.key | startswith("sk-lh-"))' \
    key create --name k2 --account a1
: >"$dir/all"
json "key list" '[.[].name] == ["k1", "k2"] and .[0].bound_to == "g1" and
    .[0].budget_nusd == 5250000000 and .[1].budget_nusd == null' key list
json "key show" '.models == "claude-*,other" and .concurrency == 4 and
    .in_flight == 0 and .spent_nusd == 0 and .usage.requests == 0 and
    .expires_ms > 0' key show k1
is 0 "key show as text" key show k1
has "it shows the budget in dollars" '^budget  *\$5.25$'
is 3 "key show of none" key show nope
is 0 "key set" key set k1 --pool --budget none --expires never --disable \
    --concurrency 0 --models ""
json "it is set" '.bind == "pool" and .bound_to == null and
    .budget_nusd == null and .expires_ms == null and .models == "" and
    (.enabled | not)' key show k1
is 0 "a budget again" key set k1 --budget 7 --enable
json "it is there again" '.budget_nusd == 7000000000 and .enabled' key show k1
is 2 "nothing to change in a key" key set k1
is 2 "--enable and --disable" key set k1 --enable --disable
is 4 "an account that a key is bound to" account remove a1
is 0 "key revoke" key revoke k2
is 0 "key revoke again" key revoke k2
json "it is revoked" '.revoked_ms > 0 and (.enabled | not)' key show k2
is 4 "a revoked key cannot be changed" key set k2 --enable
is 3 "key revoke of none" key revoke nope
is 0 "account remove" account remove a1
is 3 "it is gone" account show a1

# ---- tokens ----

run token create --name t1
[ "$rc" = 0 ] && grep -q '^lh-adm-[A-Za-z0-9_-]\{43\}$' "$dir/out"
report $? "token create prints the token"
token=$(cat "$dir/out")
: >"$dir/all"
is 4 "a token twice" token create --name t1
json "token list" '.[0].name == "t1" and .[0].expires_ms == null' token list
is 0 "token revoke" token revoke t1
is 3 "token revoke of none" token revoke t1
is 0 "token create --read-only" token create --name t2 --read-only
json "a token that may read" '.[0].scope == "read"' token list
is 0 "token revoke" token revoke t2
json "user invite" '.invitation | length == 43' user invite --role admin
is 2 "user invite of no role" user invite --role root
is 3 "user invite of nobody" user invite nobody

# ---- audit ----

run user add audited
run user set audited --concurrency 3
run user set nobody --concurrency 3
run user remove audited
json "what was done, newest first" 'map(.verb) == ["user.remove", "user.set",
    "user.add"]' audit --object audited
json "with what was before and after" '.[1].before.concurrency == 0 and
    .[1].after.concurrency == 3 and .[0].after == null and
    .[2].before == null and .[1].actor_kind == "shell"' \
    audit --object audited
json "what failed is not there" 'length == 0' audit --object nobody
json "no secrets" 'map(tostring) | any(test("'"$token"'")) | not' \
    audit --limit 1000

# ---- prices ----

json "price list" 'map(select(.model == "claude-opus-4-5*"))[0] |
    .input_nusd_mtok == 5000000000 and .cache_write_1h_nusd_mtok == 10000000000
    and .valid_from_ms == 0' price list
json "an import of the same file" '.added == 0 and .unchanged > 0' \
    price import "$prices"
jq '.["claude-opus-4-5*"].output_cost_per_token = 2.6e-05' "$prices" \
    >"$dir/prices.json"
json "an import of a change" '.added == 1' price import "$dir/prices.json"
json "it is in force" 'map(select(.model == "claude-opus-4-5*"))[0] |
    .output_nusd_mtok == 26000000000 and .valid_from_ms > 0' price list
json "what a batch, speed and place cost" 'map(select(.model ==
    "claude-opus-4-8*"))[0] | .batch_percent == 50 and .fast_percent == 200
    and .priority_percent == 100 and .geo_us_percent == 110 and
    .web_search_nusd == 10000000 and .valid_until_ms == 0' price list
is 0 "price set" price set --input 7 --output 35.5 --cache-read 0.7 \
    --context 300000 --batch 40 --us 120 --web-search 12 'claude-opus-4-8*'
json "it is in force" 'map(select(.model == "claude-opus-4-8*"))[0] |
    .input_nusd_mtok == 7000000000 and .output_nusd_mtok == 35500000000 and
    .cache_read_nusd_mtok == 700000000 and .context_tokens == 300000 and
    .cache_write_5m_nusd_mtok == 8750000000 and
    .cache_write_1h_nusd_mtok == 14000000000 and .batch_percent == 40 and
    .fast_percent == 0 and .geo_us_percent == 120 and
    .web_search_nusd == 12000000 and .valid_from_ms > 0' price list
is 0 "a default price" price set --input 9 --output 90 '*'
json "it is valid since ever" 'map(select(.model == "*"))[0].valid_from_ms == 0' \
    price list
is 0 "a price for a while" price set --input 1 --output 2 --until 3d \
    'claude-opus-4-8*'
json "it goes before" 'map(select(.model == "claude-opus-4-8*")) |
    length == 1 and .[0].input_nusd_mtok == 1000000000 and
    .[0].valid_until_ms > .[0].valid_from_ms' price list
is 0 "a price to come" price set --input 3 --output 4 --from 30d \
    'claude-opus-4-8*'
json "it is not in force" 'map(select(.model == "claude-opus-4-8*")) |
    length == 1 and .[0].input_nusd_mtok == 1000000000' price list
json "all of them" 'map(select(.model == "claude-opus-4-8*")) |
    length == 4' price list --all
is 0 "a tier" price set --input 3 --output 4 --above 200000 claude-new
is 2 "a price without output" price set --input 3 claude-new
is 2 "a price without input" price set --output 3 claude-new
is 2 "no percentage" price set --input 3 --output 3 --fast 2.5 claude-new
is 2 "too many percent" price set --input 3 --output 3 --fast 10001 claude-new
is 2 "a price that is none" price set --input=-3 --output 3 claude-new
is 2 "a price that ends first" price set --input 3 --output 3 --from 2d \
    --until 1d claude-new
is 2 "a price until long ago" price set --input 3 --output 3 \
    --until 2020-01-01 claude-new
is 2 "a tier of nothing" price set --input 3 --output 3 --above 0 claude-new
is 0 "from a moment on" price set --input 3 --output 3 --from 2099-01-01 \
    claude-new
is 4 "twice from the same moment" price set --input 4 --output 3 \
    --from 2099-01-01 claude-new
echo '[]' >"$dir/prices.json"
json "an import for another platform" '.added > 1' \
    price import --platform claude_console "$prices"
is 2 "an import for no platform" price import --platform x "$prices"
is 2 "a file that is no price file" price import "$dir/prices.json"
is 1 "a file that is not there" price import "$dir/nope.json"

# ---- classes of keys ----

is 0 "key set --queue-class" key set k1 --queue-class high
json "it is shown" '.queue_class == "high"' key show k1
is 2 "no such class" key set k1 --queue-class first
is 0 "back to normal" key set k1 --queue-class normal

# ---- rules of keys ----

is 0 "key create with rules" key create --name ruled --clients claude-code,curl \
    --from 10.0.0.0/8,2001:db8::/32 --rate 60/1m
json "they are shown" '.clients == "claude-code,curl" and
    .from == "10.0.0.0/8,2001:db8::/32" and .rate == 60 and
    .rate_ms == 60000' key show ruled
json "the rate is a budget" '[.[] | select(.name == "ruled-rate")] | length == 1
    and .[0].counts == "requests" and .[0].period == "rolling"
    and .[0].limit == 60' budget list --key ruled
is 0 "another rate" key set ruled --rate 1000/1h
json "in another window, on the same budget" \
    '.rate == 1000 and .rate_ms == 3600000 and (.budgets | length == 1)' \
    key show ruled
is 0 "no rate" key set ruled --rate none
json "none is shown" '.rate == null' key show ruled
is 0 "a rate again" key set ruled --rate 5/1m
json "it is the same budget" '.rate == 5 and (.budgets | length == 1)' \
    key show ruled
is 0 "its budget may be removed" budget remove ruled-rate
is 0 "and made anew" key set ruled --rate 6/1m
json "as it was" '.rate == 6' key show ruled
is 0 "anybody, from anywhere" key set ruled --clients '' --from ''
json "there is no rule" '.clients == "" and .from == ""' key show ruled
is 2 "no such client" key set ruled --clients claud-code
has "it names those that are there" 'claude-code .* curl'
is 0 "a pattern" key set ruled --clients 'ua:our tool/*,curl'
is 2 "no network" key set ruled --from 10.0.0.0/33
has "it names the entry" '10.0.0.0/33'
is 2 "bits behind the length" key set ruled --from 10.0.0.1/8
for rate in 0/1m 60 60/ /1m 60/1 60/30s 60/401d x/1m -1/1m 60/1m/1m; do
	is 2 "no rate: $rate" key set ruled --rate "$rate"
done
json "nothing of it was taken" '.rate == 6 and .from == ""' key show ruled
is 0 "key show as text" key show ruled
has "it has the clients" 'ua:our tool'

# ---- why this account ----

json "account why-not" '.picked == false and (.answer | length > 0) and
    .considered[0].account == "a3"' \
    account why-not a3 --key k1 --model claude-x
is 0 "account why-not as text" account why-not a3 --key k1 --model claude-x
has "it lists what was considered" '^a3 '
is 2 "whose request?" account why-not a3 --model claude-x
is 3 "no such key" account why-not a3 --key nobody --model claude-x

# ---- reports ----

json "status" '.open_requests == 0 and .queue.waiting == 0 and
    (.responders | length) == 0 and .accounts[0].name == "a3"' status
is 0 "status as text" status
has "it shows the accounts" '^a3 '
json "requests" '. == []' requests list --key k1 --since 2h --limit 5
is 0 "requests alone lists" requests
is 2 "a bad limit" requests list --limit 0
is 3 "a key that is none" requests list --key nobody
is 3 "an account that is none" requests list --account nobody
is 2 "a bad time" requests list --since yesterday
is 2 "a bad id" requests show xyz
is 3 "no such request" requests show req_lh_0000000000001

# ---- errors for machines ----

run --json key show nope
jq -e '.code == "not_found" and (.error | length > 0)' "$dir/err" >/dev/null
report $? "errors are JSON too, on standard error"
run --json key show "$(printf 'a\377')"
jq -e '.code == "not_found" and (.error | contains("a?"))' "$dir/err" \
    >/dev/null
report $? "so they are of what is no UTF-8"

# ---- master key ----

cp "$dir/master.key" "$dir/old.key"
json "rekey" '.resealed == 1' rekey
cmp -s "$dir/master.key" "$dir/old.key"
[ $? = 1 ]
report $? "the file has a new key"
is 1 "secrets can be read" account test a3
is 0 "keys can be made" key create --name k3
: >"$dir/all"
cp "$dir/master.key" "$dir/new.key"
cp "$dir/old.key" "$dir/master.key"
is 6 "the old key is refused" key create --name k4
has "it says why" 'does not belong to this database'
is 6 "init with the wrong key" init --prices "$prices"
rm "$dir/master.key"
is 6 "init without the key" init --prices "$prices"
[ ! -e "$dir/master.key" ]
report $? "it makes no new one"
cp "$dir/new.key" "$dir/master.key"
chmod 644 "$dir/master.key"
is 6 "a key file that others can read" key create --name k4
chmod 600 "$dir/master.key"

# ---- a database that cannot be used ----

printf 'this is no database at all' >"$dir/damaged.db"
LEASEHOLD_STORE=sqlite:$dir/damaged.db
export LEASEHOLD_STORE
is 5 "a damaged database" account list
LEASEHOLD_STORE=sqlite:$dir/none/at/all.db
is 6 "a folder that is not there" init
unset LEASEHOLD_STORE

# ---- nothing was shown ----

for s in "$secret" "$other" "$key" "$token"; do
	! grep -q -F -e "$s" "$dir/all"
	report $? "a secret is not shown"
	! cat "$dir"/leasehold.db* | grep -q -a -F -e "$s"
	report $? "nor kept in clear"
done

echo "1..$number"
exit "$failed"
