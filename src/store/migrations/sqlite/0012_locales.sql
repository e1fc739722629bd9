-- The language of a user's mails. A mail remembers the language of the request or of the user.

ALTER TABLE users ADD COLUMN locale TEXT;
ALTER TABLE outbox ADD COLUMN locale TEXT;
