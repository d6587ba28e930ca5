#!/bin/sh
# The systemd units, as they are installed: systemd takes every line of them, a
# responder that dies comes back however often it does, and may do little else
# than its work: 2.0 at most of what systemd counts as exposure.

if ! command -v systemd-analyze >/dev/null 2>&1; then
	echo "1..0 # SKIP systemd-analyze is not installed"
	exit 77
fi
srcdir=${srcdir:-.}
dir=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-units.XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
# shellcheck source=tests/conf/lib.sh
. "$srcdir/tests/conf/lib.sh"

# setting SECTION NAME FILE: its value.
setting() {
	awk -F= -v section="[$1]" -v name="$2" '
	    /^\[/ { in_it = $0 == section }
	    in_it && $1 == name { sub(/^[^=]*=/, ""); print }' "$3"
}

# confined UNIT: is it, as systemd counts, from 0.0 to 10.0?
confined() {
	(cd "$dir" && systemd-analyze security --offline=true --threshold=20 \
	    --no-pager "$1") >"$dir/why" 2>&1
}

cp "$srcdir/conf/systemd/leasehold.target" conf/systemd/leasehold-*.socket \
    "$dir"
for kind in relay admin; do
	unit=$dir/leasehold-$kind@.service

	# Nothing of it is installed yet.
	sed 's|^ExecStart=.*|ExecStart=/bin/true|' \
	    "conf/systemd/leasehold-$kind@.service" >"$unit"
	grep -n '@[a-z_]*@' "$unit" "$dir/leasehold-$kind.socket" >"$dir/why"
	[ $? = 1 ]
	check $? "leasehold-$kind: nothing is left to fill in"
	(cd "$dir" && cp "$unit" "leasehold-$kind@1.service" &&
	    systemd-analyze verify --man=no "./leasehold-$kind@1.service" \
	    "./leasehold-$kind.socket" ./leasehold.target) >"$dir/why" 2>&1 &&
	    [ ! -s "$dir/why" ]
	check $? "leasehold-$kind: systemd takes it"
	[ "$(setting Service Restart "$unit")" = always ] &&
	    [ "$(setting Service RestartSec "$unit")" = 1 ] &&
	    [ "$(setting Unit StartLimitIntervalSec "$unit")" = 0 ]
	check $? "leasehold-$kind: it always comes back, after a second"
	[ "$(setting Service LimitCORE "$unit")" = 0 ]
	check $? "leasehold-$kind: it leaves no core file"
	confined "./leasehold-$kind@1.service"
	check $? "leasehold-$kind: it is confined"
	sed '/^SystemCallFilter=/d; /^Protect/d; /^Restrict/d' "$unit" \
	    >"$dir/leasehold-$kind-open@1.service"
	! confined "./leasehold-$kind-open@1.service"
	check $? "leasehold-$kind: without half of that it would not be"
done
sed -e 's|@libexec_dir@/leasehold-demo-upstream|/bin/true|' \
    -e 's|@demo_port@|8000|' "$srcdir/conf/systemd/leasehold-demo.service.in" \
    >"$dir/leasehold-demo.service"
(cd "$dir" && systemd-analyze verify --man=no ./leasehold-demo.service) \
    >"$dir/why" 2>&1 && [ ! -s "$dir/why" ]
check $? "leasehold-demo: systemd takes it"
confined ./leasehold-demo.service
check $? "leasehold-demo: it is confined"
echo "1..$number"
exit $failed
