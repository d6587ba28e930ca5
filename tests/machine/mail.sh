#!/bin/bash
# Notifications by e-mail with the mail programs of Debian: under the init
# script, and under the units of systemd, which let no program gain rights.
# Functions are called by name, through check.
# shellcheck disable=SC2317
# shellcheck source=tests/machine/lib.sh
. "$(dirname "$0")/lib.sh"

# The letters are to one who reads Chinese.
target=运维 address=alice@localhost
test_subject='测试通知目标“运维”'
test_text='这是一条测试消息，并未发生任何事件。目标“运维”的通知会发送到这里。'
event_subject=备份失败
event_text='备份任务失败：'

# ---- mail programs ----

# has NAME PACKAGE ...: Debian's, which are in store.
has() {
	local name=$1
	shift

	on "$name" debconf-set-selections <<-'END'
	postfix postfix/main_mailer_type select Local only
	postfix postfix/mailname string localhost
	END
	on "$name" env DEBIAN_FRONTEND=noninteractive apt-get install -yq \
	    --no-install-recommends "$@"
}

has_postfix() {
	has "$1" postfix &&
	    on "$1" sh -c 'postfix status || postfix start' &&
	    eventually 60 smtp "$1" Postfix
}

# In the place of Postfix; by default it delivers to this host alone.
has_exim() {
	has "$1" exim4-daemon-light &&
	    on "$1" sh -c 'pidof exim4 || /etc/init.d/exim4 start' &&
	    eventually 60 smtp "$1" Exim
}

# smtp NAME WHO: is it that one who answers?
smtp() {
	on "$1" bash -c 'exec 3<>/dev/tcp/127.0.0.1/25 && read -r line <&3 &&
	    echo "$line" && echo QUIT >&3 && [[ $line == 220*"$1"* ]]' \
	    bash "$2"
}

# from_manual NAME FILE: what leasehold(8) says that is in it, below a line
# that names it.
from_manual() {
	sed -n "\\|^# $2\$|,/^\\.Ed/{/^\\.Ed/!p}" \
	    "$top/conf/man/leasehold.8.in" >"$scratch/file"
	[ "$(wc -l <"$scratch/file")" -gt 2 ] || return 1
	on "$1" mkdir -p "$(dirname "$2")"
	on "$1" tee "$2" <"$scratch/file"
}

# ---- letters ----

# came NAME SUBJECT TEXT: once, whole, and to whom it is; then it is taken out
# of the box.
came() {
	eventually 30 in_box "$@" && on "$1" sh -c ': >/var/mail/alice'
}

in_box() {
	on "$1" cat /var/mail/alice >"$scratch/box" || return 1
	python3 - "$scratch/box" "$address" "$2" "$3" <<-'END'
	import email.policy, mailbox, sys
	box, address, subject, text = sys.argv[1:]
	parse = lambda f: email.message_from_binary_file(f,
	    policy=email.policy.default)
	letters = list(mailbox.mbox(box, parse))
	for l in letters:
	    print(l["to"], l["subject"], l["auto-submitted"], l.defects,
	        l.get_content(), sep="\n")
	assert len(letters) == 1
	l, = letters
	assert l["to"] == address and l["subject"] == subject
	assert l["auto-submitted"] == "auto-generated" and not l.defects
	assert l.get_content_charset() == "utf-8"
	date, title, body = l.get_content().strip().split("\n", 2)
	assert title == subject and body.startswith(text), body
	END
}

# ---- Leasehold ----

# set_up NAME: whom it tells, and how often it looks whether there is anything.
set_up() {
	quickstart "$1" || return 1
	on "$1" sh -c 'echo "job_notify = @every 2s" \
	    >>/etc/leasehold/leasehold.conf && useradd -m alice'
	on "$1" leasehold notify add "$target" --email "$address" --lang zh \
	    --interval 0 &&
	    on "$1" leasehold --json token create --name test \
	    >"$scratch/$1.token" || return 1
	token=$(grep -o 'lh-adm-[^"]*' "$scratch/$1.token")
}

init_script() {
	quickstart p --stop && on p /etc/init.d/leasehold start
}

# What one machine has built another need not.
built() {
	on p tar -C /var/cache -cf - leasehold |
		on s tar -C /var/cache -xf -
}

# button NAME: that of the page; a responder of the pool sends the letter.
button() {
	on "$1" curl -sS -X POST -H "Authorization: Bearer $token" \
	    http://127.0.0.1:8787/api/v1/notify/targets/1/test \
	    >"$scratch/answer"
	cat "$scratch/answer"
}

