-- People who sign in to the admin pages, and what they change.

ALTER TABLE person ADD COLUMN role TEXT NOT NULL DEFAULT 'user'
    CHECK (role IN ('admin', 'operator', 'user'));
ALTER TABLE person ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1
    CHECK (enabled IN (0, 1));		-- may sign in
ALTER TABLE person ADD COLUMN password TEXT;	-- Argon2id, as libsodium writes
						-- it; NULL: cannot sign in
ALTER TABLE person ADD COLUMN totp BLOB;	-- secret of the second factor,
						-- sealed, context
						-- person:ID:totp; or NULL
ALTER TABLE person ADD COLUMN totp_on INTEGER NOT NULL DEFAULT 0
    CHECK (totp_on IN (0, 1));		-- 0: not confirmed by a code yet
ALTER TABLE person ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;
					-- of the last code: none counts twice

-- Codes that stand in for the second factor, each once.
CREATE TABLE recovery_code (
	person_id	INTEGER NOT NULL REFERENCES person (id),
	hash		BLOB NOT NULL,		-- keyed BLAKE2b-256
	PRIMARY KEY (person_id, hash)
) WITHOUT ROWID;

-- Browsers that are signed in.
CREATE TABLE sign_in (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	hash		BLOB NOT NULL UNIQUE,	-- of the cookie
	person_id	INTEGER NOT NULL REFERENCES person (id),
	created_ms	INTEGER NOT NULL,
	seen_ms		INTEGER NOT NULL,	-- roughly, see idle time
	expires_ms	INTEGER NOT NULL,	-- however busy it is
	address		TEXT NOT NULL,
	agent		TEXT NOT NULL		-- the browser's words
);
CREATE INDEX sign_in_by_person ON sign_in (person_id);

-- Sign-ins that failed, by name and by address.
CREATE TABLE sign_in_try (
	subject		TEXT PRIMARY KEY,	-- name:NAME, address:NETWORK
	tries		INTEGER NOT NULL,
	last_ms		INTEGER NOT NULL,
	until_ms	INTEGER NOT NULL	-- none is looked at before
) WITHOUT ROWID;

-- Links by which people choose a name and a password, each once.
CREATE TABLE invitation (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	hash		BLOB NOT NULL UNIQUE,
	role		TEXT NOT NULL
	    CHECK (role IN ('admin', 'operator', 'user')),
	person_id	INTEGER,		-- whom it is for; NULL: a new one
	invited_by	TEXT NOT NULL,
	created_ms	INTEGER NOT NULL,
	expires_ms	INTEGER NOT NULL
);

-- Whose a token is (NULL: the installation's), and what it may do.
ALTER TABLE admin_token ADD COLUMN person_id INTEGER;
ALTER TABLE admin_token ADD COLUMN scope TEXT NOT NULL DEFAULT 'all'
    CHECK (scope IN ('read', 'all'));

-- Who changed what, when and from where.  Never changed, only added to.
CREATE TABLE audit (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	at_ms		INTEGER NOT NULL,
	actor_kind	TEXT NOT NULL		-- shell: the command
	    CHECK (actor_kind IN ('person', 'token', 'shell', 'machine',
		'nobody')),
	actor		TEXT NOT NULL,
	address		TEXT NOT NULL,
	verb		TEXT NOT NULL,		-- account.set, ...
	object		TEXT NOT NULL,		-- its name
	before_json	TEXT,			-- without secrets
	after_json	TEXT
);
CREATE INDEX audit_by_object ON audit (object, id);
