#!/bin/sh
# What is set up goes from one installation to another by export and import,
# and accounts come in from other programs' files; no secret is shown.

# shellcheck source=tests/admin/lib.sh
. "${srcdir:-.}/tests/admin/lib.sh"
begin move jq

# site NAME: from here on commands are for that installation.
site() {
	dir=$top/$1
	[ -d "$dir" ] && return
	mkdir "$dir"
	cat >"$dir/leasehold.conf" <<-EOF
		store = sqlite:$dir/db
		master_key_file = $dir/key
	EOF
	is 0 "$1 is made" init --prices "$srcdir/conf/prices.json"
}

printf 'a long passphrase\nwhat follows is not read\n' >"$top/pass"
echo 'another passphrase' >"$top/other"
cat >"$top/env" <<'EOF'
# of another relay
export CLAUDE_API_KEY="sk-ant-secret-1"
CLAUDE_ACCOUNTS=two:sk-ant-secret-2
CLAUDE_MODEL=x
EOF

site old
is 0 "a dry run of an env file" import --from env --group g --dry-run \
    "$top/env"
has "it says what it would add" 'account *two *added'
has "and what it passes over" 'passed over: CLAUDE_MODEL'
has "and that it is dry" 'nothing is changed'
json "nothing was added" 'length == 0' account list
is 0 "the env file" import --from env --group g "$top/env"
json "its accounts are there" '[.[].name] == ["claude", "two"]' account list
is 4 "the same again" import --from env --group g "$top/env"
json "skipped" '.done | map(.done) == ["skipped", "skipped"]' \
    import --from env --group g --skip "$top/env"
printf 'HOME=/root\nCLAUDE_API_KEY=\n' >"$top/void"
is 3 "a file without an account" import --from env --group h "$top/void"
has "it says what it looked for" 'CLAUDE_API_KEY, ANTHROPIC_API_KEY or'
has "and why what there is is passed over" 'CLAUDE_API_KEY: it is empty'
is 3 "and so does its dry run" import --from env --dry-run "$top/void"
run --json import --from env "$top/void"
jq -e '.done == [] and (.passed_over | length == 1)' "$dir/out" >/dev/null
report $? "as JSON too"
json "no group was made for it" 'map(.name) == ["g"]' group list
echo '{"success": true, "data": {"claudeAccounts": [],
    "openaiOAuthAccounts": [{"name": "o"}]}}' >"$top/void"
is 3 "none of claude-relay-service" import --from claude-relay-service \
    "$top/void"
has "which are named" '"o" of openaiOAuthAccounts: it is not Claude'
has "with what was looked for" 'claudeAccounts or claudeConsoleAccounts'
echo '{"model_list": []}' >"$top/void"
is 3 "none of litellm" import --from litellm "$top/void"
has "with what was looked for" 'entries of model_list'
is 2 "of two policies" import --from env --skip --update "$top/env"
is 2 "of an unknown kind" import --from elsewhere "$top/env"
is 3 "a file that is not there" import --from env "$top/none"
head -c 68000000 /dev/zero | tr '\0' x >"$top/large"
is 2 "a file that is too long" import --from env "$top/large"
is 2 "a file that is no export" import --passphrase-file "$top/pass" \
    "$top/env"
is 0 "a key" key create --name k --group g

is 0 "an export" export --passphrase-file "$top/pass" "$top/file"
[ "$(stat -c %a "$top/file")" = 600 ]
report $? "it is its owner's alone"
is 4 "not over a file that is there" export --passphrase-file "$top/pass" \
    "$top/file"
echo short | "$bin" --config "$dir/leasehold.conf" export "$top/short" \
    2>"$dir/err"
[ ! -e "$top/short" ]
report $? "not under a short passphrase"
rc=0
"$bin" --config "$dir/leasehold.conf" export "$top/short" </dev/null \
    >"$dir/out" 2>"$dir/err" || rc=$?
[ "$rc" = 2 ] && [ ! -e "$top/short" ]
report $? "nor under none"
has "and it says what is missing" 'the passphrase is empty'
! grep -q sk-ant "$top/file"
report $? "no secret is in it"
json "it is in the audit log" 'map(.verb) | index("export") != null' audit

site new
is 6 "another passphrase" import --passphrase-file "$top/other" "$top/file"
sed 's/"two"/"six"/' "$top/file" >"$top/changed"
is 6 "a changed file" import --passphrase-file "$top/pass" "$top/changed"
is 2 "an option of other files" import --group g \
    --passphrase-file "$top/pass" "$top/file"
is 0 "a dry run" import --dry-run --passphrase-file "$top/pass" "$top/file"
json "nothing was taken over" 'length == 0' account list
echo 'a long passphrase' | "$bin" --config "$dir/leasehold.conf" import \
    "$top/file" >"$dir/out" 2>"$dir/err"
