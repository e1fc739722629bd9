-- Mails that a sign-up causes are sent after the others.

ALTER TABLE outbox ADD COLUMN priority INTEGER NOT NULL DEFAULT 0 CHECK (priority IN (0, 1));
UPDATE outbox SET priority = 1 WHERE kind IN ('confirmation', 'already_registered');

DROP INDEX outbox_waiting;
CREATE INDEX outbox_waiting ON outbox (priority, next_attempt_at) WHERE sent_at IS NULL AND dead_at IS NULL;
