-- Whether the user asked to stay signed in: the browser then keeps the cookie when it is closed.

ALTER TABLE sessions ADD COLUMN remembered INTEGER NOT NULL DEFAULT 0;
