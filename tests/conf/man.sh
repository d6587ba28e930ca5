#!/bin/sh
# The manual pages: well-formed (where mandoc is installed), with nothing left
# to fill in, and in agreement with the command and its settings.

srcdir=${srcdir:-.}
dir=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-man.XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
# shellcheck source=tests/conf/lib.sh
. "$srcdir/tests/conf/lib.sh"

pages='leasehold.8 leasehold.fcgi.8 leasehold-relay.fcgi.8 leasehold.conf.5
    leasehold-api.7 leasehold-guide.7'

# Pages without anything to fill in are not made.
file_of() {
	if [ -e "conf/man/$1" ]; then
		echo "conf/man/$1"
	else
		echo "$srcdir/conf/man/$1"
	fi
}

for page in $pages; do
	file=$(file_of "$page")
	grep -n '@[a-z]*@' "$file" >"$dir/why"
	[ $? = 1 ]
	check $? "$page has nothing left to fill in"
	if command -v mandoc >/dev/null 2>&1; then
		# Its references are to be found after the installation.
		mandoc -Tlint -W warning "$file" |
		    grep -v 'referenced manual not found' >"$dir/why"
		[ $? = 1 ]
		check $? "$page is well-formed"
	else
		echo "# mandoc is not installed: $page is not linted"
	fi
	sed -n 's/^\.Xr \(leasehold[a-z.-]*\) \([0-9]\).*/\1.\2/p' "$file" |
	    while read -r name; do
		[ -e "$(file_of "$name")" ] || echo "no page $name"
	done >"$dir/why"
	[ ! -s "$dir/why" ]
	check $? "the pages of Leasehold that $page refers to are there"
done

# The page of both responders has two names.
link=$(sed -n 's|^\.so man8/||p' "$srcdir/conf/man/leasehold-admin.fcgi.8")
: >"$dir/why"
[ -n "$link" ] && [ -e "$(file_of "$link")" ]
check $? "leasehold-admin.fcgi.8 leads to a page"

# ---- subcommands ----

./leasehold --help | sed -n 's/^  \([a-z][a-z -]*[a-z]\)   *.*/\1/p' |
    sort >"$dir/commands"
sed -n '/^\.Sh COMMANDS/,/^\.Sh ENV/s/^\.Ss //p' conf/man/leasehold.8 |
    sort >"$dir/sections"
diff "$dir/commands" "$dir/sections" >"$dir/why"
check $? "leasehold(8) has a section for each command"
[ "$(wc -l <"$dir/commands")" -gt 20 ]
check $? "and the commands were found"

# Options of ${1}, in its section: each Fl -name.
page_options() {
	sed -n "/^\.Ss $1\$/,/^\.S[sh] /p" conf/man/leasehold.8 |
	    sed '1d;$d' | grep -o 'Fl -[a-z][a-z-]*' | sed 's/^Fl -/--/' |
	    sort -u
}

# The same of its help, without what goes with every command.
help_options() {
	# shellcheck disable=SC2086
	./leasehold $1 --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p' |
	    grep -v -x -e --config -e --json -e --help | sort -u
}

while read -r name; do
	page_options "$name" >"$dir/page"
	help_options "$name" >"$dir/help"
	diff "$dir/help" "$dir/page" >"$dir/why"
	check $? "its options of \"$name\" are those of the command"
done <"$dir/commands"

# ---- routes ----

# page_routes WHOSE: that the page tells of, one a line, with what stands for
# something else in braces.
page_routes() {
	sed -n "/^\\.Ss Routes of the $1/,/^\\.Ss /p" conf/man/leasehold-api.7 |
	    sed -e ':again' -e '/\\$/N' -e 's/ *\\\n/ /' -e 'tagain' |
	    sed -n 's/^\.It \([A-Z]* \/\)/\1/p' |
	    sed -e 's| Ns Ar \([a-z]*\)|{\1}|g' -e 's| Ns /|/|g' \
	    -e 's| , |\n|g' | sort
}

page_routes admin >"$dir/page"
sed -n 's/^ROUTE("\([A-Z]*\)", "\([^"]*\)".*/\1 \2/p' \
    "$srcdir/admin/routes.def" | sort >"$dir/routes"
[ -s "$dir/routes" ] && diff "$dir/routes" "$dir/page" >"$dir/why"
check $? "leasehold-api(7) tells of each admin route"
sed -n 's/^\.It \([A-Z]*\) Ta \(\/.*\) Ta .*/\1 \2/p' \
    conf/man/leasehold-api.7 | sort >"$dir/page"
[ -s "$dir/routes" ] && diff "$dir/routes" "$dir/page" >"$dir/why"
check $? "and of who may use it"
sed -n 's/^	{ "\([A-Z]*\)", "\(\/v1\/[^"]*\)".*/\1 \2/p' \
    "$srcdir/fcgi/relay/relay.c" | sort >"$dir/routes"
page_routes relay | grep ' /v1/' |
    grep -v leasehold/probe | sort >"$dir/page"
[ -s "$dir/routes" ] && diff "$dir/routes" "$dir/page" >"$dir/why"
check $? "and of each route of the relay"

# ---- settings ----

unset LEASEHOLD_CONFIG
: >"$dir/empty"
./leasehold --config "$dir/empty" config show | sed 's/ = .*//' |
    sort >"$dir/settings"
sed -n 's/^\.It Ic \([a-z_]*\) No = .*/\1/p' conf/man/leasehold.conf.5 |
    sort >"$dir/page"
diff "$dir/settings" "$dir/page" >"$dir/why"
check $? "leasehold.conf(5) tells of each setting"

# The example of the page is a config that is good.
sed -n '/^\.Sh EXAMPLES/,/^\.Ed/p' conf/man/leasehold.conf.5 |
    grep ' = ' >"$dir/example"
./leasehold --config "$dir/example" config check >"$dir/why" 2>&1
check $? "its example is a good config"

echo "1..$number"
exit $failed
