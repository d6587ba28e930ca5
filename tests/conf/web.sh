#!/bin/sh
# What conf/ has for nginx, Apache and Caddy, filled in: each server takes it,
# by its own check, below a path and without one.  Those that are not installed
# are passed over.
set -eu
top=${srcdir:-$(dirname "$0")/../..}
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
number=0

die() {
	echo "$*" >&2
	exit 1
}

# fill SERVER MOUNT: all of its files, in $dir.  No port needs root.
fill() {
	for file in "$top/conf/$1"/*.in; do
		# shellcheck disable=SC2094
		sh "$top/conf/fill" "mount=$2" listen=127.0.0.1:8080 \
		    port=8080 server_name=localhost keepalive_s=5 \
		    user_line= relay_socket=/run/leasehold/relay.sock \
		    admin_socket=/run/leasehold/admin.sock \
		    htdocs=/usr/share/leasehold/htdocs "conf_dir=$dir" \
		    "run_dir=$dir" "log_dir=$dir" "site_root=$dir" \
		    "tls_cert=$dir/tls.crt" "tls_key=$dir/tls.key" \
		    apache_modules=/usr/lib/apache2/modules <"$file" |
		    sed -e 's/listen 443/listen 8443/' \
			-e 's/listen 80;/listen 8081;/' \
			>"$dir/$1/$(basename "$file" .in)"
	done
	! grep -rn '@[a-z_]*@' "$dir/$1" || die "not filled in"
}

check_nginx() {
	nginx -q -t -e "$dir/log" -c "$dir/nginx/nginx.conf"
	sed 's|/site.conf|/example.conf|' "$dir/nginx/nginx.conf" \
	    >"$dir/nginx/whole.conf"
	nginx -q -t -e "$dir/log" -c "$dir/nginx/whole.conf"
}

check_apache() {
	apache2 -t -f "$dir/apache/apache.conf"
	{
		for name in ssl socache_shmcb reqtimeout; do
			echo "LoadModule ${name}_module" \
			    "/usr/lib/apache2/modules/mod_$name.so"
		done
		sed 's|/site.conf|/example.conf|' "$dir/apache/apache.conf"
	} >"$dir/apache/whole.conf"
	apache2 -t -f "$dir/apache/whole.conf"
}

check_caddy() {
	for file in Caddyfile example.caddy; do
		HOME=$dir caddy validate --adapter caddyfile \
		    --config "$dir/caddy/$file"
	done
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$dir/tls.key" -out "$dir/tls.crt" -days 2 -subj /CN=localhost \
    2>"$dir/log" || die "$(cat "$dir/log")"
for server in nginx apache caddy; do
	program=$server
	[ "$server" = apache ] && program=apache2
	command -v "$program" >/dev/null || continue
	for mount in '' /claude /a/b; do
		mkdir -p "$dir/$server"
		fill "$server" "$mount"
		"check_$server" >"$dir/log" 2>&1 ||
		    die "not ok - $server, \"$mount\": $(cat "$dir/log")"
		number=$((number + 1))
		echo "ok $number - $server takes them, mounted at \"$mount\""
	done
done
[ "$number" -gt 0 ] || { echo "1..0 # SKIP no web server"; exit 77; }
echo "1..$number"
