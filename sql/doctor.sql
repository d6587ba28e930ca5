-- What `leasehold doctor' looks at.

-- name: doctor_times
-- The newest times that the database knows: of a request, and of a beat.
SELECT coalesce((SELECT created_ms FROM ledger ORDER BY id DESC LIMIT 1), 0),
	coalesce((SELECT max(beat_ms) FROM responder), 0);

-- name: doctor_zones
-- The time zones that budgets go by, and a budget for each.
SELECT zone, min(name) FROM budget
WHERE enabled = 1 AND period IN ('day', 'week', 'month')
GROUP BY zone ORDER BY zone;
