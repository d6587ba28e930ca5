# shellcheck shell=bash
# Whole Debian machines for tests: a tree made by debootstrap under an overlay,
# with processes, mounts, names and network of its own.  The real machine's
# packages, users, services and ports are out of its reach.  Nothing in there
# reaches the network: packages come from what the tree has in store.
#
#	machine_needs			77 and a reason where this cannot work
#	machine_trees			make $base and $ready, or find them
#	machine_start NAME LAYERS INIT ...	LAYERS: "$bare" or "$ready"
#	machine_plain NAME LAYERS	one without systemd
#	machine_booted NAME		one with it, from $ready
#	on NAME COMMAND ...		run it there; a script on standard input
#					with "bash -s"
#	machine_checkout NAME		this checkout's files, in /root/leasehold
#	machine_stop NAME
#	machine_cut NAME		and boot it again, as after a power cut
#	check TEXT COMMAND ...		one line of TAP; why it failed below it
#	eventually SECONDS COMMAND ...	does it succeed, within that time?

set -u
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
trees=${TESTS_BUILD:-$top/build-tests}/machine
mirror=${TESTS_MIRROR-}		# debootstrap's own, unless it is set
bare=$trees/bare
ready=$trees/ready/upper:$trees/bare
# In store, and not installed; each by itself, as some exclude others.
others='apache2 caddy postfix exim4-daemon-light msmtp'
number=0 failed=0
scratch=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-machine.XXXXXX") || exit 99
# name -> process 1 of it, its unshare; see machine_start
declare -A first=() parent=()

machine_end() {
	local name

	for name in "${!parent[@]}"; do
		machine_stop "$name"
	done
	rm -rf "$scratch"
}
trap machine_end EXIT
trap 'exit 1' HUP INT TERM

# ---- results ----

check() {
	local text=$1
	shift

	number=$((number + 1))
	if "$@" </dev/null >"$scratch/why" 2>&1; then
		echo "ok $number - $text"
	else
		failed=1
		echo "not ok $number - $text"
		tail -n 60 "$scratch/why" | sed 's/^/# /'
		return 1
	fi
}

# On a machine that does other work, what is waited for may take long; what it
# said last is shown when it never came.
eventually() {
	local end=$((SECONDS + $1)) said
	shift

	until said=$("$@" 2>&1); do
		[ $SECONDS -lt $end ] || {
			echo "$said"
			return 1
		}
		sleep 0.2
	done
}

# What cannot go on after this says so, as one more failure.
give_up() {
	failed=1
	echo "Bail out! $*"
	exit 1
}

results() {
	echo "1..$number"
	exit $failed
}

# ---- trees ----

skip() {
	echo "1..0 # SKIP $*"
	exit 77
}

machine_needs() {
	local program dir=$scratch/needs

	[ "$(id -u)" = 0 ] || skip "a machine of its own needs root"
	for program in debootstrap unshare nsenter pivot_root ip git pgrep; do
		command -v $program >/dev/null ||
			skip "$program is not installed"
	done
	mkdir -p "$trees" "$dir" "$trees/needs/upper" "$trees/needs/work"
	unshare --mount --pid --net --uts --ipc --fork mount -t overlay -o \
	    "lowerdir=$dir,upperdir=$trees/needs/upper,workdir=$trees/needs/work" \
	    overlay "$dir" 2>"$scratch/why" ||
		skip "namespaces or overlay mounts: $(tail -n 1 "$scratch/why")"
	rm -rf "$trees/needs"
}

# What quickstart installs, by its own list, and what is in $ready beside it.
machine_packages() {
	(
		# shellcheck source=../../conf/quickstart.d/common.sh
		. "$top/conf/quickstart.d/common.sh"
		# shellcheck source=../../conf/quickstart.d/mysql.sh
		. "$top/conf/quickstart.d/mysql.sh"
		echo "${debian_packages[@]}" "${mysql_packages[@]}" \
			systemd systemd-sysv dbus openssl logrotate procps \
			ca-certificates
	)
}