report $? "the import, with the passphrase on standard input"
cat "$dir/out" >>"$dir/all"
json "accounts are there" '[.[].name] == ["claude", "two"]' account list
json "and the key" '.[0].name == "k" and .[0].bound_to == "g"' key list
is 4 "the import again" import --passphrase-file "$top/pass" "$top/file"
is 0 "and with --skip" import --skip --passphrase-file "$top/pass" \
    "$top/file"

# ---- the passphrase on a terminal ----

# at_terminal FILE TYPED ...: export to it from a terminal, where after each
# question a line is typed; "EOF" is the end of input.
cat >"$top/terminal.py" <<'EOF'
import os, pty, sys
command, typed = sys.argv[1].split('\n'), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(command[0], command)
shown = b''
try:
    for line in typed:
        seen = len(shown)
        while b': ' not in shown[seen:]:
            shown += os.read(fd, 4096)
        os.write(fd, b'\x04' if line == 'EOF' else line.encode() + b'\n')
    while True:
        shown += os.read(fd, 4096)
except OSError:
    pass
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF
at_terminal() {
	file=$1
	shift
	python3 "$top/terminal.py" "$(printf '%s\n' "$bin" --config \
	    "$dir/leasehold.conf" export "$file")" "$@" >"$dir/out" \
	    2>"$dir/err"
	rc=$?
	cat "$dir/out" "$dir/err" >>"$dir/all"
}

if command -v python3 >/dev/null; then
	at_terminal "$top/typed" 'a long passphrase' 'a long passphrase'
	[ "$rc" = 0 ] && [ -s "$top/typed" ]
	report $? "at a terminal the passphrase is typed twice"
	has "it is asked for" 'Passphrase: '
	has "and again" 'The same again: '
	at_terminal "$top/typed2" 'a long passphrase' 'a long passphrasE'
	[ "$rc" = 2 ] && [ ! -e "$top/typed2" ]
	report $? "typed differently nothing is written"
	has "it says so" 'are not the same'
	at_terminal "$top/typed2" EOF
	[ "$rc" = 2 ] && [ ! -e "$top/typed2" ]
	report $? "nor at the end of input"
	at_terminal "$top/typed2" 'a long passphrase' EOF
	[ "$rc" = 2 ] && [ ! -e "$top/typed2" ]
	report $? "nor at its end before the second time"
	at_terminal "$top/typed2" "$(printf 'half\003')"
	[ "$rc" != 0 ] && [ ! -e "$top/typed2" ]
	report $? "Control-C leaves it"
	is 0 "what was typed opens it" import --dry-run --skip \
	    --passphrase-file "$top/pass" "$top/typed"
fi

# ---- the whole shape of other programs' files ----

site crs
cat >"$top/crs.json" <<'EOF'
{"success": true, "data": {"exportedAt": "2026-11-01T10:00:00.000Z",
"claudeAccounts": [
  {"kind": "claude-account", "id": "11", "name": "max", "description": "",
   "platform": "claude", "authType": "oauth", "isActive": true,
   "schedulable": true, "priority": 50, "status": "active",
   "proxy": {"protocol": "socks5", "host": "p.example", "port": 1080,
     "username": "u", "password": ""},
   "credentials": {"access_token": "sk-ant-oat01-secret-1",
     "refresh_token": "sk-ant-ort01-secret-2",
     "expires_at": "2096-11-01T18:00:00.000Z", "expires_in": 28800,
     "scope": "user:profile user:inference", "token_type": "Bearer",
     "org_uuid": "o", "account_uuid": "a"},
   "extra": {"crs_account_id": "11", "crs_kind": "claude-account",
     "crs_auth_type": "oauth", "crs_scopes": ["user:profile"]}},
  {"kind": "claude-account", "id": "12", "name": "setup", "description": "x",
   "platform": "claude", "authType": "setup-token", "isActive": true,
   "schedulable": false, "priority": 10, "status": "error", "proxy": null,
   "credentials": {"access_token": "sk-ant-oat01-secret-3",
     "scope": "user:inference", "token_type": "Bearer"},
   "extra": {"crs_account_id": "12"}}],
"claudeConsoleAccounts": [
  {"kind": "claude-console-account", "id": "21", "name": "console",
   "description": "", "platform": "claude-console", "isActive": true,
   "schedulable": true, "priority": 20, "status": "active",
   "proxy": {"protocol": "http", "host": "p.example", "port": 8080,
     "username": "", "password": ""},
   "maxConcurrentTasks": 0,
   "credentials": {"api_key": "cr_secret-4",
     "base_url": "https://vendor.example/api",
     "model_mapping": {"claude-a": "claude-a", "claude-b": "vendor-b"},
     "user_agent": "tool/1.0"},
   "extra": {"crs_account_id": "21"}}],
"openaiOAuthAccounts": [
  {"kind": "openai-oauth-account", "id": "31", "name": "chat",
   "platform": "openai", "authType": "oauth", "isActive": true,
   "schedulable": true, "priority": 50, "status": "active", "proxy": null,
   "credentials": {"access_token": "sk-ant-secret-5", "expires_in": 864000,
     "token_type": "Bearer"}, "extra": {}}],
"openaiResponsesAccounts": [
  {"kind": "openai-responses-account", "id": "41", "name": "responses",
   "platform": "openai-responses", "isActive": true, "schedulable": true,
   "priority": 50, "status": "active", "proxy": null,
   "credentials": {"api_key": "sk-ant-secret-6",
     "base_url": "https://o.example"}, "extra": {}}]}}
