-- Access tokens name their session by its id and a random value. Sessions of before have none, nor have their tokens.
ALTER TABLE sessions ADD COLUMN nonce TEXT NOT NULL DEFAULT '';
