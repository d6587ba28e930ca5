# shellcheck shell=bash
# A Dockerfile without a container engine: its instructions are carried out in
# trees made by debootstrap, one for each stage, and what its last stage says is
# then run in namespaces: as its user, without capabilities, its root read-only.
#
#	base_tree			make $base, or find it
#	carry_out			all of $top/Dockerfile
#	docker_instruction WORD REST	one; an unknown one fails
#	network_up, network_down	what containers and "net" share
#	net COMMAND ...			out here, in that network
#	box_start COMMAND ...		as the Dockerfile's user
#	box_exec COMMAND ...		"docker exec"
#	box_stop SIGNAL SECONDS		1: it had to be killed; its exit status
#					is in $box_status

# What is set here is for who sources it.
# shellcheck disable=SC2034
# shellcheck source=../machine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../machine/lib.sh"
box_here=$top/tests/container
trees=${TESTS_BUILD:-$top/build-tests}/container
base=$trees/base
box=$scratch/box
net_pid='' box_pid='' box_first='' box_status=''
# What the Dockerfile says of its last stage.
stage='' stage_env=() stage_user=0:0 stage_cwd=/ volumes=()
entrypoint='' healthcheck='' stop_signal=TERM exposed=''

box_end() {
	[ -z "$box_pid" ] || kill -KILL "$box_first" "$box_pid"
	network_down
	rm -rf "$trees/stages"
	machine_end
} 2>/dev/null
trap box_end EXIT

# ---- trees ----

# As the images of that name are: no service starts while packages come.
base_tree() {
	local stamp
	stamp="$mirror $(date +%Y-%m)"
	[ "$(cat "$trees/stamp" 2>/dev/null)" != "$stamp" ] || return 0
	rm -rf "$trees"
	mkdir -p "$trees/archives/partial"
	debootstrap --variant=minbase bookworm "$base" ${mirror:+"$mirror"} \
	    >"$trees/base.log" 2>&1 ||
		skip "no Debian${mirror:+ from $mirror}; see $trees/base.log"
	printf '#!/bin/sh\nexit 101\n' >"$base/usr/sbin/policy-rc.d"
	chmod 755 "$base/usr/sbin/policy-rc.d"
	echo "$stamp" >"$trees/stamp"
}

root() {
	echo "$trees/stages/$1"
}

# What "docker build" would be sent: all that .dockerignore does not name.
context() {
	local line args=() back=()

	rm -rf "$scratch/context"
	mkdir "$scratch/context"
	while read -r line; do
		case $line in
		'' | '#'*) ;;
		'!'*) back+=("./${line#!}") ;;
		'**/'*) args+=(--no-anchored "--exclude=${line#**/}") ;;
		*'**'* | /* | */) echo ".dockerignore: $line"; return 1 ;;
		*) args+=(--anchored "--exclude=./$line") ;;
		esac
	done <"$top/.dockerignore"
	tar -C "$top" --wildcards "${args[@]}" -cf - . |
		tar -C "$scratch/context" -xf - || return 1
	for line in "${back[@]}"; do
		[ ! -e "$top/$line" ] || tar -C "$top" -cf - "$line" |
			tar -C "$scratch/context" -xf - || return 1
	done
}

# ---- conf/compose.yaml ----

compose=$top/conf/compose.yaml

# compose_load FILE: what it says, for "of".
compose_load() {
	python3 -c 'import json, sys, yaml
print(json.dumps(yaml.safe_load(sys.stdin)))' <"$1" >"$scratch/compose"
}

# of FILTER: what it has there, a line each; an error when that is none.
of() {
	jq -er "$1" "$scratch/compose"
}

# ---- instructions ----

# Lines that end with a backslash are joined; comments go.
instructions() {
	sed -e '/^[[:space:]]*#/d' "$top/Dockerfile" |
		sed -e :a -e '/\\$/{N;s/\\\n[[:space:]]*/ /;ba' -e '}' | grep .
}

carry_out() {
	local word rest

	rm -rf "$trees/stages"
	mkdir -p "$trees/stages"
	context || return 1
	while read -r -u 9 word rest; do
		echo "--- $word $rest"
		docker_instruction "$word" "$rest" || return 1
	done 9< <(instructions)
	rm -rf "$scratch/context"
}

docker_instruction() {
	case $1 in
	FROM) docker_from "$2" ;;
	RUN) docker_run "$2" ;;
	COPY) docker_copy "$2" ;;
	WORKDIR)
		stage_cwd=$2
		mkdir -p "$(root "$stage")$2"
		;;
	ENV) mapfile -t -O "${#stage_env[@]}" stage_env < <(xargs -n 1 <<<"$2") ;;
	USER) [[ $2 =~ ^[1-9][0-9]*:[1-9][0-9]*$ ]] && stage_user=$2 ;;
	VOLUME) volumes+=("$2") && [ -d "$(root "$stage")$2" ] ;;
	EXPOSE) exposed=$2 ;;
	STOPSIGNAL) stop_signal=$2 ;;
	ENTRYPOINT) entrypoint=$(jq -er '.[]' <<<"$2") ;;
	HEALTHCHECK)
		[[ $2 =~ ^(--(interval|timeout|start-period|retries)=[0-9]+s?\ +)*CMD\ (.*) ]] &&
			healthcheck=$(jq -er '.[]' <<<"${BASH_REMATCH[3]}")
		;;
	*)
		echo "an instruction that is not known: $1"
		return 1
		;;
	esac
}

