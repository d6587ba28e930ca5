-- People who sign in (table person): passwords, second factors, sign-ins,
-- invitations, and the audit log of what they change.

-- name: person_credentials
-- name
SELECT id, role, enabled, password, totp_on, totp_step
FROM person WHERE name = ?;

-- name: lock_person @mysql only
-- No new password meanwhile, and no end of sign-ins.
SELECT id FROM person WHERE id = ? FOR UPDATE;

-- name: person_row
-- id
SELECT id, name, role, enabled, totp_on, created_ms,
	CASE WHEN password IS NULL THEN 0 ELSE 1 END,
	(SELECT count(*) FROM recovery_code r WHERE r.person_id = p.id)
FROM person p WHERE id = ?;

-- name: person_password
-- id
SELECT password FROM person WHERE id = ?;

-- name: person_set_password
-- password, id
UPDATE person SET password = ? WHERE id = ?;

-- name: person_renew_password
-- The same password, hashed anew; not where it has become another.
-- password, id, password as it was
UPDATE person SET password = ? WHERE id = ? AND password = ?;

-- name: person_role
-- name
SELECT role FROM person WHERE name = ?;

-- name: person_set_role
-- role, id
UPDATE person SET role = ? WHERE id = ?;

-- name: person_set_enabled
-- enabled, id
UPDATE person SET enabled = ? WHERE id = ?;

-- name: person_is_admin
-- id: one who can sign in
SELECT count(*) FROM person
WHERE role = 'admin' AND enabled = 1 AND password IS NOT NULL AND id = ?;

-- name: person_admins
-- How many can sign in as administrators, without this one.
SELECT count(*) FROM person
WHERE role = 'admin' AND enabled = 1 AND password IS NOT NULL AND id <> ?;

-- name: person_totp
-- id
SELECT totp FROM person WHERE id = ? AND totp IS NOT NULL;

-- name: person_totps
SELECT id, totp FROM person WHERE totp IS NOT NULL ORDER BY id;

-- name: person_set_totp
-- totp, id
UPDATE person SET totp = ? WHERE id = ?;

-- name: person_totp_use
-- A code counts once: a step is taken by one of those who bring it.
-- step, totp_on, id, step
UPDATE person SET totp_step = ?, totp_on = ? WHERE id = ? AND totp_step < ?;

-- name: person_totp_off
-- id
UPDATE person SET totp = NULL, totp_on = 0 WHERE id = ?;

-- name: recovery_add
-- person_id, hash
INSERT INTO recovery_code (person_id, hash) VALUES (?, ?);

-- name: recovery_use
-- person_id, hash
DELETE FROM recovery_code WHERE person_id = ? AND hash = ?;

-- name: recovery_clear
DELETE FROM recovery_code WHERE person_id = ?;

-- name: sign_in_add
-- hash, person_id, created_ms, seen_ms, expires_ms, address, agent
INSERT INTO sign_in (hash, person_id, created_ms, seen_ms, expires_ms,
    address, agent) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: sign_in_find
-- hash, now_ms, idle since: those seen after it are good
SELECT s.id, s.seen_ms, s.expires_ms, p.id, p.role, p.name
FROM sign_in s JOIN person p ON p.id = s.person_id
WHERE s.hash = ? AND s.expires_ms > ? AND s.seen_ms > ? AND p.enabled = 1;

-- name: sign_in_still
-- As what the person may act who signed in so.  Ids may come again, for
-- another's.
-- id, person_id, now_ms, idle since
SELECT p.role
FROM sign_in s JOIN person p ON p.id = s.person_id
WHERE s.id = ? AND s.person_id = ? AND s.expires_ms > ? AND s.seen_ms > ?
    AND p.enabled = 1;

-- name: sign_in_seen
-- seen_ms, id
UPDATE sign_in SET seen_ms = ? WHERE id = ?;

-- name: sign_in_list
-- The newest hundred.
-- person_id, now_ms, idle since
SELECT id, created_ms, seen_ms, expires_ms, address, agent
FROM (SELECT * FROM sign_in
    WHERE person_id = ? AND expires_ms > ? AND seen_ms > ?
    ORDER BY id DESC LIMIT 100) AS newest
ORDER BY id;

-- name: sign_in_row
-- id, person_id
SELECT id, created_ms, seen_ms, expires_ms, address, agent
FROM sign_in WHERE id = ? AND person_id = ?;

-- name: sign_in_remove
-- id, person_id
DELETE FROM sign_in WHERE id = ? AND person_id = ?;

-- name: sign_in_remove_others
-- person_id, id that stays (0: none)
DELETE FROM sign_in WHERE person_id = ? AND id <> ?;

-- name: sign_in_prune
-- now_ms, idle since
DELETE FROM sign_in WHERE expires_ms <= ? OR seen_ms <= ?;

-- name: try_open @sqlite
-- subject
INSERT INTO sign_in_try (subject, tries, last_ms, until_ms)
VALUES (?, 0, 0, 0) ON CONFLICT (subject) DO NOTHING;
-- name: try_open @mysql
INSERT INTO sign_in_try (subject, tries, last_ms, until_ms)
VALUES (?, 0, 0, 0) ON DUPLICATE KEY UPDATE subject = subject;

