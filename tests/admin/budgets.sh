#!/bin/sh
# Users, budgets and what a key shows of them, through the built command: its
# text, its JSON and its exit status, on SQLite and, where there is one, on a
# MariaDB.

# shellcheck source=tests/admin/lib.sh
. "${srcdir:-.}/tests/admin/lib.sh"
begin budgets jq

users() {
	is 0 "user add" user add u1
	is 4 "a user twice" user add u1
	is 2 "a bad name of a user" user add ' u'
	is 0 "user set" user set u1 --name u2
	is 3 "user set of none" user set u1 --name u3
	is 2 "nothing to change in a user" user set u2
	is 2 "concurrency that is no number" user set u2 --concurrency many
	is 0 "a user's concurrency" user set u2 --concurrency 5
	json "it is set" '.concurrency == 5' user show u2
	is 3 "a key of an unknown user" key set k1 --user u1
	is 0 "a key of a user" key set k1 --user u2
	json "key show says the user" '.user == "u2"' key show k1
	json "key list, too" '[.[].user] == ["u2", null]' key list
	json "user list" '.[0].name == "u2" and .[0].keys == 1 and
	    .[0].budgets == 0 and .[0].in_flight == 0' user list
	json "user show" '.name == "u2" and .keys[0].name == "k1"' user show u2
	is 0 "user show as text" user show u2
	has "it shows the keys" '^k1  *sk-lh-'
	is 3 "user show of none" user show nope
	is 4 "a user who has keys" user remove u2
	has "it says how many" 'keys that belong to it: 1'
}

# What is no budget.
refused() {
	is 2 "a budget on nothing" budget add --money 5
	is 2 "a budget of nothing" budget add --key k1
	has "it says what there is" '--money DOLLARS'
	is 2 "a budget of two things" budget add --key k1 --money 5 --tokens 5
	is 2 "a budget on two" budget add --key k1 --user u2 --money 5
	is 3 "a budget on no key" budget add --key nope --money 5
	is 3 "a budget on no user" budget add --user nope --money 5
	is 3 "a budget on no group" budget add --group nope --money 5
	for value in -1 -0.01 nan NaN inf 1e400 0x10 1,5 '' ' 5' 9000000001 \
	    99999999999999999999; do
		is 2 "money of \"$value\"" budget add --key k1 --money "$value"
	done
	for value in -1 nan inf 1e3 0.5 0x10 '' 9000000000000000001 \
	    99999999999999999999; do
		is 2 "tokens of \"$value\"" budget add --key k1 \
		    --tokens "$value"
	done
	is 2 "an unknown period" budget add --key k1 --money 5 --period year
	has "it names those that are there" \
	    'total, day, week, month, fixed, rolling'
	is 2 "rolling without a length" budget add --key k1 --money 5 \
	    --period rolling
	for value in 5 5x -5h nan 59s 401d 99999999999999999999h; do
		is 2 "a length of \"$value\"" budget add --key k1 --money 5 \
		    --period rolling --length "$value"
	done
	is 2 "a length without use" budget add --key k1 --money 5 --length 5h
	for value in Mars/Dome ../../etc/passwd /etc/localtime ''; do
		is 2 "a time zone \"$value\"" budget add --key k1 --money 5 \
		    --period day --zone "$value"
	done
	is 2 "a zone without use" budget add --key k1 --money 5 \
	    --zone Europe/Berlin
	is 2 "an unknown policy" budget add --key k1 --money 5 --policy lax
	is 2 "an anchor that is no date" budget add --key k1 --money 5 \
	    --period fixed --length 5h --anchor noon
}