# Made anew when what they hold would be another, and each month: packages
# get old.
machine_trees() {
	local packages stamp

	packages=$(machine_packages)
	stamp="$mirror $packages $others $(date +%Y-%m)"
	[ "$(cat "$trees/stamp" 2>/dev/null)" != "$stamp" ] || return 0
	rm -rf "$trees"
	mkdir -p "$trees"
	if ! debootstrap --variant=minbase bookworm "$bare" ${mirror:+"$mirror"} \
	    >"$trees/bare.log" 2>&1 ||
	    ! fetch_packages >"$trees/fetch.log" 2>&1; then
		skip "no Debian${mirror:+ from $mirror}; see $trees"
	fi
	machine_plain ready "$bare"
	# shellcheck disable=SC2086
	on ready bash -s $packages <"$here/ready" >"$trees/ready.log" 2>&1 ||
		give_up "see $trees/ready.log"
	machine_stop ready keep
	mv "$trees/machines/ready" "$trees/ready"
	echo "$stamp" >"$trees/stamp"
}

# With the real machine's network: lists and packages, none installed.
fetch_packages() {
	cp /etc/resolv.conf "$bare/etc/resolv.conf"
	# shellcheck disable=SC2046,SC2086
	unshare --mount --pid --fork --mount-proc="$bare/proc" \
	    chroot "$bare" sh -ec 'apt-get update -q
		for other in $0; do
			apt-get install -yq --no-install-recommends \
			    --download-only "$@" "$other"
		done' "$others" $(machine_packages)
	: >"$bare/etc/resolv.conf"
}

# ---- machines ----

machine_start() {
	local name=$1 layers=$2 dir=$trees/machines/$1
	shift 2

	[ -d "$dir" ] || mkdir -p "$dir"
	# It dies with this shell, however that dies.
	setpriv --pdeathsig KILL \
	    unshare --mount --propagation private "$here/boot" group "$dir" \
	    "$name" "$layers" "$@" 2>"$dir/boot.err" &
	parent[$name]=$!
	for _ in {1..600}; do
		read -r "first[$name]" < "/proc/$!/task/$!/children"
		[ -n "${first[$name]}" ] &&
			on "$name" test -e /run/boot.log && return
		sleep 0.1
	done 2>/dev/null
	give_up "cannot start a machine: $(cat "$dir/boot.err")"
}

# A new one has nothing of another of the same name.
machine_fresh() {
	rm -rf "$trees/machines/$1"
}

machine_plain() {
	machine_fresh "$1"
	machine_again "$1" "$2"
}

# What it wrote is there again; what was in its memory is not.
machine_again() {
	machine_start "$1" "$2" \
	    bash -c 'trap : CHLD; while :; do sleep 3600 & wait; done'
}

machine_booted() {
	machine_fresh "$1"
	machine_boot "$1"
}

machine_boot() {
	machine_start "$1" "$ready" /lib/systemd/systemd \
	    --log-target=console --show-status=no
	eventually 180 booted "$1" >/dev/null && return
	on "$1" tail -n 20 /run/boot.log | sed 's/^/# /'
	skip "systemd does not boot in a machine of namespaces here"
}

booted() {
	case $(on "$1" systemctl is-system-running) in
	running | degraded) return 0 ;;
	*) return 1 ;;
	esac
}

on() {
	local name=$1
	shift
	nsenter --target "${first[$name]}" --all -- env -i HOME=/root \
	    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	    LC_ALL=C.UTF-8 "$@"
}

# processes NAME PATTERN: those of a machine whose command line has it, by the
# number that they have out here; not those that "on" put there.
processes() {
	pgrep --ns "${first[$1]}" --nslist pid -af -- "$2" |
		grep -v -e nsenter -e '^[0-9]* [a-z]*sh -s'
}

# in_checkout NAME COMMAND ...: with the checkout as the working directory.
in_checkout() {
	local name=$1
	shift
	on "$name" env --chdir=/root/leasehold "$@"
}

# What git knows of, as it lies here.
machine_checkout() {
	on "$1" mkdir -p /root/leasehold
	git -C "$top" ls-files -z | tar -C "$top" --null -T - -cf - |
		on "$1" tar -C /root/leasehold --no-same-owner -xf -
}

