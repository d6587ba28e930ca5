# Web servers: what to include under a site of any kind, and the one that a
# folder has of its own, as --server says.  For the machine's see server.sh.

# web_files SERVER: what a folder's own one consists of, the whole first.
web_files() {
	case $1 in
	nginx) echo nginx.conf upstream.conf mount.conf admin.conf site.conf ;;
	apache) echo apache.conf mount.conf admin.conf site.conf ;;
	caddy) echo Caddyfile mount.caddy admin.caddy site.caddy ;;
	esac
}

# web_program SERVER: what it is called.
web_program() {
	[ "$1" = apache ] && echo apache2 || echo "$1"
}

# web_main SERVER: its whole configuration, in a folder.
web_main() {
	local files

	read -r -a files <<< "$(web_files "$1")"
	echo "$etc_dir/$1/${files[0]}"
}

# web_snippets: what is included under a site that is there already.  Of whose
# any has changed is in $snippets_changed.
web_snippets() {
	local name kind

	snippets_changed=
	for kind in nginx apache caddy; do
		mkdir -p "$etc_dir/$kind"
		for name in $(web_files "$kind"); do
			case $name in
			mount.* | admin.* | upstream.*)
				! fill_conf "$kind/$name.in" \
					"$etc_dir/$kind/$name" ||
					snippets_changed+=" $kind"
				;;
			esac
		done
	done
}

# apache_modules: the folder of Apache's modules.
apache_modules() {
	local folder

	for folder in /usr/lib/apache2/modules /usr/lib64/httpd/modules \
		/usr/lib/httpd/modules; do
		[ ! -d "$folder" ] || { echo "$folder"; return; }
	done
}

print_mount() {
	cat <<NEXT
Under a site of yours, with a path of its own (--mount /claude), include there:
  nginx   $etc_dir/nginx/upstream.conf in http { },
          $etc_dir/nginx/mount.conf in server { }
  Apache  $etc_dir/apache/mount.conf in <VirtualHost> (a2enmod proxy_fcgi headers)
  Caddy   $etc_dir/caddy/mount.caddy in the block of the site

NEXT
}

# ---- in a folder ----

# Apache does not serve as root; it keeps root's rights to files alone.
folder_start_apache() {
	local as_user=()

	[ "$(id -u)" -ne 0 ] || as_user=(setpriv --reuid=www-data
		--regid=www-data --clear-groups --inh-caps=+dac_override
		--ambient-caps=+dac_override)
	ulimit -n 65536 2> /dev/null || ulimit -n "$(ulimit -Hn)"
	${as_user[@]+"${as_user[@]}"} "$(find_program apache2)" \
		-f "$(web_main apache)" -k start \
		2>> "$log_dir/apache-error.log"
}

folder_start_nginx() {
	"$(find_program nginx)" -e "$log_dir/nginx-error.log" \
		-c "$(web_main nginx)" 2>> "$log_dir/nginx-error.log"
}

folder_start_caddy() {
	ulimit -n 65536 2> /dev/null || ulimit -n "$(ulimit -Hn)"
	XDG_DATA_HOME=$state_dir XDG_CONFIG_HOME=$state_dir in_background \
		caddy "$(find_program caddy)" run --adapter caddyfile \
		--config "$(web_main caddy)"
}

# folder_reload SERVER: what has changed, without a broken request.
folder_reload() {
	case $1 in
	nginx) kill -HUP "$(cat "$run_dir/nginx.pid")" ;;
	apache) kill -USR1 "$(cat "$run_dir/apache.pid")" ;;
	caddy)
		"$(find_program caddy)" reload --adapter caddyfile \
			--config "$(web_main caddy)" \
			--address "unix/$run_dir/caddy-admin.sock" \
			2>> "$log_dir/caddy.err"
		;;
	esac
}

folder_web() {
	local changed= name other

	mkdir -p "$etc_dir/$server"
	for name in $(web_files "$server"); do
		fill_conf "$server/$name.in" "$etc_dir/$server/$name" &&
			changed=1
	done
	for other in nginx apache caddy; do
		[ "$other" = "$server" ] || stop "$other" 5
	done
	if ! alive "$server"; then
		"folder_start_$server" ||
			die "$server: $(tail -n 1 "$log_dir/$server-error.log")"
	elif [ -n "$changed" ]; then
		folder_reload "$server"
	fi
}
