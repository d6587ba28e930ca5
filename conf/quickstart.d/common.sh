# Parts that the whole machine and one folder have in common.  A layout sets:
#	prefix build_dir etc_dir state_dir run_dir log_dir	folders
#	conf_file key_file	leasehold.conf, and the first client key
#	relay_socket admin_socket
#	listen url		of the web server
#	pool_user web_group	whom the pool runs as; "": whoever runs this
#	as_pool			words that run a command as that user

say() {
	printf '%s\n' "$*"
}

die() {
	printf 'quickstart: %s\n' "$*" >&2
	exit 1
}

die_usage() {
	printf 'quickstart: %s\n' "$*" >&2
	printf 'See conf/quickstart --help.\n' >&2
	exit 2
}

# ask QUESTION: is the answer yes?  Without a terminal it is no.
ask() {
	local answer=n

	[ -n "$yes" ] && return 0
	[ -t 0 ] && read -r -p "$1 [y/N] " answer
	[[ $answer == [yY]* ]]
}

leasehold() {
	"$prefix/sbin/leasehold" --config "$conf_file" "$@"
}

# find_program NAME: its path; the sbin folders are not on everyone's PATH.
find_program() {
	PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1"
}

need_programs() {
	local missing=() name

	for name; do
		find_program "$name" > /dev/null || missing+=("$name")
	done
	[ ${#missing[@]} -eq 0 ] || die "not installed: ${missing[*]}." \
		"Debian's packages: ${debian_packages[*]}"
}

port_is_free() {
	! (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

free_port() {
	local p

	for _ in {1..50}; do
		p=$((20000 + RANDOM % 12000))
		port_is_free "$p" && { echo "$p"; return; }
	done
	die "found no free port; give one with --port"
}

# remembered NAME VALUE: keep a choice of the first run; print what holds.
remembered() {
	local file=$etc_dir/$1

	[ -e "$file" ] || printf '%s\n' "$2" > "$file"
	cat "$file"
}

# ---- build ----

debian_packages=(build-essential autoconf automake pkg-config
	libfcgi-dev libcurl4-openssl-dev libsqlite3-dev libmariadb-dev
	libjansson-dev
	libsodium-dev liboath-dev tzdata nginx-light spawn-fcgi multiwatch curl sqlite3)

build_log() {
	"$@" >> "$build_dir/build.log" 2>&1 || {
		tail -n 5 "$build_dir/build.log" >&2
		die "building failed; see $build_dir/build.log"
	}
}

# A tree that was configured in place cannot be built from elsewhere; a copy of
# what it would distribute can, whose files keep their times.  What the pages
# take from others is not there where no npm was.
free_sources() {
	local copy=${build_dir%/*}/source without=()

	[ -e "$source_dir/config.status" ] || return 0
	[ -e "$source_dir/htdocs/lib/uplot.js" ] || without=(CHART_FILES=)
	build_log make -C "$source_dir" distdir distdir="$copy" \
		${without[@]+"${without[@]}"}
	source_dir=$copy
}

# What was built from other sources does not count.
configure_build() {
	! grep -qsxF "srcdir = $source_dir" Makefile || return 0
	find . -mindepth 1 -maxdepth 1 ! -name build.log -exec rm -rf {} +
	build_log "$source_dir/configure" -C "--prefix=$prefix" "$@"
}

# Build what has changed, and install what differs from what is there.
# configure leaves config.h older than its stamp, so that is not looked at.
build_install() {
	mkdir -p "$build_dir"
	[ ! -x "$source_dir/bootstrap" ] ||
		build_log "$source_dir/bootstrap" --needed
	free_sources
	cd "$build_dir"
	configure_build "$@"
	make -q -o config.h all-am > /dev/null 2>&1 ||
		say "building (this takes a minute) ..."
	build_log make -j"$(nproc)"
	build_log make install INSTALL='install -C'
	cd - > /dev/null
}

# ---- leasehold.conf ----

conf_get() {
	leasehold config show | sed -n "s/^$1 = //p"
}

# conf_set NAME VALUE: replace the line of a setting, or add it.
conf_set() {
	local line="$1 = $2"

	grep -qxF "$line" "$conf_file" && return
	sed -i "/^$1 *=/d" "$conf_file"
	printf '%s\n' "$line" >> "$conf_file"
}

# conf_offer NAME VALUE: what somebody has set instead stays.
conf_offer() {
	grep -q "^$1 *=" "$conf_file" || conf_set "$1" "$2"
}

# drain_seconds: the setting drain_s in seconds, whatever unit it has.
drain_seconds() {
	local value

	value=$(conf_get drain_s)
	case $value in
	*ms) echo $((${value%ms} / 1000)) ;;
	*s) echo "${value%s}" ;;
	*m) echo $((${value%m} * 60)) ;;
	*h) echo $((${value%h} * 3600)) ;;
	*d) echo $((${value%d} * 86400)) ;;
	*) echo "${value:-60}" ;;
	esac
}

write_conf() {
	local pair

	if [ ! -e "$conf_file" ]; then
		sh "$here/fill" "localstatedir=/var" "sysconfdir=/etc" \
			< "$here/leasehold.conf.in" > "$conf_file"
		printf '\n# ---- set by quickstart ----\n\n' >> "$conf_file"
	fi
	conf_set store "$store"
	conf_set master_key_file "$etc_dir/master.key"
	conf_set run_dir "$run_dir"
	conf_offer spool_dir "$state_dir/spool"
	conf_offer backup_dir "$state_dir/backup"
	conf_set relay_socket "$relay_socket"
	conf_set admin_socket "$admin_socket"
	conf_offer log "$log_to"
	# What somebody has set instead stays.
	if ! grep '^public_url *=' "$conf_file" |
		grep -qv '= *http://127\.0\.0\.1:'; then
		conf_set public_url "$url"
	fi
	conf_set mount "$mount"
	[ -z "$processes" ] || conf_set relay_processes "$processes"
	for pair in ${settings[@]+"${settings[@]}"}; do
		conf_set "${pair%%=*}" "${pair#*=}"
	done
	leasehold config check > /dev/null
}

# ---- database and first key ----

init_database() {
	leasehold init > /dev/null
	[ ! -e "$key_file" ] || return 0
	# Another host may have made it.
	! leasehold key show first > /dev/null 2>&1 || return 0
	(umask 077 && : > "$key_file")
	leasehold key create --name first > "$key_file" || {
		rm -f "$key_file"
		die "cannot create the first key"
	}
}

# ---- demo upstream ----

# Where hosts share a database it listens at the same port on each.
add_demo_account() {
	local account port

	account=$(leasehold --json account show demo 2> /dev/null) || account=
	port=$(sed -n 's|.*"http://127.0.0.1:\([0-9]*\)".*|\1|p' <<< "$account")
	[ -e "$etc_dir/demo-port" ] ||
		echo "${port:-$(free_port)}" > "$etc_dir/demo-port"
	demo_port=$(cat "$etc_dir/demo-port")
	[ -z "$account" ] || return 0
	echo demo | leasehold account add --name demo --platform claude \
		--base-url "http://127.0.0.1:$demo_port" --credential api_key \
		> /dev/null
}

# ---- web server ----

# keepalive_s: how long the web server keeps an idle connection, see
# nginx/upstream.conf.
keepalive_s() {
	local half=$(($(drain_seconds) / 2))

	echo $((half < 1 ? 1 : half > 5 ? 5 : half))
}

# fill_conf TEMPLATE TARGET [MODE]: 0 if the target has changed.
fill_conf() {
	local new

	new=$(mktemp)
	sh "$here/fill" \
		"sysconfdir=/etc" \
		"mount=$mount" "listen=$listen" "port=$port" \
		"server_name=localhost" "apache_modules=$(apache_modules)" \
		"relay_socket=$relay_socket" "admin_socket=$admin_socket" \
		"htdocs=$prefix/share/leasehold/htdocs" "conf_dir=$etc_dir" \
		"run_dir=$run_dir" "log_dir=$log_dir" "state_dir=$state_dir" \
		"libexec_dir=$prefix/libexec/leasehold" \
		"sbin_dir=$prefix/sbin" \
		"conf_file=$conf_file" "user=$pool_user" "group=$pool_user" \
		"web_group=$web_group" "user_line=$user_line" \
		"demo_port=${demo_port:-}" "keepalive_s=$(keepalive_s)" \
		"stop_s=$(($(drain_seconds) + 30))" < "$here/$1" > "$new"
	if cmp -s "$new" "$2"; then
		rm "$new"
		return 1
	fi
	install -m "${3:-644}" "$new" "$2"
	rm "$new"
}

# ---- the end ----

# On a second host the key is where it was made.
first_key() {
	cat "$key_file" 2> /dev/null || echo YOUR-KEY
}

wait_healthy() {
	for _ in {1..100}; do
		curl -fsS -m 2 -o /dev/null "$url/health" 2> /dev/null && return
		sleep 0.1
	done
	die "no answer from $url/health; see the logs in $log_dir"
}

print_env() {
	printf 'BASE_URL=%q\nKEY=%q\nLEASEHOLD_CONFIG=%q\nPATH=%q:$PATH\n%s\n' \
		"$url" "$(first_key)" "$conf_file" "$prefix/sbin" \
		"export BASE_URL KEY LEASEHOLD_CONFIG PATH"
}

print_next() {
	local key

	key=$(first_key)
	cat <<NEXT

Leasehold serves $url

Claude Code:
  export ANTHROPIC_BASE_URL=$url
  export ANTHROPIC_AUTH_TOKEN=$key

NEXT
	if ! leasehold --json account list | grep -q '"name"'; then
		cat <<NEXT
It has no upstream account yet.  With an API key of yours on standard input:
  $prefix/sbin/leasehold --config $conf_file account add --name a1 \\
      --platform claude --base-url https://api.anthropic.com --credential api_key

NEXT
	fi
	if ! leasehold --json user list | grep -q '"role": "admin"'; then
		cat <<NEXT
To sign in to its pages, choose a name and a password there (good once, for 7 days):
  $(leasehold user invite --role admin)

NEXT
	fi
	print_mount
	cat <<NEXT
Try it:
  curl -N $url/v1/messages -H 'x-api-key: $key' \\
      -H 'anthropic-version: 2023-06-01' -H 'content-type: application/json' \\
      -d '{"model":"claude-sonnet-4-5","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"Hello"}]}'

Look at it: $prefix/sbin/leasehold --config $conf_file status
NEXT
	[ ! -e "$key_file" ] ||
		say "The key is in $key_file; delete that file when you have it elsewhere."
}
