#!/bin/sh
# What README names is there: commands and their options, settings, variables,
# files, make's targets, manual pages, routes, and where its links lead.
# Functions are called by name.
# shellcheck disable=SC2317

srcdir=${srcdir:-.}
if [ ! -e "$srcdir/.git" ]; then
	echo "1..0 # SKIP a release has not all that README names: tests/run"
	exit 77
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-readme.XXXXXX") || exit 99
trap 'rm -rf "$dir"' EXIT
unset LEASEHOLD_CONFIG
# shellcheck source=tests/conf/lib.sh
. "$srcdir/tests/conf/lib.sh"

# ---- what a text has ----

# code FILE KIND: what stands in its blocks of a kind, a line each, without
# comments and continuations.
code() {
	awk -v kind="$2" '/^```/ { code = $0 == "```" kind; next }
	    code { sub(/^#.*/, ""); sub(/[ \t]+#.*/, ""); print }' "$1" |
	    sed -e ':again' -e '/\\$/N' -e 's/\\\n */ /' -e 'tagain'
}

# spans FILE: what its prose sets as `code`, a line each.
spans() {
	awk '/^```/ { code = !code; next } !code' "$1" | tr '\n' ' ' |
	    grep -o '`[^`]*`' | tr -d '`'
}

# calls FILE PROGRAM: how it is called, from its name on, one a line.
calls() {
	{ code "$1" sh; spans "$1"; } | sed 's/&&\|||\|[|;]/\n/g' |
	    sed -e 's/^ *//' -e 's/^[A-Z_]*=[^ ]* //' -e 's/^sudo //' \
	    -e 's/^eval "\$(//' | grep "^$2\\( \\|\$\\)"
}

# ---- what there is ----

./leasehold --help | sed -n 's/^  \([a-z][a-z -]*[a-z]\)   *.*/\1/p' \
    >"$dir/commands"
cut -d ' ' -f 1 "$dir/commands" | sort -u >"$dir/groups"
: >"$dir/empty"
./leasehold --config "$dir/empty" config show | sed 's/ = .*//' \
    >"$dir/settings"

exists() {
	[ -e "$srcdir/$1" ] || [ -e "$srcdir/$1.in" ] || [ -e "$1" ]
}

# slugs FILE: the names that its headings have for links.
slugs() {
	awk '/^```/ { code = !code } !code && /^#+ /' "$1" |
	    sed -e 's/^#* //' -e 's/[][`.,:;!?()/"*+]//g' -e 's/ /-/g' |
	    LC_ALL=C tr '[:upper:]' '[:lower:]'
}

# ---- whether that fits: each prints what does not ----

# What is called with words in capitals or dots stands for something else.
commands() {
	calls "$1" leasehold | while read -r line; do
		# shellcheck disable=SC2086
		set -f -- $line
		shift
		while :; do
			case ${1-} in
			--json) shift ;;
			--config) shift 2 ;;
			*) break ;;
			esac
		done
		[ $# -gt 0 ] || continue
		case $1 in --help | --version) continue ;; esac
		name=$1
		! grep -q -x -e "$1 ${2--}" "$dir/commands" || name="$1 $2"
		if ! grep -q -x -e "$name" "$dir/commands"; then
			# A group by itself: `leasehold alias`.
			[ $# -eq 1 ] && grep -q -x -e "$1" "$dir/groups" ||
				echo "no command: $line"
			continue
		fi
		# shellcheck disable=SC2086
		./leasehold $name --help >"$dir/help"
		for word; do
			case $word in
			--*) grep -q -e "^  $word\\( \\|\$\\)" "$dir/help" ||
				echo "no option $word: $line" ;;
			esac
		done
	done
}

scripts() {
	for program in conf/quickstart tests/run ./configure; do
		"$srcdir/$program" --help >"$dir/help"
		calls "$1" "$program" | tr ' ' '\n' | sed 's/=.*//' |
		    grep '^--' | sort -u | while read -r option; do
			grep -q -e "[ []$option\\([^a-z-]\\|\$\\)" "$dir/help" ||
				echo "no option of $program: $option"
		done
	done
	calls "$1" make | sed 's/^make *//' | tr ' ' '\n' |
	    grep -v -e '=' -e '^$' | while read -r target; do
		grep -q "^\([^:=]* \)\{0,1\}$target\( [^:=]*\)\{0,1\}:" Makefile ||
			echo "no target of make: $target"
	done
}

# Words of others that look like settings.
others='proxy_pass claude_console least_connections response_time round_robin'

settings() {
	spans "$1" | grep -x '[a-z][a-z0-9]*\(_[a-z0-9]*\)\{1,\}' | sort -u |
	    while read -r name; do
		case " $others " in *" $name "*) continue ;; esac
		grep -q -x "$name" "$dir/settings" || echo "no setting: $name"
	done
	code "$1" ini >"$dir/config"
	./leasehold --config "$dir/config" config check 2>&1 |
	    grep -v ': good$'
	grep -o 'LEASEHOLD_[A-Z_]*[A-Z]' "$1" | sort -u | while read -r name; do
		setting=$(echo "${name#LEASEHOLD_}" | tr '[:upper:]' '[:lower:]')
		grep -q -x "$setting" "$dir/settings" ||
			grep -q -r -e "\"$name\"" "$srcdir/fcgi" \
			"$srcdir/admin" || echo "no variable: $name"
	done
}

