-- Until when a user who must have a second factor may sign in without one.

ALTER TABLE users ADD COLUMN second_factor_due_at BIGINT;
