# shellcheck shell=sh disable=SC2034,SC2154
# What tests of texts and units share: $dir/why, which whoever reads this in
# fills, says what is wrong.
number=0
failed=0

# check STATUS WHAT
check() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		failed=1
		echo "not ok $number - $2"
		sed 's/^/# /' "$dir/why"
	fi
}

# eventually COMMAND ...: within ten seconds.
eventually() {
	for _ in $(seq 100); do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

# stand_in NAME: what it does is on standard input; $real is
# the one of that name that is installed.
stand_in() {
	{
		printf '#!/bin/sh\ndir=%s real=%s\n' "$dir" "$(command -v "$1")"
		cat
	} >"$dir/bin/$1"
	chmod 755 "$dir/bin/$1"
}