budgets() {
	is 0 "budget add" budget add --key k1 --money 12.50
	has "it has a name" 'budget "k1-money-total" is added'
	json "a budget as JSON" '.budget == "by-day"' budget add --user u2 \
	    --output-tokens 500000 --period day --zone Europe/Berlin \
	    --name by-day \
	    --models 'claude-opus*' --policy strict
	is 4 "a budget twice" budget add --key k1 --money 5 --name by-day
	is 0 "a rolling budget" budget add --group g1 --requests 100 \
	    --period rolling --length 5h --disable --name rolls
	is 0 "a fixed budget" budget add --key k1 --tokens 0 --period fixed \
	    --length 30d --anchor 2026-11-01 --name none-at-all
	json "budget list" '[.[].name] == ["by-day", "k1", "k1-money-total",
	    "none-at-all", "rolls"] and
	    .[0].on == "user" and .[0].of == "u2" and
	    .[0].limit == 500000 and .[0].left == 500000 and .[0].spent == 0 and
	    (.[0].renews | test("T00:00:00\\+0[12]:00$")) and
	    .[2].limit == 12500000000 and .[3].anchor_ms == 1793491200000 and
	    (.[4].enabled | not)' budget list
	json "of a user" '[.[].name] == ["by-day"]' budget list --user u2
	json "of a group" '[.[].name] == ["rolls"]' budget list --group g1
	json "of a key, its user's too" \
	    '[.[].name] == ["k1", "k1-money-total", "none-at-all", "by-day"]' \
	    budget list --key k1
	is 2 "of two" budget list --key k1 --user u2
	json "of none" '. == []' budget list --user k1
	json "a user shows them" '.budgets[0].name == "by-day"' user show u2
	is 0 "budget list as text" budget list
	has "it shows money" \
	    '^k1-money-total  *key k1  *money  *\$12.50  *\$0.00'
	has "it shows the window" 'rolling 5h'
	is 0 "budget show" budget show by-day
	has "it names the models" '^counts  *output_tokens for claude-opus\*$'
	has "and the zone" '^window  *day Europe/Berlin$'
	is 3 "budget show of none" budget show nope
	is 0 "budget set" budget set k1-money-total --money 20 --policy strict \
	    --models 'claude-haiku*' --name haiku
	json "it is set" '.limit == 20000000000 and .policy == "strict" and
	    .models == "claude-haiku*"' budget show haiku
	is 2 "another kind of limit" budget set haiku --tokens 5
	is 2 "a limit below 0" budget set haiku --money -5
	is 2 "another period" budget set haiku --period day
	is 2 "nothing to change in a budget" budget set haiku
	is 2 "a budget both on and off" budget set haiku --enable --disable
	is 3 "budget set of none" budget set nope --enable
	is 4 "a name that a budget has" budget set haiku --name by-day
}

together() {
	is 0 "models of a key" key set k1 --models 'claude-opus*' --group g1
	json "key show has them all, and notes" '[.budgets[].name] ==
	    ["haiku", "k1", "none-at-all", "by-day", "rolls"] and
	    (.notes | any(contains("\"none-at-all\" has a limit of 0"))) and
	    (.notes | any(contains("counts only claude-haiku*, which")))' \
	    key show k1
	is 0 "key show as text, with budgets" key show k1
	has "a table of them" \
	    '^by-day  *user u2  *output_tokens for claude-opus'
	has "and what is odd, in words" '^Budget "none-at-all" has a limit of 0'
	is 4 "a user who has budgets" user remove u2
	is 0 "budget remove" budget remove by-day
	is 0 "of a group" budget remove rolls
	is 0 "of nothing" budget remove none-at-all
	is 0 "of other models" budget remove haiku
	is 3 "budget remove of none" budget remove nope
	is 0 "the pool and any model again" key set k1 --pool --models ""
	is 0 "a key of nobody" key set k1 --user ""
	json "it is nobody's" '.user == null' key show k1
	is 0 "user remove" user remove u2
	is 3 "user remove of none" user remove u2
}

# on NAME URL: all of it on a store.
on() {
	set_up "$@"
	is 0 "a group" group add g1
	is 0 "a key with a budget" key create --name k1 --budget 7
	is 0 "another key" key create --name k2
	users
	refused
	budgets
	together
}

on_each_store