# machine_stop NAME [keep]: what it wrote goes with it, but for "keep".
machine_stop() {
	local name=$1 dir=$trees/machines/$1 mount

	[ -n "${parent[$name]-}" ] || return 0
	kill -KILL "${first[$name]:-${parent[$name]}}"
	wait "${parent[$name]}" 2>/dev/null
	if [ -s "$dir/group" ]; then
		mount=$scratch/cgroup
		mkdir -p "$mount"
		mount -t cgroup2 cgroup2 "$mount"
		find "$mount/$(cat "$dir/group")" -depth -type d \
		    -exec rmdir {} + 2>/dev/null
		umount "$mount"
	fi
	unset "first[$name]" "parent[$name]"
	[ "${2-}" = keep ] || rm -rf "$dir"
}

machine_cut() {
	machine_stop "$1" keep
	machine_boot "$1"
}

# ---- Leasehold in there ----

# quickstart NAME OPTION ...: what it prints is in $scratch/NAME.out, and its
# curl line in $scratch/NAME.curl.
quickstart() {
	local name=$1 status=0
	shift

	in_checkout "$name" conf/quickstart "$@" </dev/null \
	    >"$scratch/$name.out" 2>"$scratch/$name.err" || status=$?
	cat "$scratch/$name.out" "$scratch/$name.err"
	[ $status -eq 0 ] || on "$name" sh -c \
	    'tail -n 20 /var/cache/leasehold/build/build.log' 2>/dev/null
	# Clients may be reading the last one.
	! grep -q '^  curl -N' "$scratch/$name.out" || {
		sed -n "/^  curl -N/,/}'\$/p" "$scratch/$name.out" \
		    >"$scratch/$name.curl.new"
		mv "$scratch/$name.curl.new" "$scratch/$name.curl"
	}
	return $status
}

# The curl line as it was printed.
stream() {
	on "$1" sh -s <"$scratch/$1.curl"
}

# whole FILE: is that a stream with a beginning, text and an end?
whole() {
	cat "$1"
	grep -q '^event: message_start' "$1" &&
	    grep -q 'text_delta' "$1" && ! grep -q '^event: error' "$1" &&
	    [ "$(grep -c '^event: message_stop' "$1")" -eq 1 ]
}

# streams NAME [FILE]: what came is left in that file.
streams() {
	local file=${2:-$scratch/$1.stream}

	stream "$1" >"$file"
	whole "$file"
}

# streaming NAME FILE: one stream after the other, until there is $scratch/enough;
# FILE.whole has a line for each.
streaming() {
	while [ ! -e "$scratch/enough" ]; do
		streams "$1" "$2" || return 1
		echo whole >>"$2.whole"
	done
}

# streamed PID ...: each of these clients, from the first on, has had a stream
# that began after this was called.
streamed() {
	local pid file i=0 had end=$((SECONDS + 120))

	for pid; do
		i=$((i + 1))
		file=$scratch/client.$i.whole
		had=$(wc -l <"$file")
		while [ "$(wc -l <"$file")" -lt $((had + 2)) ]; do
			kill -0 "$pid" 2>/dev/null && [ $SECONDS -lt $end ] ||
				return 1
			sleep 0.1
		done
	done
}

