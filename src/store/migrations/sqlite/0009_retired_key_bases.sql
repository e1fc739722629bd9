-- Since when each previous key base signs nothing, so that it verifies no longer than what it signed is valid.

CREATE TABLE retired_key_bases (
    name       TEXT    PRIMARY KEY,
    retired_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
