-- Budgets of any kind and window; what a request holds of them stands on its
-- ledger row, from admission to the last correction.

-- Limits on a key, person or group.  A key counts against the budgets of the
-- group that it is bound to.
CREATE TABLE budget_new (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	name		TEXT NOT NULL UNIQUE CHECK (name <> ''),
	scope		TEXT NOT NULL
	    CHECK (scope IN ('key', 'person', 'group')),
	scope_id	INTEGER NOT NULL,
	kind		TEXT NOT NULL		-- what is counted
	    CHECK (kind IN ('money', 'tokens', 'input_tokens',
		'output_tokens', 'requests')),
	period		TEXT NOT NULL DEFAULT 'total'
	    CHECK (period IN ('total', 'day', 'week', 'month', 'fixed',
		'rolling')),
	length_ms	INTEGER NOT NULL DEFAULT 0	-- of fixed and rolling
	    CHECK (typeof(length_ms) = 'integer'),
	anchor_ms	INTEGER NOT NULL DEFAULT 0	-- a fixed window began
	    CHECK (typeof(anchor_ms) = 'integer'),	-- then
	zone		TEXT NOT NULL DEFAULT 'UTC'	-- of day, week, month
	    CHECK (zone <> ''),
	models		TEXT NOT NULL DEFAULT '',	-- wildcards, by comma;
						-- '' any
	policy		TEXT NOT NULL DEFAULT 'elastic'
	    CHECK (policy IN ('elastic', 'strict')),
	limit_value	INTEGER NOT NULL	-- nusd, tokens or requests
	    CHECK (typeof(limit_value) = 'integer' AND
		limit_value BETWEEN 0 AND 9000000000000000000),
	enabled		INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	created_ms	INTEGER NOT NULL,
	CHECK (CASE WHEN period IN ('fixed', 'rolling')
	    THEN length_ms BETWEEN 60000 AND 34560000000
	    ELSE length_ms = 0 END)
);
INSERT INTO budget_new (id, name, scope, scope_id, kind, period, length_ms,
    limit_value, enabled, created_ms)
SELECT id, 'budget-' || id, scope, scope_id, kind, period,
    CASE WHEN period IN ('fixed', 'rolling') THEN 86400000 ELSE 0 END,
    min(limit_value, 9000000000000000000), enabled, created_ms
FROM budget;

-- What a budget has spent and reserved in one window: reserved is the sum of
-- the holds of open ledger rows; spent that of closed ones, and what was kept
-- of rows that are no longer there.
CREATE TABLE budget_window_new (
	budget_id	INTEGER NOT NULL REFERENCES budget_new (id),
	start_ms	INTEGER NOT NULL,	-- 0 for period 'total'; for
						-- 'rolling', of the bucket
	spent		INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0),
	reserved	INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
	kept		INTEGER NOT NULL DEFAULT 0 CHECK (kept >= 0),
	PRIMARY KEY (budget_id, start_ms)
) WITHOUT ROWID;

-- Rows that were settled before now hold nothing: theirs is kept.  Those that
-- were given up as lost can still be corrected.
INSERT INTO budget_window_new (budget_id, start_ms, spent, reserved, kept)
SELECT w.budget_id, w.start_ms, w.spent, w.reserved,
    max(0, w.spent - (SELECT coalesce(sum(r.amount), 0) FROM reservation r
    JOIN ledger l ON l.id = r.ledger_id WHERE r.budget_id = w.budget_id
    AND r.start_ms = w.start_ms AND l.state = 2))
FROM budget_window w;

-- What the request holds of budgets, a JSON array of [budget, start of the
-- window, kind, amount]; kinds are 0 money, 1 tokens, 2 input tokens, 3 output
-- tokens, 4 requests.  Open: what is reserved; closed: what was charged.
ALTER TABLE ledger ADD COLUMN holds TEXT NOT NULL DEFAULT '';

-- 1 charged more than was reserved, 2 usage that cannot be true, 4 bounded by
-- policy, 8 unpriced and allowed, 16 at the default price.
ALTER TABLE ledger ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN overrun_nusd INTEGER NOT NULL DEFAULT 0;

-- The key's person at admission, the account's group at settlement; 0: none.
ALTER TABLE ledger ADD COLUMN person_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN group_id INTEGER NOT NULL DEFAULT 0;

-- The number of the last extension of its holds.
ALTER TABLE ledger ADD COLUMN extensions INTEGER NOT NULL DEFAULT 0;

-- What became of the upstream when the client left: '' it did not leave, cut,
-- drained, drain_expired.
ALTER TABLE ledger ADD COLUMN disconnect TEXT NOT NULL DEFAULT '';

UPDATE ledger SET holds = (SELECT json_group_array(json_array(r.budget_id,
    r.start_ms, CASE b.kind WHEN 'money' THEN 0 WHEN 'tokens' THEN 1 ELSE 4 END,
    r.amount)) FROM reservation r JOIN budget b ON b.id = r.budget_id
    WHERE r.ledger_id = ledger.id)
WHERE id IN (SELECT ledger_id FROM reservation);

DROP TABLE reservation;
DROP TABLE budget_window;
DROP TABLE budget;
ALTER TABLE budget_new RENAME TO budget;
ALTER TABLE budget_window_new RENAME TO budget_window;
CREATE INDEX budget_by_scope ON budget (scope, scope_id);

-- Requests at once; 0: unlimited.
ALTER TABLE person ADD COLUMN concurrency INTEGER NOT NULL DEFAULT 0
    CHECK (concurrency BETWEEN 0 AND 100000);
ALTER TABLE account_group ADD COLUMN concurrency INTEGER NOT NULL DEFAULT 0
    CHECK (concurrency BETWEEN 0 AND 100000);
CREATE INDEX api_key_by_person ON api_key (person_id)
    WHERE person_id IS NOT NULL;
CREATE INDEX api_key_by_group ON api_key (bind_id) WHERE bind_kind = 'group';
