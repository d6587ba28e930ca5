# Everything inside one folder, --dir DIR:
#	etc/	leasehold.conf, master.key, first.key, what was chosen;
#		nginx/ apache/ caddy/
#	var/	the database, or its server's; spool/	run/	sockets and pid files
#	log/	logs			prefix/, build/	the programs

folder_layout() {
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	[ ${#dir} -le 70 ] ||
		die "$dir: too long a path; sockets must fit into 107 bytes"
	etc_dir=$dir/etc state_dir=$dir/var run_dir=$dir/run log_dir=$dir/log
	build_dir=$dir/build
	conf_file=$etc_dir/leasehold.conf key_file=$etc_dir/first.key
	relay_socket=$run_dir/relay.sock admin_socket=$run_dir/admin.sock
	log_to=file:$log_dir/leasehold.log
	pool_user= web_group= user_line= as_pool=()
	[ "$(id -u)" -ne 0 ] || user_line="user root;"
	if [ "$action" = setup ]; then
		mkdir -p "$etc_dir" "$state_dir/spool" "$run_dir" \
			"$log_dir"
		chmod 700 "$dir"
	elif [ ! -e "$etc_dir/port" ]; then
		die "$dir was not set up by quickstart"
	fi
	folder_choices
}

# What the first run chose holds until it is given anew.
folder_choices() {
	[ -z "$port" ] || echo "$port" > "$etc_dir/port"
	[ -z "$prefix" ] || echo "$prefix" > "$etc_dir/prefix"
	[ -z "$mount" ] || echo "$mount" > "$etc_dir/mount"
	[ -z "$server" ] || echo "$server" > "$etc_dir/server"
	[ -e "$etc_dir/port" ] || free_port > "$etc_dir/port"
	port=$(cat "$etc_dir/port")
	prefix=$(remembered prefix "$dir/prefix")
	mount=$(remembered mount "")
	server=$(remembered server nginx)
	case $store in
	sqlite) store=$(remembered store "sqlite:$state_dir/leasehold.db") ;;
	mysql)
		: > "$etc_dir/own-mysql"
		store=$(mysql_store "$run_dir/mysql.sock")
		echo "$store" > "$etc_dir/store"
		;;
	*) echo "$store" > "$etc_dir/store" ;;
	esac
	listen=127.0.0.1:$port url=http://127.0.0.1:$port$mount
}

folder_setup() {
	local before

	need_programs "$(web_program "$server")" spawn-fcgi multiwatch curl
	[ "$prefix" != "$dir/prefix" ] || build_install
	before=$(cksum "$conf_file" 2> /dev/null || true)
	write_conf
	folder_mysql
	init_database
	[ -z "$demo" ] || add_demo_account
	start_direct "$before"
	folder_web
	web_snippets
	wait_healthy
	print_next
}

folder_env() {
	print_env
}

folder_restart() {
	restart_pool
	wait_healthy
}

folder_stop() {
	stop "$server" 5
	stop_pools
	stop mysql 60
}

folder_remove() {
	folder_stop
	ask "Delete $dir with its database, keys and logs?" ||
		die "stopped; $dir is left as it is"
	rm -rf "$dir"
}
