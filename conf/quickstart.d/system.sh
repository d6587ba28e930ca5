# The whole machine: Debian packages, a user "leasehold", systemd units where
# systemd runs or else an init script, and a site of the web server's on a port
# of its own.

have_systemd() {
	[ -d /run/systemd/system ]
}

system_layout() {
	[ "$(id -u)" -eq 0 ] ||
		die "setting up the machine needs root: sudo conf/quickstart," \
			"or use --dir DIR"
	etc_dir=/etc/leasehold state_dir=/var/lib/leasehold
	run_dir=/run/leasehold log_dir=/var/log/leasehold
	build_dir=/var/cache/leasehold/build
	conf_file=$etc_dir/leasehold.conf key_file=$etc_dir/first.key
	relay_socket=$run_dir/relay.sock admin_socket=$run_dir/admin.sock
	pool_user=leasehold user_line=
	as_pool=(setpriv --reuid=leasehold --regid=leasehold --clear-groups)
	log_to=file:$log_dir/leasehold.log
	! have_systemd || log_to=stderr
	[ "$action" = setup ] || [ -e "$conf_file" ] ||
		die "Leasehold is not set up here"
	[ "$action" != setup ] || system_user
	system_choices
}

system_user() {
	getent passwd leasehold > /dev/null ||
		useradd --system --home-dir "$state_dir" --no-create-home \
			--shell /usr/sbin/nologin --user-group leasehold
	# Caddy reads what it imports as a user of its own.
	install -d -m 751 -o root -g leasehold "$etc_dir"
	install -d -m 750 -o leasehold -g leasehold "$state_dir" \
		"$state_dir/spool"
	install -d -m 755 -o leasehold -g leasehold "$run_dir"
}

system_choices() {
	[ -z "$port" ] || echo "$port" > "$etc_dir/port"
	[ -z "$prefix" ] || echo "$prefix" > "$etc_dir/prefix"
	[ -z "$mount" ] || echo "$mount" > "$etc_dir/mount"
	[ -z "$server" ] || echo "$server" > "$etc_dir/server"
	port=$(remembered port 8787)
	prefix=$(remembered prefix /usr/local)
	mount=$(remembered mount "")
	server=$(remembered server "$(server_found)")
	web_group=$(server_group "$server")
	case $store in
	sqlite) store=$(remembered store "sqlite:$state_dir/leasehold.db") ;;
	mysql) : > "$etc_dir/own-mysql" ;;
	*)
		echo "$store" > "$etc_dir/store"
		rm -f "$etc_dir/own-mysql"
		;;
	esac
	listen=$port url=http://127.0.0.1:$port$mount
}

system_setup() {
	local before

	system_packages
	# nginx's workers open its log there again after logrotate.
	install -d -m 750 -o leasehold -g "$web_group" "$log_dir"
	build_install --sysconfdir=/etc --localstatedir=/var
	system_mysql
	before=$(cksum "$conf_file" 2> /dev/null || true)
	write_conf
	init_database
	[ -z "$demo" ] || add_demo_account
	system_rights
	if have_systemd; then
		units_start "$before"
	else
		init_script
		start_direct "$before"
	fi
	system_server
	[ ! -d /etc/logrotate.d ] ||
		fill_conf logrotate.in /etc/logrotate.d/leasehold || true
	wait_healthy
	print_next
}

# Install what is missing, and remember it for --remove.
system_packages() {
	local name missing=()

	for name in $(server_packages); do
		dpkg-query -W -f '${Status}' "$name" 2> /dev/null |
			grep -q ' installed$' || missing+=("$name")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${missing[*]} ..."
	mkdir -p "$build_dir"
	build_log apt-get update
	DEBIAN_FRONTEND=noninteractive build_log apt-get install -y \
		--no-install-recommends "${missing[@]}"
	printf '%s\n' "${missing[@]}" >> "$etc_dir/packages"
	# What is there now may be of use to the programs.
	rm -f "$build_dir/Makefile"
}

# What root made belongs to those who use it.
system_rights() {
	chown -R leasehold:leasehold "$state_dir"
	chown leasehold:leasehold "$etc_dir/master.key"
	[ ! -e "$etc_dir/store.password" ] ||
		chown leasehold:leasehold "$etc_dir/store.password"
	chgrp leasehold "$conf_file"
	chmod 640 "$conf_file"
}

