# The whole machine: Debian packages, a user "leasehold", systemd units where
# systemd runs, a site of nginx on a port of its own.

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
	pool_user=leasehold web_group=www-data user_line=
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
	# nginx's workers open its log there again after logrotate.
	install -d -m 750 -o leasehold -g "$web_group" "$log_dir"
	install -d -m 755 -o leasehold -g leasehold "$run_dir"
}

system_choices() {
	[ -z "$port" ] || echo "$port" > "$etc_dir/port"
	[ -z "$prefix" ] || echo "$prefix" > "$etc_dir/prefix"
	[ -z "$mount" ] || echo "$mount" > "$etc_dir/mount"
	port=$(remembered port 8787)
	prefix=$(remembered prefix /usr/local)
	mount=$(remembered mount "")
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
	build_install --sysconfdir=/etc --localstatedir=/var
	system_mysql
	before=$(cksum "$conf_file" 2> /dev/null || true)
	write_conf
	init_database
	[ -z "$demo" ] || add_demo_account
	system_rights
	if have_systemd; then units_start "$before"; else start_direct "$before"; fi
	system_nginx
	web_snippets
	[ ! -d /etc/logrotate.d ] ||
		fill_conf logrotate.in /etc/logrotate.d/leasehold || true
	wait_healthy
	print_next
}

# Install what is missing, and remember it for --remove.
system_packages() {
	local name missing=()

	for name in "${debian_packages[@]}"; do
		dpkg-query -W -f '${Status}' "$name" 2> /dev/null |
			grep -q ' installed$' || missing+=("$name")
	done
	# Any nginx will do.
	! find_program nginx > /dev/null ||
		missing=("${missing[@]/nginx-light/}")
	read -r -a missing <<< "${missing[*]:-}" || true
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
	[ "$1" = "$(cksum "$conf_file")" ] && [ -z "$changed" ] ||
		leasehold restart > /dev/null
}

units_stop() {
	# shellcheck disable=SC2046
	systemctl disable -q --now $(unit_names) $(unit_surplus)
}

# ---- nginx ----

system_nginx() {
	local changed= name site=/etc/nginx/sites-available/leasehold
	local link=/etc/nginx/sites-enabled/leasehold

	mkdir -p "$etc_dir/nginx"
	for name in upstream mount admin; do
		fill_conf "nginx/$name.conf.in" "$etc_dir/nginx/$name.conf" &&
			changed=1
	done
	fill_conf nginx/site.conf.in "$site" && changed=1
	[ -e "$link" ] || { ln -s "$site" "$link" && changed=1; }
	nginx -t -q || {
		rm "$link"
		die "nginx does not take the site; it is left disabled"
	}
	if [ -n "$changed" ] || ! nginx_runs; then nginx_reload; fi
}

nginx_runs() {
	[ -s /run/nginx.pid ] && kill -0 "$(cat /run/nginx.pid)" 2> /dev/null
}

# Take the site over.  What was not running, or not enabled, is noted for
# nginx_release; a machine that boots again forgets who started what.
nginx_reload() {
	if have_systemd; then
		systemctl is-enabled -q nginx || : > "$etc_dir/nginx-enabled"
		systemctl enable -q nginx
		systemctl reload-or-restart nginx
	elif nginx_runs; then
		kill -HUP "$(cat /run/nginx.pid)"
	else
		nginx || die "nginx does not start; does another web server" \
			"have the port of one of its sites?"
		for _ in {1..100}; do
			! nginx_runs || break
			sleep 0.05
		done
		cp /run/nginx.pid "$run_dir/nginx.started"
	fi
}

# Without the site: nginx goes on for others, or as it was before.
nginx_release() {
	if have_systemd && [ -e "$etc_dir/nginx-enabled" ]; then
		systemctl disable -q --now nginx
		rm "$etc_dir/nginx-enabled"
	elif nginx_runs &&
		cmp -s /run/nginx.pid "$run_dir/nginx.started"; then
		kill -QUIT "$(cat /run/nginx.pid)"
	elif nginx_runs; then
		nginx_reload
	fi
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
	if have_systemd; then units_stop; else stop_pools; fi
}

# The web server goes first: its kept connections hold up the pool's end.
system_remove() {
	rm -f /etc/nginx/sites-enabled/leasehold \
		/etc/nginx/sites-available/leasehold \
		/etc/logrotate.d/leasehold
	nginx_release
	system_stop
	if have_systemd; then
		rm -f /etc/systemd/system/leasehold-* \
			/etc/systemd/system/leasehold.target
		systemctl daemon-reload
	fi
	[ ! -e "$build_dir/Makefile" ] ||
		make -s -C "$build_dir" uninstall > /dev/null
	find "$prefix"/{libexec,share}/leasehold -depth -type d -empty -delete \
		2> /dev/null || true
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
