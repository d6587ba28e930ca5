# The machine's web server, which serves Leasehold by a site of its own: the one
# that runs already, or nginx.  Each kind has
#	KIND_pid	of its first process, if it runs
#	KIND_site	make the site, or what has changed of it; 0 if any has
#	KIND_check	does it take what it would read?
#	KIND_drop	take the site away
#	KIND_signal WHAT	start, reload or stop it, where systemd does not run

# server_found: what runs, the one that has the site first.
server_found() {
	local name

	for name in nginx apache caddy; do
		! "${name}_has_site" || { echo "$name"; return; }
	done
	for name in nginx apache caddy; do
		! "${name}_pid" > /dev/null || { echo "$name"; return; }
	done
	echo nginx
}

# server_packages: Debian's that are needed, where any nginx will do.
server_packages() {
	local package=$server program=$server

	case $server in
	nginx) package=nginx-light ;;
	apache) package=apache2 program=a2ensite ;;
	esac
	printf '%s\n' "${debian_packages[@]}" | grep -vxF nginx-light
	find_program "$program" > /dev/null || echo "$package"
}

# server_group SERVER: whose members the pool's sockets are open to.
server_group() {
	[ "$1" = caddy ] && echo caddy || echo www-data
}

# is_program PID NAME: does it run, and is it that?  A pid file may be old.
is_program() {
	[ -n "$1" ] && [ "$(cat "/proc/$1/comm" 2> /dev/null)" = "$2" ]
}

# quietly COMMAND ...: what it says only when it fails.
quietly() {
	local said

	said=$("$@" 2>&1) || {
		printf '%s\n' "$said" >&2
		return 1
	}
}

# ---- nginx ----

nginx_pid() {
	local pid

	pid=$(cat /run/nginx.pid 2> /dev/null) && is_program "$pid" nginx &&
		echo "$pid"
}

nginx_has_site() {
	[ -e /etc/nginx/sites-enabled/leasehold ]
}

nginx_site() {
	local changed=1 site=/etc/nginx/sites-available/leasehold

	! fill_conf nginx/site.conf.in "$site" || changed=0
	nginx_has_site || {
		ln -s "$site" /etc/nginx/sites-enabled/leasehold
		changed=0
	}
	return $changed
}

nginx_check() {
	nginx -t -q
}

nginx_drop() {
	rm -f /etc/nginx/sites-enabled/leasehold \
		/etc/nginx/sites-available/leasehold
}

nginx_signal() {
	case $1 in
	start) nginx ;;
	reload) kill -HUP "$(nginx_pid)" ;;
	stop) kill -QUIT "$(nginx_pid)" ;;
	esac
}

# ---- Apache ----

apache_pid() {
	local pid

	pid=$(cat /run/apache2/apache2.pid 2> /dev/null) &&
		is_program "$pid" apache2 && echo "$pid"
}

apache_has_site() {
	[ -e /etc/apache2/sites-enabled/leasehold.conf ]
}

# Modules that were not there are noted, for apache_drop.
apache_site() {
	local changed=1 name

	! fill_conf apache/site.conf.in \
		/etc/apache2/sites-available/leasehold.conf || changed=0
	for name in proxy proxy_fcgi headers; do
		[ ! -e "/etc/apache2/mods-enabled/$name.load" ] || continue
		echo "$name" >> "$etc_dir/apache-modules"
		a2enmod -q "$name" > /dev/null
		changed=0
	done
	apache_has_site || {
		a2ensite -q leasehold > /dev/null
		changed=0
	}
	return $changed
}

apache_check() {
	quietly apache2ctl -t
}

apache_drop() {
	local name names

	! apache_has_site || a2dissite -q --purge leasehold > /dev/null
	rm -f /etc/apache2/sites-available/leasehold.conf
	[ -e "$etc_dir/apache-modules" ] || return 0
	names=$(tac "$etc_dir/apache-modules")
	# Another module or site may have come to want one of them.
	for name in $names; do
		a2dismod -q --purge "$name" > /dev/null 2>&1 || continue
		apache_check 2> /dev/null || a2enmod -q "$name" > /dev/null
	done
	rm "$etc_dir/apache-modules"
}

apache_signal() {
	case $1 in
	start) apache2ctl start ;;
	reload) kill -USR1 "$(apache_pid)" ;;
	stop) kill -WINCH "$(apache_pid)" ;;
	esac
}