# unbroken NAME TIMES COMMAND ...: clients stream one after the other while that
# is done so often; each stream is whole, none is refused.
unbroken() {
	local name=$1 times=$2 clients=() i status=0
	shift 2

	for i in 1 2 3 4; do
		: >"$scratch/client.$i.whole"
		streaming "$name" "$scratch/client.$i" >/dev/null \
		    2>"$scratch/client.$i.said" &
		clients+=($!)
	done
	streamed "${clients[@]}" || status=1
	for ((i = 0; i < times && status == 0; i++)); do
		"$@" && streamed "${clients[@]}" || status=1
	done
	: >"$scratch/enough"
	for i in "${clients[@]}"; do
		wait "$i" || status=1
	done
	[ "$status" -eq 0 ] || {
		tail -n 8 "$scratch"/client.? "$scratch"/client.?.said
		on "$name" sh -c 'cd /var/log &&
		    tail -n 8 nginx/*error.log leasehold/*.log'
	}
	rm "$scratch/enough"
	return "$status"
}

# same_as FILE COMMAND ...: does it print what it did when called first?
same_as() {
	local file=$scratch/$1
	shift

	"$@" >"$file.now" || return 1
	[ -e "$file" ] || cp "$file.now" "$file"
	diff "$file" "$file.now"
}

# counted NAME PATTERN NUMBER: are there so many processes?
counted() {
	processes "$1" .
	[ "$(processes "$1" "$2" | wc -l)" -eq "$3" ]
}

# count NAME PATTERN NUMBER SECONDS: ... within a time.
count() {
	eventually "$4" counted "$1" "$2" "$3"
}

relays='^/usr/local/libexec/leasehold/leasehold-relay.fcgi'

# responders NAME: the numbers of those of the relay.
responders() {
	processes "$1" "$relays" | awk '{ print $1 }' | sort
}

# replaced NAME OLD [NUMBER]: is none of these responders left, and are there so
# many (2) others?
replaced() {
	processes "$1" .
	[ -z "$(comm -12 <(echo "$2") <(responders "$1"))" ] &&
	    counted "$1" "$relays" "${3:-2}"
}

# rebuilt NAME: quickstart, after a change of the relay's sources.
rebuilt() {
	local before

	before=$(responders "$1")
	in_checkout "$1" sh -c \
	    'echo "const char rebuilt[] = \"$(date)\";" >>fcgi/main.c'
	unbroken "$1" 1 quickstart "$1" &&
	    eventually 120 replaced "$1" "$before" &&
	    same_as rebuilt marks "$1"
}

kill_one() {
	local pid

	read -r pid < <(responders "$1")
	kill -KILL "$pid" && eventually 60 replaced "$1" "$pid" &&
	    streams "$1"
}

# restart_whole NAME: the old pool's stream ends as it would have, after a new
# pool has come.
restart_whole() {
	local old reader

	old=$(responders "$1")
	stream "$1" >"$scratch/running" &
	reader=$!
	eventually 60 grep -q text_delta "$scratch/running" || return 1
	quickstart "$1" --restart || return 1
	wait $reader && whole "$scratch/running" >/dev/null &&
	    eventually 120 replaced "$1" "$old" && streams "$1"
}

# Each log is written to after logrotate has moved it away.
logs_rotate() {
	on "$1" bash -s <<-'END' || return 1
	conf=/etc/logrotate.d/leasehold
	# What logrotate does, where it is not installed.
	for f in /var/log/leasehold/*.log; do mv "$f" "$f.1"; done
	sed -n '/postrotate/,/endscript/{/script\|postrotate/!p}' $conf | sh -e
	END
	eventually 60 logs_written "$1"
}

logs_written() {
	streams "$1" || return 1
	on "$1" sh -c 'cd /var/log/leasehold && ls -l &&
	    grep messages access.log && {
		! [ -e leasehold.log.1 ] || [ -s leasehold.log ]; }'
}

# listed NAME WHAT: the keys or accounts that it has, without what a request
# changes of them.
listed() {
	on "$1" leasehold --json "$2" list | tr -d ' ' |
		grep -E '^"(id|name|prefix|created_ms)":'
}

# keys_same NAME: as they were when called first.
keys_same() {
	same_as keys listed "$1" key
}

# marks NAME: one line for each thing that a second run has to leave alone.
marks() {
	on "$1" bash -s <<-'END'
	find /etc /usr/local /var/lib/leasehold -type f \
	    ! -name 'leasehold.db*' ! -path '*/spool/*' \
	    -printf '%p %T@ %i %m %u:%g\n' | sort
	find /run/leasehold -name '*.pid' -exec grep -H . {} + | sort
	cat /run/nginx.pid
	dpkg-query -W
	END
	listed "$1" key
	listed "$1" account
	processes "$1" 'leasehold|nginx'
}

# nothing_left NAME: no file, user, or process of Leasehold; what it built on
# is not of concern.
nothing_left() {
	on "$1" bash -s <<-'END'
	exec 2>&1
	find / -xdev \( -path /root -o -path /proc -o -path /tmp \) -prune \
	    -o -iname '*leasehold*' -print | grep . && exit 1
	find /run -iname '*leasehold*' | grep . && exit 1
	getent passwd leasehold && exit 1
	getent group leasehold && exit 1
	exit 0
	END
}