EOF
is 0 "an answer of claude-relay-service" import --from claude-relay-service \
    --authorize-url https://id.example/authorize \
    --token-url https://id.example/token --client-id c \
    --redirect-uri https://here.example/cb "$top/crs.json"
has "of which OpenAI's are passed over" '"chat" of openaiOAuthAccounts'
has "by name" '"responses" of openaiResponsesAccounts'
has "and what is sent as" 'user_agent of account "console"'
json "its accounts are what they were there" '
    map([.name, .platform, .credential, .priority, .enabled, .base_url]) == [
	["console", "claude_console", "bearer", 20, true,
	    "https://vendor.example/api"],
	["max", "claude", "oauth", 50, true, "https://api.anthropic.com"],
	["setup", "claude", "bearer", 10, false,
	    "https://api.anthropic.com"]]' account list
json "with the models' names" \
    'map([.pattern, .target]) == [["claude-b", "vendor-b"]]' alias list
json "and the end of the token" \
    '.oauth.expires_ms == 4002631200000 and .oauth.signed_in' \
    account show max

site litellm
cat >"$top/litellm.json" <<'EOF'
{"model_list": [
  {"model_name": "sonnet", "litellm_params": {"model": "anthropic/claude-s",
   "api_key": "os.environ/MOVE_KEY", "rpm": 60, "max_tokens": 4096},
   "model_info": {"mode": "chat"}},
  {"model_name": "opus", "litellm_params": {"model": "claude-o",
   "custom_llm_provider": "anthropic", "litellm_credential_name": "own"}},
  {"model_name": "other", "litellm_params": {"model": "claude-x",
   "custom_llm_provider": "openai", "api_key": "sk-ant-secret-9"}},
  {"model_name": "gpt", "litellm_params": {"model": "azure/gpt",
   "api_base": "os.environ/AZURE_BASE", "api_key": "os.environ/AZURE_KEY"}}],
 "credential_list": [{"credential_name": "own", "credential_values": {
   "api_key": "os.environ/MOVE_KEY_2", "api_base": "os.environ/MOVE_BASE"},
   "credential_info": {"custom_llm_provider": "anthropic"}}],
 "litellm_settings": {"drop_params": true},
 "general_settings": {"master_key": "sk-ant-secret-8"}}
EOF
is 2 "keys in variables that are not set" import --from litellm \
    "$top/litellm.json"
has "which are named" 'MOVE_KEY, which is not set'
export MOVE_KEY=sk-ant-secret-7 MOVE_KEY_2=secret-10
export MOVE_BASE=https://vendor.example/v1
is 0 "a configuration of litellm" import --from litellm "$top/litellm.json"
has "of which others' models are passed over" '"azure/gpt": it is not'
has "also those that look like Claude's" '"claude-x": it is not'
json "its keys are accounts" 'map([.name, .base_url, .models]) == [
	["litellm-1", "https://api.anthropic.com", "claude-s"],
	["litellm-2", "https://vendor.example", "claude-o"]]' account list
json "with the names that are asked for" 'map([.pattern, .target]) == [
	["sonnet", "claude-s"], ["opus", "claude-o"]] or
    map([.pattern, .target]) == [["opus", "claude-o"],
	["sonnet", "claude-s"]]' alias list
sed 's/"own", "credential_values"/"none", "credential_values"/' \
    "$top/litellm.json" >"$top/litellm2.json"
is 2 "a credential that is not there" import --from litellm "$top/litellm2.json"
has "it is named" 'litellm_credential_name "own"'

! grep -q -e secret-10 -e cr_secret -e 'sk-ant-[a-z0-9]*-*secret' \
    "$top/crs/all" "$top/litellm/all"
report $? "none of their secrets was shown"
! grep -q -e 'sk-ant-secret' -e 'long passphrase' "$top/old/all" \
    "$top/new/all"
report $? "no secret was shown"
echo "1..$number"
exit "$failed"
