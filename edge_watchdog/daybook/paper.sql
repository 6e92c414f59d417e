-- The paper journal.  Rows are appended; the triggers refuse to change or delete them, but for
-- emptying a body whose retention is over.  Each row's hash covers the hash of the row before.

CREATE TABLE IF NOT EXISTS journal (
    seq       INTEGER PRIMARY KEY CHECK (seq > 0),
    what      TEXT    NOT NULL CHECK (what IN ('entry', 'move', 'closed', 'forgotten')),
    number    INTEGER NOT NULL,         -- of the entry; 0 where a row is of none
    at_wall   REAL    NOT NULL,         -- seconds since 1970, as the box's clock said
    form      TEXT,                     -- the form's own key: a second tap makes no second entry
    body      BLOB,                     -- sealed JSON; NULL once it is forgotten
    body_hash TEXT    NOT NULL,         -- SHA-256 of the sealed body
    hash      TEXT    NOT NULL          -- SHA-256 of the row before's hash and of this row
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS journal_number ON journal (number) WHERE what = 'entry';
CREATE UNIQUE INDEX IF NOT EXISTS journal_form ON journal (form);

CREATE TRIGGER IF NOT EXISTS journal_is_kept BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER IF NOT EXISTS journal_stays_as_it_is BEFORE UPDATE ON journal
WHEN NEW.body IS NOT NULL OR NEW.seq <> OLD.seq OR NEW.what <> OLD.what
    OR NEW.number <> OLD.number OR NEW.at_wall <> OLD.at_wall OR NEW.form IS NOT OLD.form
    OR NEW.body_hash <> OLD.body_hash OR NEW.hash <> OLD.hash
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- The last row's place and hash, sealed: rows cut off at the end are missed, too.
CREATE TABLE IF NOT EXISTS head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    body BLOB NOT NULL
) STRICT;

-- Times that entries hold, an index of the journal.  Names are those of the team, not of clients.
CREATE TABLE IF NOT EXISTS hold (
    number     INTEGER PRIMARY KEY,
    member     TEXT    NOT NULL,        -- casefolded
    room       TEXT    NOT NULL,        -- casefolded, '' for none
    start_wall REAL    NOT NULL,
    end_wall   REAL    NOT NULL,
    live       INTEGER NOT NULL CHECK (live IN (0, 1)),
    forced     INTEGER NOT NULL CHECK (forced IN (0, 1)),
    CHECK (end_wall > start_wall)
) STRICT;

-- Places that entries have in classes, an index too: it is written anew, as far as a class goes,
-- before each that is given away in it.
CREATE TABLE IF NOT EXISTS place (
    number INTEGER PRIMARY KEY,         -- of the entry
    lesson TEXT    NOT NULL,            -- the class
    spot   TEXT    NOT NULL,            -- folded, '' for none
    most   INTEGER                      -- entries the class can take beside the list; NULL: unknown
) STRICT;

DROP TRIGGER IF EXISTS hold_is_free;
CREATE TRIGGER hold_is_free BEFORE INSERT ON hold
WHEN NEW.forced = 0 AND NOT EXISTS (SELECT 1 FROM place WHERE number = NEW.number) AND EXISTS (
    SELECT 1 FROM hold WHERE live = 1
        AND start_wall < NEW.end_wall AND NEW.start_wall < end_wall
        AND (member = NEW.member OR (room <> '' AND room = NEW.room))
)
BEGIN SELECT RAISE(ABORT, 'taken'); END;

DROP TRIGGER IF EXISTS hold_has_a_place;
CREATE TRIGGER hold_has_a_place BEFORE INSERT ON hold
WHEN NEW.forced = 0 AND EXISTS (
    SELECT 1 FROM place AS ours WHERE ours.number = NEW.number AND ours.most <= (
        SELECT count(*) FROM place JOIN hold USING (number)
            WHERE place.lesson = ours.lesson AND hold.live = 1
    )
)
BEGIN SELECT RAISE(ABORT, 'taken'); END;

DROP TRIGGER IF EXISTS hold_has_a_spot;
CREATE TRIGGER hold_has_a_spot BEFORE INSERT ON hold
WHEN EXISTS (
    SELECT 1 FROM place AS ours JOIN place AS theirs ON theirs.lesson = ours.lesson
        JOIN hold ON hold.number = theirs.number
        WHERE ours.number = NEW.number AND ours.spot <> '' AND theirs.spot = ours.spot
            AND hold.live = 1
)
BEGIN SELECT RAISE(ABORT, 'spot'); END;
