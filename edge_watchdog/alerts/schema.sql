-- What people are still to be told, by channel and incident: states, not messages.

CREATE TABLE slot (
    channel     TEXT    NOT NULL,
    incident    INTEGER NOT NULL,
    told        TEXT    NOT NULL,   -- what the channel knows: no, maybe, yes, over
    seq         INTEGER NOT NULL,   -- its place in the line
    version     INTEGER NOT NULL,   -- how often it changed
    attempts    INTEGER NOT NULL,
    queued_wall REAL    NOT NULL,   -- seconds since 1970, UTC; of the last change
    first       TEXT,               -- the first alert that the channel was not told
    alert       TEXT,               -- the newest one; NULL when there is nothing to send
    last        TEXT    NOT NULL,   -- the newest one put in, sent or not
    PRIMARY KEY (channel, incident)
) WITHOUT ROWID;

PRAGMA user_version = 1;
