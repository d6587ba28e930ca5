# A MariaDB server: of its own in the folder, or the machine's.
#	mysql_admin	words that run SQL as the server's administrator

mysql_packages=(mariadb-server)

# own_mysql: is the server ours to start and to stop, or to fill?
own_mysql() {
	[ -e "$etc_dir/own-mysql" ]
}

# mysql_store SOCKET: the setting.
mysql_store() {
	printf '%s\n' "mysql://leasehold@localhost/leasehold?socket=$1$(
		)&password_file=$etc_dir/store.password"
}

# The database and its user, whose password is made at the first run.
mysql_user() {
	local file=$etc_dir/store.password

	[ -s "$file" ] || (umask 077 &&
		head -c 24 /dev/urandom | base64 | tr -d '/+=\n' > "$file")
	"${mysql_admin[@]}" <<SQL || die "cannot make database and user"
CREATE DATABASE IF NOT EXISTS leasehold
    CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE USER IF NOT EXISTS leasehold@localhost;
ALTER USER leasehold@localhost IDENTIFIED BY '$(cat "$file")';
GRANT ALL ON leasehold.* TO leasehold@localhost;
SQL
}

# ---- in the folder ----

folder_mysql() {
	local data=$state_dir/mysql socket=$run_dir/mysql.sock

	own_mysql || return 0
	need_programs mariadbd mariadb mariadb-install-db
	mysql_admin=("$(find_program mariadb)" --no-defaults
		--socket "$socket" --user "$(id -un)")

	# A server that starts removes what other servers' queries keep in a
	# folder for temporary files that they share.
	mkdir -p "$state_dir/mysql-tmp"
	if [ ! -d "$data/mysql" ]; then
		TMPDIR=$state_dir/mysql-tmp \
			"$(find_program mariadb-install-db)" --no-defaults \
			--datadir="$data" --user="$(id -un)" --skip-test-db \
			--auth-root-authentication-method=socket \
			--auth-root-socket-user="$(id -un)" \
			> "$log_dir/mysql-install.log" 2>&1 ||
			die "mariadb-install-db: see $log_dir/mysql-install.log"
	fi
	start_folder_mysql "$data" "$socket"
	mysql_user
}

start_folder_mysql() {
	alive mysql || in_background mysql "$(find_program mariadbd)" \
		--no-defaults --user="$(id -un)" --datadir="$1" \
		--socket="$2" --tmpdir="$state_dir/mysql-tmp" --skip-networking \
		--innodb-buffer-pool-size=128M --performance-schema=OFF
	for _ in {1..300}; do
		"${mysql_admin[@]}" -e 'SELECT 1' > /dev/null 2>&1 && return
		# Ours for sure, though it may not yet show its command.
		kill -0 "$(cat "$run_dir/mysql.pid")" 2> /dev/null || break
		sleep 0.1
	done
	die "mariadbd did not start: $(tail -n 3 "$log_dir/mysql.err")"
}

# ---- on the machine ----

system_mysql() {
	own_mysql || return 0
	mysql_admin=("$(find_program mariadb)")
	"${mysql_admin[@]}" -e 'SELECT 1' > /dev/null 2>&1 ||
		if have_systemd; then
			systemctl enable -q --now mariadb
		else
			service mariadb start > /dev/null
		fi
	for _ in {1..300}; do
		"${mysql_admin[@]}" -e 'SELECT 1' > /dev/null 2>&1 && break
		sleep 0.1
	done
	store=$(mysql_store "$("${mysql_admin[@]}" -N -e 'SELECT @@socket')")
	echo "$store" > "$etc_dir/store"
	mysql_user
}

remove_system_mysql() {
	own_mysql || {
		say "the database is left; other hosts may use it"
		return 0
	}
	printf '%s\n' 'DROP DATABASE IF EXISTS leasehold;' \
		'DROP USER IF EXISTS leasehold@localhost;' |
		"$(find_program mariadb)" ||
		say "the database \"leasehold\" of MariaDB is left"
}