button_works() {
	button "$1" && grep -q '"taken": *true' "$scratch/answer" &&
	    came "$1" "$test_subject" "$test_text"
}

command_works() {
	on "$1" leasehold notify test "$target" &&
	    came "$1" "$test_subject" "$test_text"
}

backup() {
	on "$1" setpriv --reuid=leasehold --regid=leasehold --init-groups \
	    env LEASEHOLD_BACKUP_DIR="$2" leasehold job run backup
}

# A backup fails, and the pool's job tells of it.
event_works() {
	backup "$1" /var/lib/leasehold || return 1
	! backup "$1" /proc || return 1
	came "$1" "$event_subject" "$event_text"
}

# button_says NAME WORDS: why it failed; it is not tried again.
button_says() {
	button "$1" && grep -q '"taken": *false' "$scratch/answer" &&
	    grep -qF "$2 gains no rights here (NoNewPrivileges): \`leasehold \
doctor' says what to do" "$scratch/answer" &&
	    on "$1" leasehold notify set "$target" --off &&
	    on "$1" leasehold notify set "$target" --on
}

# doctor NAME VERDICT WORDS: of e-mail.
doctor() {
	on "$1" leasehold --json doctor --host-only |
		tr -d '\n' | grep -o '"name": "mail".*' >"$scratch/doctor"
	cat "$scratch/doctor"
	grep -q "^[^}]*\"verdict\": \"$2\"" "$scratch/doctor" &&
	    grep -qF "$3" "$scratch/doctor"
}

postfix_joined() {
	from_manual s /etc/systemd/system/leasehold-admin@.service.d/mail.conf &&
	    on s systemctl daemon-reload &&
	    on s systemctl restart 'leasehold-admin@*'
}

not_joined() {
	on s rm /etc/systemd/system/leasehold-admin@.service.d/mail.conf &&
	    on s systemctl daemon-reload &&
	    on s systemctl restart 'leasehold-admin@*'
}

by_msmtp() {
	has s msmtp && from_manual s /etc/msmtprc &&
	    on s sh -c 'echo sendmail = /usr/bin/msmtp \
	    >>/etc/leasehold/leasehold.conf'
}

# What cron would do as leasehold(8) has it, where the pool does not.
by_cron() {
	on s sh -c 'sed -i "/^sendmail/d; s/^job_notify.*/job_notify = off/" \
	    /etc/leasehold/leasehold.conf' && on s leasehold reload || return 1
	backup s /var/lib/leasehold || return 1
	! backup s /proc || return 1
	on s setpriv --reuid=leasehold --regid=leasehold --init-groups env -i \
	    PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
	    leasehold job run notify &&
	    came s "$event_subject" "$event_text"
}

machine_needs
machine_trees

machine_plain p "$ready"
machine_checkout p
check "sets up" set_up p || give_up "nothing to go on with"
check "the init script has it" init_script
check "Postfix" has_postfix p || give_up "no Postfix"
check "the command sends a letter" command_works p
check "the button does" button_works p
check "the job does" event_works p
check "doctor has nothing against it" doctor p ok /usr/sbin/sendmail
check "Exim in its place" has_exim p
check "the button sends a letter" button_works p
check "the job does" event_works p

machine_booted s
machine_checkout s
built
check "with systemd" set_up s || give_up "nothing to go on with"
machine_stop p
check "Postfix" has_postfix s || give_up "no Postfix"
check "the unit lets it gain no rights, and the button says so" \
    button_says s /usr/sbin/postdrop
check "nothing of it is left" count s '^[^ ]*(postdrop|sendmail)' 0 60
check "doctor says what to do" doctor s fail SupplementaryGroups=postdrop
check "the drop-in of leasehold(8)" postfix_joined
check "the button sends a letter" button_works s
check "the job does" event_works s
check "doctor has nothing against it" doctor s ok /usr/sbin/sendmail
check "without it" not_joined
check "Exim in its place" has_exim s
check "the unit lets it gain no rights, and the button says so" \
    button_says s /usr/sbin/exim4
check "doctor says what to do" doctor s fail /usr/bin/msmtp
check "a crontab's line sends letters" by_cron
check "msmtp, as in leasehold(8)" by_msmtp
check "the button sends a letter" button_works s
check "doctor has nothing against it" doctor s ok /usr/bin/msmtp
machine_stop s

results
