-- Also the key bases that sign, so that a node with another one is refused.

ALTER TABLE retired_key_bases RENAME TO key_bases;
ALTER INDEX retired_key_bases_pkey RENAME TO key_bases_pkey;
ALTER TABLE key_bases ALTER COLUMN retired_at DROP NOT NULL;