-- name: try_read
-- subject; locked by try_open
SELECT tries, last_ms, until_ms FROM sign_in_try WHERE subject = ?;

-- name: try_count
-- tries, last_ms, until_ms, subject
UPDATE sign_in_try SET tries = ?, last_ms = ?, until_ms = ?
WHERE subject = ?;

-- name: try_take_back
-- subject
UPDATE sign_in_try SET tries = tries - 1, until_ms = 0
WHERE subject = ? AND tries > 0;

-- name: try_forget
-- subject
DELETE FROM sign_in_try WHERE subject = ?;

-- name: try_prune
-- last_ms
DELETE FROM sign_in_try WHERE last_ms < ?;

-- name: invitation_add
-- hash, role, person_id, invited_by, created_ms, expires_ms
INSERT INTO invitation (hash, role, person_id, invited_by, created_ms,
    expires_ms) VALUES (?, ?, ?, ?, ?, ?);

-- name: invitation_find
-- hash, now_ms
SELECT i.id, i.role, i.person_id, p.name
FROM invitation i LEFT JOIN person p ON p.id = i.person_id
WHERE i.hash = ? AND i.expires_ms > ?;

-- name: invitation_list
-- The newest thousand.
-- now_ms
SELECT i.id, i.role, p.name, i.invited_by, i.created_ms, i.expires_ms
FROM (SELECT * FROM invitation WHERE expires_ms > ?
    ORDER BY id DESC LIMIT 1000) AS i
LEFT JOIN person p ON p.id = i.person_id
ORDER BY i.id;

-- name: invitation_row
-- id
SELECT i.id, i.role, p.name, i.invited_by, i.created_ms, i.expires_ms
FROM invitation i LEFT JOIN person p ON p.id = i.person_id
WHERE i.id = ?;

-- name: invitation_remove
DELETE FROM invitation WHERE id = ?;

-- name: invitation_end_of
-- person_id: those for one; who made them
DELETE FROM invitation WHERE person_id = ? OR invited_by = ?;

-- name: invitation_rename
-- who made them, as whom they are known now and were
UPDATE invitation SET invited_by = ? WHERE invited_by = ?;

-- name: invitation_prune
-- now_ms
DELETE FROM invitation WHERE expires_ms <= ?;

-- name: audit_add
-- at_ms, actor_kind, actor, address, verb, object, before_json, after_json
INSERT INTO audit (at_ms, actor_kind, actor, address, verb, object,
    before_json, after_json) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: audit_page
-- below this id, rows
SELECT id, at_ms, actor_kind, actor, address, verb, object, before_json,
    after_json
FROM audit
WHERE id < ?
ORDER BY id DESC LIMIT ?;

-- name: audit_page_{verb,object,actor}
-- Of that; below this id, rows
SELECT id, at_ms, actor_kind, actor, address, verb, object, before_json,
    after_json
FROM audit
WHERE {verb,object,actor} = ? AND id < ?
ORDER BY id DESC LIMIT ?;

-- name: audit_page_verb_object
-- Of both; below this id, rows
SELECT id, at_ms, actor_kind, actor, address, verb, object, before_json,
    after_json
FROM audit
WHERE verb = ? AND object = ? AND id < ?
ORDER BY id DESC LIMIT ?;

-- name: audit_page_actor_verb
-- Of both; below this id, rows
SELECT id, at_ms, actor_kind, actor, address, verb, object, before_json,
    after_json
FROM audit
WHERE actor = ? AND verb = ? AND id < ?
ORDER BY id DESC LIMIT ?;

-- name: audit_page_actor_object
-- Of both; below this id, rows
SELECT id, at_ms, actor_kind, actor, address, verb, object, before_json,
    after_json
FROM audit
WHERE actor = ? AND object = ? AND id < ?
ORDER BY id DESC LIMIT ?;

-- name: audit_page_all
-- Of actor, verb and object; below this id, rows
SELECT id, at_ms, actor_kind, actor, address, verb, object, before_json,
    after_json
FROM audit
WHERE actor = ? AND verb = ? AND object = ? AND id < ?
ORDER BY id DESC LIMIT ?;

-- name: audit_old
-- Of the first rows those of before: how many, and the last.
-- rows, at_ms
SELECT count(*), coalesce(max(id), 0)
FROM (SELECT id, at_ms FROM audit ORDER BY id LIMIT ?) AS first
WHERE at_ms < ?;

-- name: audit_prune
-- up to this id, at_ms
DELETE FROM audit WHERE id <= ? AND at_ms < ?;

-- name: name_of_person
SELECT name FROM person WHERE id = ?;

-- name: name_of_group
SELECT name FROM account_group WHERE id = ?;

-- name: name_of_budget
SELECT name FROM budget WHERE id = ?;

-- name: name_of_key
SELECT name FROM api_key WHERE id = ?;

-- name: name_of_token
SELECT name FROM admin_token WHERE id = ?;

-- name: name_of_account
SELECT name FROM account WHERE id = ?;
