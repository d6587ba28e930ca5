#!/bin/bash
# leasehold doctor against real web servers, good and misconfigured on
# purpose: nginx, and Apache where it is installed.  Each fault is found, the
# directive that mends it named, and a good server called good.

for tool in jq curl nginx spawn-fcgi; do
	if ! PATH=$PATH:/usr/sbin command -v $tool >/dev/null 2>&1; then
		echo "$tool is not installed"
		exit 77
	fi
done
PATH=$PATH:/usr/sbin
srcdir=$(cd "${srcdir:-.}" && pwd)
bin=$(pwd)/leasehold
dir=$(mktemp -d "${TMPDIR:-/tmp}/leasehold-doctor.XXXXXX") || exit 99
number=0 failed=0

# Each that was started ends within five seconds, or is ended.
# shellcheck disable=SC2317,SC2005,SC2086
stop() {
	local pids pid
	# spawn-fcgi writes no line end.
	pids=$(for pid in "$dir"/run/*.pid; do
		echo "$(cat "$pid" 2>/dev/null)"
	done)
	for pid in $pids; do
		kill "$pid" 2>/dev/null
	done
	for _ in $(seq 50); do
		kill -0 $pids 2>/dev/null || break
		sleep 0.1
	done
	for pid in $pids; do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -rf "$dir"
}
trap stop EXIT

die() {
	echo "Bail out! $1"
	cat "$dir"/log/* 2>/dev/null | tail -40 | sed 's/^/# /'
	exit 99
}

check() {
	number=$((number + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $number - $3"
	else
		failed=1
		echo "not ok $number - $3"
		printf '# expected: %s\n# got: %s\n' "$2" "$1"
		jq -c '.checks[] | select(.verdict != "ok")' "$dir/out" \
		    2>/dev/null | sed 's/^/# /'
	fi
}

# ---- the pool, mounted at /m ----

mkdir "$dir/run" "$dir/log" "$dir/tmp"
chmod 755 "$dir" "$dir/run"
cat >"$dir/leasehold.conf" <<EOC
store = sqlite:$dir/leasehold.db
master_key_file = $dir/master.key
run_dir = $dir/run
relay_socket = $dir/run/relay.sock
admin_socket = $dir/run/admin.sock
relay_processes = 1
mount = /m
body_max_bytes = 4M
log = file:$dir/log/leasehold
EOC
export LEASEHOLD_CONFIG=$dir/leasehold.conf
"$bin" init --prices "$srcdir/conf/prices.json" >/dev/null || die "init failed"
for kind in relay admin; do
	spawn-fcgi -s "$dir/run/$kind.sock" -M 0666 -P "$dir/run/$kind.pid" \
	    -- "$(pwd)/leasehold-$kind.fcgi" >"$dir/log/$kind" 2>&1 ||
		die "leasehold-$kind.fcgi did not start"
done

# ---- web servers; a fault each by its name under localhost ----

port=$((20000 + $$ % 20000))
relay="include /etc/nginx/fastcgi_params; fastcgi_pass unix:$dir/run/relay.sock;"
admin="location ~ ^/m/(?:api/v1/(?!messages|models|chat|sessions)|metrics\$) {
	include /etc/nginx/fastcgi_params; fastcgi_pass unix:$dir/run/admin.sock; }"

write_nginx() {
	cat <<EOC
$([ "$(id -u)" != 0 ] || echo "user root;")
pid $dir/run/nginx.pid;
error_log $dir/log/nginx warn;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path $dir/tmp/1;
	fastcgi_temp_path $dir/tmp/2;
	proxy_temp_path $dir/tmp/3;
	scgi_temp_path $dir/tmp/4;
	uwsgi_temp_path $dir/tmp/5;
	server {
		listen 127.0.0.1:$port;
		server_name good.localhost;
		location /m/ { $relay fastcgi_buffering off; client_max_body_size 0; }
		$admin
	}
	server {
		listen 127.0.0.1:$port;
		server_name bad.localhost;
		gzip on;
		gzip_types text/event-stream;
		gzip_min_length 1;
		client_max_body_size 1m;
		location /m/ { $relay fastcgi_buffering on;
			fastcgi_ignore_headers X-Accel-Buffering;
			fastcgi_read_timeout 1s;
			fastcgi_param HTTP_AUTHORIZATION ""; }
	}
	server {
		listen 127.0.0.1:$port;
		server_name other.localhost;
		location /m/ { include /etc/nginx/fastcgi_params;
			fastcgi_pass unix:$dir/run/admin.sock; }
		location /down/ { include /etc/nginx/fastcgi_params;
			fastcgi_pass unix:$dir/run/none.sock; }
		location /mount/ { $relay }
		location /moved/ { return 301 https://elsewhere.example/; }
		location /page/ { return 200 "<html><title>Hello</title></html>"; }
	}
}
EOC
}

for _ in 1 2 3 4 5; do
	write_nginx >"$dir/nginx.conf"
	nginx -p "$dir" -c "$dir/nginx.conf" 2>>"$dir/log/nginx-start" && break
	port=$((port + 61))
done
[ -s "$dir/run/nginx.pid" ] || die "nginx did not start"
for _ in $(seq 100); do
	curl -fs -o /dev/null -H 'host: good.localhost' \
	    "http://127.0.0.1:$port/m/health" && break
	sleep 0.1
done

doctor() {
	"$bin" --json doctor --url "$@" >"$dir/out" 2>"$dir/err"
	rc=$?
}

verdict() {
	jq -r --arg n "$1" '.checks[] | select(.name == $n) | .verdict' "$dir/out"
}

# finds NAME VERDICT WORDS: the check has this verdict, and its remedy the words.
finds() {
	check "$(verdict "$1")" "$2" "$server: $1 is $2"
	[ -z "$3" ] || check "$(jq --arg n "$1" --arg w "$3" '.checks[] |
	    select(.name == $n) | .remedy // "" | contains($w)' "$dir/out")" true \
	    "$server: its remedy says $3"
}

server="nginx, good"
doctor "http://good.localhost:$port/m/" --silence 2
check $rc 0 "$server: doctor exits with 0"
for name in reach admin_route probes mount x_api_key authorization stream \
    compression body silence; do
	finds $name ok ""
done

server="nginx, bad"
doctor "http://bad.localhost:$port/m" --silence 3
check $rc 1 "$server: doctor exits with 1"
finds reach ok ""
finds x_api_key ok ""
finds authorization fail "HTTP_AUTHORIZATION"
finds stream fail "fastcgi_buffering off;"
finds compression warn "gzip off;"
finds body fail "client_max_body_size 0;"
finds silence fail "fastcgi_read_timeout 1h;"
finds admin_route fail "fastcgi_pass unix:$dir/run/admin.sock;"

server="nginx, other paths"
doctor "http://other.localhost:$port/m"
finds reach fail "fastcgi_pass unix:$dir/run/relay.sock"
finds stream skip ""
doctor "http://other.localhost:$port/down"
finds reach fail "Permission denied"
doctor "http://other.localhost:$port/mount"
finds reach fail "mount = /mount"
doctor "http://other.localhost:$port/moved"
finds reach fail "https://elsewhere.example/"
doctor "http://other.localhost:$port/page"
finds reach fail "location /page/ {"
doctor "http://other.localhost:$port/none"
finds reach fail "location /none/ {"
doctor "http://127.0.0.1:1/m"
finds reach fail "listen"
doctor "http://other.localhost:$port/m" --host-only
finds reach skip ""

# A relay that runs with another master key file is told apart.
server="nginx, another master key"
cp "$dir/master.key" "$dir/saved.key"
sed -i '/^[^#]/{s/0$/1/;t;s/.$/0/}' "$dir/master.key"
doctor "http://good.localhost:$port/m" --silence 0
finds fits fail ""
finds probes fail "master key file is another one"
cp "$dir/saved.key" "$dir/master.key"

# ---- Apache ----

write_apache() {
	local m
	for m in mpm_event authz_core setenvif env headers deflate filter \
	    proxy proxy_fcgi; do
		[ ! -e "$modules/mod_$m.so" ] ||
			echo "LoadModule ${m}_module $modules/mod_$m.so"
	done
	cat <<EOC
ServerRoot $dir
PidFile $dir/run/apache.pid
ErrorLog $dir/log/apache
ServerName localhost
$([ "$(id -u)" != 0 ] || printf 'User www-data\nGroup www-data\n')
Listen 127.0.0.1:$apache
Timeout 1
<VirtualHost 127.0.0.1:$apache>
	ServerName bad.localhost
	SetOutputFilter DEFLATE
	ProxyPass "/m/" "unix:$dir/run/relay.sock|fcgi://localhost/m/"
</VirtualHost>
<VirtualHost 127.0.0.1:$apache>
	ServerName good.localhost
	SetOutputFilter DEFLATE
	SetEnvIf Request_URI "^/m/" no-gzip no-brotli
	ProxyPassMatch "^/m/(api/v1/(?!messages|models|chat|sessions).*|metrics)$" "unix:$dir/run/admin.sock|fcgi://localhost/"
	ProxyPass "/m/" "unix:$dir/run/relay.sock|fcgi://localhost/m/" flushpackets=on timeout=3600 retry=0
	<Location "/m/">
		CGIPassAuth On
	</Location>
</VirtualHost>
EOC
}

modules=/usr/lib/apache2/modules
if [ -e $modules/mod_proxy_fcgi.so ] && command -v apache2 >/dev/null; then
	apache=$((port + 1))
	for _ in 1 2 3 4 5; do
		write_apache >"$dir/apache.conf"
		apache2 -d "$dir" -f "$dir/apache.conf" \
		    2>>"$dir/log/apache-start" && break
		apache=$((apache + 61))
	done
	for _ in $(seq 50); do
		[ -s "$dir/run/apache.pid" ] && break
		sleep 0.1
	done
	[ -s "$dir/run/apache.pid" ] || die "Apache did not start"

	server="Apache, bad"
	doctor "http://bad.localhost:$apache/m" --silence 3
	check $rc 1 "$server: doctor exits with 1"
	finds x_api_key ok ""
	finds authorization fail "CGIPassAuth On"
	finds stream fail "flushpackets=on"
	finds compression warn "no-gzip"
	finds silence fail "timeout=3600"
	finds admin_route fail "ProxyPassMatch"

	server="Apache, good"
	doctor "http://good.localhost:$apache/m" --silence 3
	check $rc 0 "$server: doctor exits with 0"
	for name in admin_route authorization stream compression body silence; do
		finds $name ok ""
	done
else
	echo "# Apache is not installed: left out"
fi

# A key is tried both ways; what is no key of ours is refused.
server="nginx, a key"
printf sk-lh-wrong | "$bin" --json doctor --url "http://good.localhost:$port/m" \
    --silence 0 --key-stdin >"$dir/out" 2>"$dir/err"
finds key fail "leasehold key list"
check "$(grep -c sk-lh-wrong "$dir/out")" 0 "$server: it is not shown"

echo "1..$number"
exit $failed
