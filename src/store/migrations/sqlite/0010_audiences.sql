-- Whom the access tokens of a family are for, where that is not this server.

ALTER TABLE refresh_tokens ADD COLUMN audience TEXT;