# ---- with systemd ----

# unit_names: all that is to run.
unit_names() {
	local kind i

	echo leasehold.target
	for kind in relay admin; do
		[ -x "$prefix/libexec/leasehold/leasehold-$kind.fcgi" ] ||
			continue
		echo "leasehold-$kind.socket"
		for ((i = 1; i <= $(conf_get "${kind}_processes"); i++)); do
			echo "leasehold-$kind@$i.service"
		done
	done
	[ ! -e "$etc_dir/demo-port" ] || echo leasehold-demo.service
}

# unit_surplus: responders beyond those, when fewer are asked for.
unit_surplus() {
	systemctl list-units --all --plain --no-legend \
		'leasehold-*@*.service' | awk '{ print $1 }' |
		grep -vxF "$(unit_names)" || true
}

units_start() {
	local changed= unit surplus

	demo_port=$(cat "$etc_dir/demo-port" 2> /dev/null || true)
	for unit in leasehold-{relay,admin}.socket \
		leasehold-{relay@,admin@,demo}.service; do
		fill_conf "systemd/$unit.in" "/etc/systemd/system/$unit" &&
			changed=1
	done
	install -C -m 644 "$here/systemd/leasehold.target" /etc/systemd/system/
	[ -z "$changed" ] || systemctl daemon-reload
	# shellcheck disable=SC2046
	systemctl enable -q --now $(unit_names)
	surplus=$(unit_surplus)
	# shellcheck disable=SC2086
	[ -z "$surplus" ] || systemctl disable -q --now $surplus
	[ -n "$1" ] || return 0
	if [ -n "$changed" ] || stale "$1"; then
		leasehold restart > /dev/null
	fi
}

units_stop() {
	# shellcheck disable=SC2046
	systemctl disable -q --now $(unit_names) $(unit_surplus)
}

# ---- without systemd ----

# It starts the pool when the machine boots; a pool is the same, whoever starts
# it.
init_script() {
	fill_conf init.d/leasehold.in /etc/init.d/leasehold 755 || true
	update-rc.d leasehold defaults > /dev/null 2>&1
	update-rc.d leasehold enable > /dev/null 2>&1
}

init_stop() {
	stop_pools
	[ ! -e /etc/init.d/leasehold ] ||
		update-rc.d leasehold disable > /dev/null 2>&1
}

# ---- the other actions ----

system_env() {
	print_env
}

system_restart() {
	# shellcheck disable=SC2046
	! have_systemd || systemctl start $(unit_names)
	restart_pool
	wait_healthy
}

system_stop() {
	if have_systemd; then units_stop; else init_stop; fi
}

# The web server goes first: its kept connections hold up the pool's end.
system_remove() {
	local name

	for name in nginx apache caddy; do
		! "${name}_has_site" || server_release "$name"
	done
	rm -f /etc/logrotate.d/leasehold
	system_stop
	if have_systemd; then
		rm -f /etc/systemd/system/leasehold-* \
			/etc/systemd/system/leasehold.target
		systemctl daemon-reload
	else
		rm -f /etc/init.d/leasehold
		update-rc.d leasehold remove > /dev/null 2>&1
	fi
	[ ! -e "$build_dir/Makefile" ] ||
		make -s -C "$build_dir" uninstall > /dev/null
	rm -rf /var/cache/leasehold
	remove_packages
	remove_data
}

remove_packages() {
	local packages

	[ -e "$etc_dir/packages" ] || return 0
	read -r -d '' -a packages < "$etc_dir/packages" || true
	ask "Remove the packages that quickstart installed: ${packages[*]}?" ||
		return 0
	apt-get remove -y -qq --autoremove "${packages[@]}" > /dev/null
	rm "$etc_dir/packages"
}

# The one that may lie elsewhere, or be shared.
remove_database() {
	local file=${store#sqlite:}

	case $store in
	sqlite:*) rm -f "$file" "$file"-wal "$file"-shm "$file".lock ;;
	*) remove_system_mysql ;;
	esac
}

remove_data() {
	if ask "Delete the database, all keys, settings and logs?"; then
		remove_database
		rm -rf "$etc_dir" "$state_dir" "$log_dir" "$run_dir"
		userdel leasehold 2> /dev/null || true
	else
		say "kept: $etc_dir $state_dir $log_dir"
	fi
}
