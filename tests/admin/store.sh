#!/bin/sh
# The command against a MariaDB server over TCP: TLS is verified, the password
# comes from a file or the environment and is never shown.  Exit status 77:
# there is no server, or no openssl.
: "${srcdir=.}"
script=$srcdir/tests/mariadb.sh
command -v openssl >/dev/null || exit 77
dir=$(mktemp -d /tmp/leasehold-store.XXXXXX) || exit 99
trap '"$script" stop "$dir/server"; rm -rf "$dir"' EXIT
# shellcheck source=tests/conf/lib.sh
. "$srcdir/tests/conf/lib.sh"

# run URL ARG ...: the command on that store; what it says is in $dir/why.
run() {
	LEASEHOLD_STORE=$1
	shift
	LEASEHOLD_STORE=$LEASEHOLD_STORE ./leasehold --config "$dir/conf" \
	    "$@" >"$dir/why" 2>&1
	status=$?
	! grep -q geheim "$dir/why"
	check $? "no password in what it says"
	return "$status"
}

# refused NAME TEXT URL: init is refused, with a text.
refused() {
	if run "$3" init; then
		check 1 "$1"
	else
		grep -q -e "$2" "$dir/why"
		check $? "$1"
	fi
}

certificate() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" \
	    -keyout "$dir/$1.key" -out "$dir/$1.pem" 2>/dev/null
}

certificate right
certificate wrong
openssl req -newkey rsa:2048 -nodes -subj /CN=localhost \
    -keyout "$dir/server.key" -out "$dir/server.csr" 2>/dev/null
echo subjectAltName=DNS:localhost >"$dir/names"
openssl x509 -req -in "$dir/server.csr" -CA "$dir/right.pem" \
    -CAkey "$dir/right.key" -CAcreateserial -days 2 \
    -extfile "$dir/names" -out "$dir/server.pem" 2>/dev/null || exit 99

port=
for try in 1 2 3 4 5; do
	port=$((20000 + ($$ * 7 + try * 911) % 12000))
	"$script" start "$dir/server" --skip-networking=0 \
	    --bind-address=127.0.0.1 --port="$port" \
	    --ssl-ca="$dir/right.pem" --ssl-cert="$dir/server.pem" \
	    --ssl-key="$dir/server.key" 2>"$dir/why"
	status=$?
	[ "$status" -ne 1 ] && break
done
[ "$status" = 0 ] || exit "$status"
mariadb --no-defaults -S "$dir/server/sock" -u root <<END || exit 99
CREATE DATABASE lh;
CREATE USER lh@'%' IDENTIFIED BY 'geheim' REQUIRE SSL;
CREATE USER lh@localhost IDENTIFIED BY 'geheim' REQUIRE SSL;
GRANT ALL ON lh.* TO lh@'%';
GRANT ALL ON lh.* TO lh@localhost;
CREATE USER poor@localhost IDENTIFIED BY 'geheim' REQUIRE SSL;
END

printf 'master_key_file = %s/master.key\n' "$dir" >"$dir/conf"
echo geheim >"$dir/password"
chmod 600 "$dir/password"
unset LEASEHOLD_CONFIG LEASEHOLD_STORE_PASSWORD LEASEHOLD_STORE_PASSWORD_FILE
server=mysql://lh@localhost:$port/lh
good="$server?ca=$dir/right.pem&password_file=$dir/password"

run "$good" init --prices "$srcdir/conf/prices.json"
check $? "a server whose certificate is checked is used"
run "$good" init
check $? "a second time nothing is to be done"
run "$good" config show
check $? "the setting is shown"
grep -q "^store = $server" "$dir/why"
check $? "as it was written"
run "$good" key create --name first
check $? "a key is made"
refused "another authority's certificate" TLS \
    "$server?ca=$dir/wrong.pem&password_file=$dir/password"
refused "a host by another name" TLS \
    "mysql://lh@127.0.0.1:$port/lh?ca=$dir/right.pem&password_file=$dir/password"
refused "an authority's file that is missing" TLS \
    "$server?ca=$dir/none.pem&password_file=$dir/password"
refused "TCP to another host without ca" 'needs ca=' mysql://lh@db2/lh
refused "a password in the URL" 'without a password' \
    mysql://lh:geheim@localhost/lh
refused "a user without rights" 'GRANT SELECT, INSERT' \
    "mysql://poor@localhost:$port/lh?ca=$dir/right.pem&password_file=$dir/password"
chmod 644 "$dir/password"
refused "a password that anybody may read" 'chmod 600' "$good"
chmod 600 "$dir/password"
LEASEHOLD_STORE_PASSWORD=geheim
export LEASEHOLD_STORE_PASSWORD
run "$server?ca=$dir/right.pem" init
check $? "the password of the environment"
LEASEHOLD_STORE_PASSWORD_FILE=$dir/password
export LEASEHOLD_STORE_PASSWORD_FILE
refused "a password given twice" 'one of them will do' \
    "$server?ca=$dir/right.pem"
unset LEASEHOLD_STORE_PASSWORD
chmod 644 "$dir/password"
run "$server?ca=$dir/right.pem" init
check $? "the password of a file that the environment names"
LEASEHOLD_STORE_PASSWORD_FILE=$dir/none
refused "a file that is missing" 'LEASEHOLD_STORE_PASSWORD_FILE' \
    "$server?ca=$dir/right.pem"
unset LEASEHOLD_STORE_PASSWORD_FILE
export LEASEHOLD_STORE_PASSWORD
LEASEHOLD_STORE_PASSWORD=geheimer
refused "a wrong password" 'password' "$server?ca=$dir/right.pem"

echo "1..$number"
exit "$failed"
