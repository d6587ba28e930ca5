#!/bin/sh
# The dashboard and the alert rules: each metric that they name is in the table
# that the man page has; and what promtool says of them, where it is installed.
srcdir=${srcdir:-.}
builddir=${builddir:-.}
dir=$srcdir/conf/monitoring
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0

fail() {
	echo "FAIL: $*"
	failed=1
}

"$builddir/conf/man/metrics" > "$tmp/table" || fail 'conf/man/metrics'
sed -n 's/^\.It Li //p' "$tmp/table" | sort > "$tmp/known"
[ "$(wc -l < "$tmp/known")" -ge 30 ] || fail 'the table is short'
while read -r name; do
	grep -q "^.It Li $name\$" "$builddir/conf/man/leasehold-api.7" ||
	    fail "leasehold-api(7) has no $name"
done < "$tmp/known"

# names FILE: the metrics in it, those of a histogram without its suffix.
names() {
	grep -oE '\b(leasehold|gen_ai)_[a-z_]*[a-z]\b' "$1" |
	    grep -vE '^gen_ai_(operation_name|provider_name|request_model|token_type)$' |
	    sort -u
}

for file in dashboard.json alerts.yml alerts_test.yml; do
	names "$dir/$file" > "$tmp/names"
	[ -s "$tmp/names" ] || fail "$file names no metric"
	while read -r name; do
		base=$(echo "$name" | sed -E 's/_(bucket|sum|count)$//')
		grep -qx -e "$name" -e "$base" "$tmp/known" ||
		    fail "$file: there is no metric $name"
	done < "$tmp/names"
done

# What the dashboard leaves out nobody sees.
while read -r name; do
	grep -q "$name" "$dir/dashboard.json" ||
	    fail "the dashboard does not show $name"
done < "$tmp/known"

if command -v promtool > /dev/null; then
	promtool check rules "$dir/alerts.yml" > "$tmp/out" 2>&1 ||
	    { cat "$tmp/out"; fail 'promtool check rules'; }
	promtool check config "$dir/prometheus.yml" > "$tmp/out" 2>&1 ||
	    { cat "$tmp/out"; fail 'promtool check config'; }
	(cd "$dir" && promtool test rules alerts_test.yml) > "$tmp/out" 2>&1 ||
	    { cat "$tmp/out"; fail 'promtool test rules'; }
	grep -oE 'alert: .*' "$dir/alerts.yml" | while read -r _ alert; do
		[ "$(grep -c "alertname: $alert\$" "$dir/alerts_test.yml")" \
		    -ge 2 ] || echo "$alert"
	done > "$tmp/untested"
	[ ! -s "$tmp/untested" ] || fail "no test of $(cat "$tmp/untested")"
fi
exit $failed
