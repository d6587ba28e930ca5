-- Budgets of any kind and window; what a request holds of them stands on its
-- ledger row, from admission to the last correction.
--
-- Each step can be run again when one broke off.  MySQL knows no ADD COLUMN IF
-- NOT EXISTS: what is to be done is looked up and prepared.

SET SESSION group_concat_max_len = 65536;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'ledger'
    AND column_name = 'holds') > 0, 'DO 0',
    'ALTER TABLE ledger
	ADD COLUMN holds VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_bin
	    NOT NULL DEFAULT '''' COMMENT ''what the request holds of budgets, a JSON array of [budget, start of the window, kind, amount]; kinds are 0 money, 1 tokens, 2 input tokens, 3 output tokens, 4 requests. Open: what is reserved; closed: what was charged'',
	ADD COLUMN flags INT NOT NULL DEFAULT 0
	    COMMENT ''1 charged more than was reserved, 2 usage that cannot be true, 4 bounded by policy, 8 unpriced and allowed, 16 at the default price'',
	ADD COLUMN overrun_nusd BIGINT NOT NULL DEFAULT 0,
	ADD COLUMN person_id BIGINT NOT NULL DEFAULT 0
	    COMMENT ''of the key at admission; 0: none'',
	ADD COLUMN group_id BIGINT NOT NULL DEFAULT 0
	    COMMENT ''of the account at settlement; 0: none'',
	ADD COLUMN extensions INT NOT NULL DEFAULT 0
	    COMMENT ''number of the last extension of its holds'',
	ADD COLUMN disconnect VARCHAR(16) CHARACTER SET ascii
	    COLLATE ascii_bin NOT NULL DEFAULT ''''
	    COMMENT ''what became of the upstream when the client left: empty, cut, drained, drain_expired''');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'budget_window'
    AND column_name = 'kept') > 0, 'DO 0',
    'ALTER TABLE budget_window ADD COLUMN kept BIGINT NOT NULL DEFAULT 0
	COMMENT ''of spent, what rows had that are no longer there''
	CHECK (kept >= 0)');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

-- Rows that were settled before now hold nothing: theirs is kept.  Those that
-- were given up as lost can still be corrected.  The table of reservations goes
-- last: as long as it is there this is to be done.
SET @todo = (SELECT count(*) FROM information_schema.tables
    WHERE table_schema = database() AND table_name = 'reservation');
SET @step = IF(@todo = 0, 'DO 0',
    'UPDATE ledger SET holds = (SELECT concat(''['', group_concat(concat(''['',
    r.budget_id, '','', r.start_ms, '','', CASE b.kind WHEN ''money'' THEN 0
    WHEN ''tokens'' THEN 1 ELSE 4 END, '','', r.amount, '']'')
    ORDER BY r.budget_id SEPARATOR '',''), '']'')
    FROM reservation r JOIN budget b ON b.id = r.budget_id
    WHERE r.ledger_id = ledger.id)
    WHERE id IN (SELECT ledger_id FROM reservation)');
PREPARE step FROM @step;
EXECUTE step;
SET @step = IF(@todo = 0, 'DO 0',
    'UPDATE budget_window w SET kept = greatest(0, spent -
    (SELECT coalesce(sum(r.amount), 0) FROM reservation r
    JOIN ledger l ON l.id = r.ledger_id WHERE r.budget_id = w.budget_id
    AND r.start_ms = w.start_ms AND l.state = 2))');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;
COMMIT;

-- The new budget takes the place of the old one; the copy can be made from
-- either.
SET @step = IF((SELECT count(*) FROM information_schema.table_constraints
    WHERE table_schema = database() AND table_name = 'budget_window'
    AND constraint_name = 'budget_window_of_budget') = 0, 'DO 0',
    'ALTER TABLE budget_window DROP FOREIGN KEY budget_window_of_budget');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

DROP TABLE IF EXISTS budget_new;
CREATE TABLE budget_new (
	id		BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
	name		VARCHAR(160) NOT NULL CHECK (name <> ''),
	scope		VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL
	    CHECK (scope IN ('key', 'person', 'group')),
	scope_id	BIGINT NOT NULL,
	kind		VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL COMMENT 'what is counted'
	    CHECK (kind IN ('money', 'tokens', 'input_tokens',
		'output_tokens', 'requests')),
	period		VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL DEFAULT 'total'
	    CHECK (period IN ('total', 'day', 'week', 'month', 'fixed',
		'rolling')),
	length_ms	BIGINT NOT NULL DEFAULT 0
	    COMMENT 'of fixed and rolling',
	anchor_ms	BIGINT NOT NULL DEFAULT 0
	    COMMENT 'a fixed window began then',
	zone		VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL DEFAULT 'UTC'
	    COMMENT 'of day, week, month' CHECK (zone <> ''),
	models		VARCHAR(8192) NOT NULL DEFAULT ''
	    COMMENT 'wildcards, by comma; empty: any',
	policy		VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
			NOT NULL DEFAULT 'elastic'
	    CHECK (policy IN ('elastic', 'strict')),
	limit_value	BIGINT NOT NULL COMMENT 'nusd, tokens or requests'
	    CHECK (limit_value BETWEEN 0 AND 9000000000000000000),
	enabled		TINYINT NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	created_ms	BIGINT NOT NULL,
	UNIQUE KEY budget_name (name),
	KEY budget_by_scope (scope, scope_id),
	CHECK (CASE WHEN period IN ('fixed', 'rolling')
	    THEN length_ms BETWEEN 60000 AND 34560000000
	    ELSE length_ms = 0 END)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  COMMENT 'Limits on a key, person or group; a key counts against those of the group that it is bound to';
INSERT INTO budget_new (id, name, scope, scope_id, kind, period, length_ms,
    limit_value, enabled, created_ms)
SELECT id, concat('budget-', id), scope, scope_id, kind, period,
    CASE WHEN period IN ('fixed', 'rolling') THEN 86400000 ELSE 0 END,
    least(limit_value, 9000000000000000000), enabled, created_ms
FROM budget;
COMMIT;
DROP TABLE IF EXISTS budget_old;
RENAME TABLE budget TO budget_old, budget_new TO budget;
DROP TABLE budget_old;
ALTER TABLE budget_window ADD CONSTRAINT budget_window_of_budget
    FOREIGN KEY (budget_id) REFERENCES budget (id);

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'person'
    AND column_name = 'concurrency') > 0, 'DO 0',
    'ALTER TABLE person ADD COLUMN concurrency INT NOT NULL DEFAULT 0
	COMMENT ''requests at once; 0: unlimited''
	CHECK (concurrency BETWEEN 0 AND 100000)');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @step = IF((SELECT count(*) FROM information_schema.columns
    WHERE table_schema = database() AND table_name = 'account_group'
    AND column_name = 'concurrency') > 0, 'DO 0',
    'ALTER TABLE account_group ADD COLUMN concurrency INT NOT NULL DEFAULT 0
	COMMENT ''requests at once of the keys that are bound to it; 0: unlimited''
	CHECK (concurrency BETWEEN 0 AND 100000)');
PREPARE step FROM @step;
EXECUTE step;
DEALLOCATE PREPARE step;

DROP TABLE IF EXISTS reservation;