# The environment is that of images; what a stage says does not go to the next.
docker_from() {
	[[ $1 =~ ^debian:bookworm(-slim)?(\ AS\ ([a-z]+))?$ ]] || {
		echo "only Debian's tree is here"
		return 1
	}
	stage=${BASH_REMATCH[3]:-last}
	stage_env=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	    HOME=/)
	stage_user=0:0 stage_cwd=/ volumes=()
	entrypoint='' healthcheck=''
	cp -a "$base" "$(root "$stage")" &&
		cp /etc/resolv.conf "$(root "$stage")/etc/resolv.conf"
}

# In the shell's form.  What apt fetches is kept for the next time.
docker_run() {
	local tree
	tree=$(root "$stage")

	# What runs in there expands this.
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child --propagation private sh -ec '
	    tree=$1 archives=$2 user=$3 cwd=$4
	    shift 4
	    mount -t proc proc "$tree/proc"
	    mount --bind "$archives" "$tree/var/cache/apt/archives"
	    exec chroot "$tree" setpriv --reuid="${user%:*}" \
		--regid="${user#*:}" --clear-groups env --chdir="$cwd" "$@"' \
	    sh "$tree" "$trees/archives" "$stage_user" "$stage_cwd" \
	    -u TMPDIR "${stage_env[@]}" sh -c "$1" </dev/null
}

# A folder's contents are copied, never the folder.
docker_copy() {
	local words from=$scratch/context target source

	read -r -a words <<<"$1"
	if [[ ${words[0]} == --from=* ]]; then
		from=$(root "${words[0]#--from=}")
		words=("${words[@]:1}")
	fi
	[[ ${words[0]} != --* ]] || { echo "COPY ${words[0]}"; return 1; }
	target=${words[-1]}
	[[ $target == /* ]] || target=$stage_cwd/$target
	target=$(root "$stage")$target
	unset 'words[-1]'
	for source in "${words[@]}"; do
		if [ -d "$from/$source" ]; then
			mkdir -p "$target" &&
			    tar -C "$from/$source" -cf - . |
				tar -C "$target" --no-same-owner \
				    --keep-directory-symlink -xpf - || return 1
		else
			mkdir -p "$target" && cp -p "$from/$source" "$target" ||
				return 1
		fi
	done
}

# ---- a network that containers and tests share ----

network_up() {
	setpriv --pdeathsig KILL unshare --net sleep infinity &
	net_pid=$!
	eventually 60 apart && net ip link set lo up
}

apart() {
	[ "$(readlink "/proc/$net_pid/ns/net")" != \
	    "$(readlink /proc/self/ns/net)" ]
}

network_down() {
	[ -z "$net_pid" ] || kill -KILL "$net_pid"
	net_pid=''
}

net() {
	nsenter --net="/proc/$net_pid/ns/net" "$@"
}

# ---- containers ----

# box_new VOLUMES TMPFS [NAME=VALUE ...]: "docker create".  A new volume has
# what the image has there; TMPFS is a line each, as compose.yaml has it.
box_new() {
	local dir=$1 tmpfs=$2 volume line
	shift 2

	mkdir -p "$box" "$dir"
	printf '127.0.0.1 localhost db\n' >"$box/hosts"
	printf '%s\n' "${stage_env[@]}" "$@" >"$box/env"
	echo "$stage_user" >"$box/user"
	echo "$stage_cwd" >"$box/cwd"
	: >"$box/mounts"
	for volume in "${volumes[@]}"; do
		[ -d "$dir$volume" ] || { mkdir -p "$(dirname "$dir$volume")" &&
			cp -a "$(root "$stage")$volume" "$dir$volume"; }
		echo "bind $dir$volume $volume" >>"$box/mounts"
	done
	while IFS=: read -r line volume; do
		[ -z "$line" ] || echo "tmpfs $line $volume" >>"$box/mounts"
	done <<<"$tmpfs"
}

# Standard output and error are pipes that are the user's, as runc has it; what
# comes is in $box/log.
box_start() {
	local tree
	tree=$(root "$stage")
	rm -f "$box/pipe"
	box_first=''
	mkfifo "$box/pipe"
	chown "$stage_user" "$box/pipe"
	cat "$box/pipe" >>"$box/log" &
	setpriv --pdeathsig KILL nsenter --net="/proc/$net_pid/ns/net" \
	    unshare --mount --pid --ipc --uts --fork --kill-child \
	    --propagation private "$box_here/box" "$tree" "$box" "$@" \
	    </dev/null >"$box/pipe" 2>&1 &
	box_pid=$!
	for _ in {1..600}; do
		read -r box_first <"/proc/$box_pid/task/$box_pid/children"
		[ -z "$box_first" ] || return 0
		sleep 0.1
	done 2>/dev/null
	cat "$box/log"
	return 1
}

box_exec() {
	local env
	mapfile -t env <"$box/env"

	nsenter --target "$box_first" --mount --pid --net --ipc --uts \
	    --wd="/" setpriv --reuid="${stage_user%:*}" \
	    --regid="${stage_user#*:}" --clear-groups --inh-caps=-all \
	    --bounding-set=-all --no-new-privs env -i "${env[@]}" "$@"
}

box_ended() {
	for ((i = 0; i < $1 * 10; i++)); do
		kill -0 "$box_pid" 2>/dev/null || break
		sleep 0.1
	done
	kill -0 "$box_pid" 2>/dev/null && return 1
	wait "$box_pid"
	box_status=$?
	box_pid=''
}

box_stop() {
	kill "-$1" "$box_first"
	box_ended "$2" && return
	tail -n 30 "$box/log"
	kill -KILL "$box_first"
	box_ended 10
	return 1
}