files() {
	{ spans "$1"; code "$1" sh | tr ' ' '\n'; } | sed 's/[ :].*//' |
	    grep -e '^\(conf\|tests\|fcgi\|admin\|sql\|htdocs\)/' |
	    sort -u | while read -r name; do
		exists "$name" || echo "no file: $name"
	done
	spans "$1" | grep -x '[a-z_]*\.[ch]' | while read -r name; do
		exists "fcgi/relay/$name" || echo "no file: fcgi/relay/$name"
	done
	# What quickstart fills in.
	grep -o '/etc/leasehold/\(nginx\|apache\|caddy\)/[a-z.]*[a-z]' "$1" |
	    sort -u | while read -r name; do
		exists "conf/${name#/etc/leasehold/}" || echo "no file: $name"
	done
	slugs "$1" >"$dir/slugs"
	grep -o '](\(#\|[^)#]*\)[^)]*)' "$1" | sed 's/^](//; s/)$//' |
	    sort -u | while read -r name; do
		case $name in
		https://*) ;;
		\#*) grep -q -x -F -e "${name#?}" "$dir/slugs" ||
			echo "no heading: $name" ;;
		*) exists "$name" || echo "no file: $name" ;;
		esac
	done
}

pages() {
	grep -o 'leasehold[a-z.-]*([1-9])' "$1" | sort -u | tr '()' '. ' |
	    while read -r name; do
		exists "conf/man/$name" || echo "no manual page: $name"
	done
}

# A route under /api/v1 is one of the admin responder's.
routes() {
	spans "$1" | grep -o '/api/v1/[a-z/.-]*[a-z]' | sort -u |
	    while read -r route; do
		grep -q -e ", \"${route#/api/v1}\"," \
		    "$srcdir/admin/routes.def" || echo "no route: $route"
	done
}

# ---- README, in each language ----

for text in "$srcdir"/README*.md; do
	for what in commands scripts settings files pages routes; do
		"$what" "$text" >"$dir/why"
		[ ! -s "$dir/why" ]
		check $? "$(basename "$text"): its $what are there"
	done
done
[ "$(calls "$srcdir/README.md" leasehold | wc -l)" -gt 20 ]
check $? "commands were found"
[ "$(calls "$srcdir/README.md" make | wc -l)" -gt 3 ]
check $? "and calls of make"

# ---- what of it can be run is run, in its order ----

cat >"$dir/run.conf" <<END
store = sqlite:$dir/leasehold.db
master_key_file = $dir/master.key
run_dir = $dir
spool_dir = $dir/spool
backup_dir = $dir/backup
log = stderr
END
mkdir "$dir/spool" "$dir/backup"
export LEASEHOLD_CONFIG="$dir/run.conf"
./leasehold init --prices "$srcdir/conf/prices.json" >"$dir/why" 2>&1 &&
    ./leasehold key create --name first >>"$dir/why" 2>&1
check $? "a database, and a key as quickstart makes one"
code "$srcdir/README.md" sh | sed 's/^sudo //' |
    grep -e '^leasehold ' -e '| leasehold ' >"$dir/lines"
echo CLAUDE_API_KEY=sk-ant-x >"$dir/relay.env"
ran=0 build=$PWD
while IFS= read -r line; do
	# Of an upstream, a provider, another database or installation, a web
	# server, a pool that runs, or files of the machine.
	case $line in
	'leasehold init' | 'leasehold account login '* | *' doctor '* | \
	    *' store copy '* | *' reconcile '* | *' reload' | *' restart' | \
	    *' import site.json'* | *' notify test '* | *' doctor' | *' /'*)
		continue
		;;
	esac
	(cd "$dir" && echo secret-phrase |
	    PATH=$build:$PATH SECRET=secret sh -ec "$line") >"$dir/why" 2>&1
	check $? "$line"
	ran=$((ran + 1))
done <"$dir/lines"
[ "$ran" -ge 15 ]
check $? "commands were found"
unset LEASEHOLD_CONFIG

# ---- mistakes that are planted ----

cat >"$dir/planted.md" <<'END'
# Planted

See `leasehold frob`, `leasehold key
create --nmae x`, `queue_timout_s`, `conf/quickstrat`, `nothing.c`,
[x](tests/nothing), [y](#nothing), leasehold-frob(8), `/api/v1/frob`,
/etc/leasehold/nginx/frob.conf,
`LEASEHOLD_FROB=1`, `make frob`, `./configure --enable-frob`.

```sh
echo x | sudo leasehold \
    --json usage --prr day          # --fine
LEASEHOLD_LOG_LEVEL=debug leasehold status --all
sudo conf/quickstart --dmeo && tests/run
```

```ini
muont = /x
```
END
for what in commands scripts settings files pages routes; do
	"$what" "$dir/planted.md"
done >"$dir/why"
while IFS= read -r want; do
	grep -q -F -e "$want" "$dir/why"
	check $? "\"$want\" is noticed"
done <<'END'
no command: leasehold frob
no option --nmae
no option --prr
no option --all
no option of conf/quickstart: --dmeo
no option of ./configure: --enable-frob
no target of make: frob
no setting: queue_timout_s
muont
no variable: LEASEHOLD_FROB
no file: conf/quickstrat
no file: fcgi/relay/nothing.c
no file: tests/nothing
no file: /etc/leasehold/nginx/frob.conf
no heading: #nothing
no manual page: leasehold-frob.8
no route: /api/v1/frob
END
[ "$(wc -l <"$dir/why")" -eq 17 ]
check $? "and nothing else"

echo "1..$number"
exit $failed