# ---- Caddy ----

caddyfile=/etc/caddy/Caddyfile

# It has no pid file.
caddy_pid() {
	local process comm args

	for process in /proc/[0-9]*; do
		read -r comm < "$process/comm" && [ "$comm" = caddy ] &&
			mapfile -d '' -t args < "$process/cmdline" || continue
		[[ " ${args[*]} " == *" run "*" $caddyfile "* ]] || continue
		echo "${process#/proc/}"
		return
	done 2> /dev/null
	return 1
}

caddy_import() {
	echo "import $etc_dir/caddy/site.caddy"
}

caddy_has_site() {
	grep -qsxF "$(caddy_import)" "$caddyfile"
}

# Its file has a line more.
caddy_site() {
	local changed=1

	! fill_conf caddy/site.caddy.in "$etc_dir/caddy/site.caddy" ||
		changed=0
	caddy_has_site || {
		caddy_import >> "$caddyfile"
		changed=0
	}
	return $changed
}

# as_caddy [OPTION-OF-SETPRIV ...] COMMAND ...
as_caddy() {
	HOME=/var/lib/caddy setpriv --reuid=caddy --regid=caddy --init-groups "$@"
}

caddy_check() {
	quietly as_caddy caddy validate --adapter caddyfile --config "$caddyfile"
}

caddy_drop() {
	! caddy_has_site || sed -i "\|^$(caddy_import)\$|d" "$caddyfile"
}

caddy_signal() {
	case $1 in
	start)
		as_caddy --inh-caps=+net_bind_service \
			--ambient-caps=+net_bind_service setsid caddy run \
			--config "$caddyfile" \
			< /dev/null >> "$log_dir/caddy.err" 2>&1 &
		;;
	reload) quietly as_caddy caddy reload --force --config "$caddyfile" ;;
	stop) kill -TERM "$(caddy_pid)" ;;
	esac
}

# ---- any ----

system_server() {
	local changed= other

	for other in nginx apache caddy; do
		[ "$other" = "$server" ] || ! "${other}_has_site" ||
			server_release "$other"
	done
	web_snippets
	[[ " $snippets_changed " != *" $server "* ]] || changed=1
	! "${server}_site" || changed=1
	"${server}_check" || {
		"${server}_drop"
		die "$server does not take the site; it is taken away again"
	}
	server_group_is
	if [ -n "$changed" ] || ! "${server}_pid" > /dev/null; then
		server_reload "$server"
	fi
}

# Sockets that were made for another server's group.
server_group_is() {
	local socket

	for socket in "$relay_socket" "$admin_socket"; do
		[ ! -S "$socket" ] || chgrp "$web_group" "$socket"
	done
}

# server_wait SERVER WANT: until it runs, or does not.
server_wait() {
	local status

	for _ in {1..200}; do
		status=yes
		"$1_pid" > /dev/null || status=no
		[ "$status" != "$2" ] || return 0
		sleep 0.05
	done
	return 1
}

server_cannot() {
	die "$1 does not start; does another web server have the port of one" \
		"of its sites?"
}

# Take the site over.  What was not running, or not enabled, is noted for
# server_release; a machine that boots again forgets who started what.
server_reload() {
	local unit

	unit=$(web_program "$1")
	if have_systemd; then
		systemctl is-enabled -q "$unit" || : > "$etc_dir/$1-enabled"
		systemctl enable -q "$unit"
		systemctl reload-or-restart "$unit" || server_cannot "$1"
	elif "$1_pid" > /dev/null; then
		"$1_signal" reload
	else
		"$1_signal" start && server_wait "$1" yes || server_cannot "$1"
		"$1_pid" > "$run_dir/$1.started"
	fi
}

# Without the site: it goes on for others, or as it was before.
server_release() {
	"$1_drop"
	if have_systemd && [ -e "$etc_dir/$1-enabled" ]; then
		systemctl disable -q --now "$(web_program "$1")"
		rm "$etc_dir/$1-enabled"
	elif ! "$1_pid" > /dev/null; then
		:
	elif [ "$("$1_pid")" = "$(cat "$run_dir/$1.started" 2> /dev/null)" ]; then
		"$1_signal" stop
		server_wait "$1" no || true
	else
		server_reload "$1"
	fi
	for _ in {1..200}; do
		! port_is_free "$port" || break
		sleep 0.05
	done
}
