-- Also the key bases that sign, so that a node with another one is noticed.

CREATE TABLE key_bases (
    name       TEXT    PRIMARY KEY,
    retired_at INTEGER
) STRICT, WITHOUT ROWID;

INSERT INTO key_bases (name, retired_at) SELECT name, retired_at FROM retired_key_bases;
DROP TABLE retired_key_bases;
