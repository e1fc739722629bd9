-- The deletion of an account finds its mails by index, finished ones included. Finished mails stand apart within an
-- address, so that they do not slow down the next request for it.

CREATE INDEX outbox_by_user ON outbox (user_id) WHERE user_id IS NOT NULL;
DROP INDEX outbox_by_address;
CREATE INDEX outbox_by_address ON outbox (email_address, kind, sent_at, dead_at);
