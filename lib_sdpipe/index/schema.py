"""The tables of the index. Everything in them can be read again from the runs folder and the image roots."""

from __future__ import annotations

SCHEMA_VERSION = 8

# What lies on the disk, as the last look saw it. A run's manifests are known by their files: one may be unreadable.
# `claims` is what manifests say about files: which is the image, its kept copy, what lies beside it (for an unreadable
# manifest what its run file says, without a picture); `files.picture` and `files.claim` are the same from the file's side.
# `files.infotext` waits there until the file is searched for; `files.run_id` is the Run ID in it. `problem` is what the head of
# a file says. `is_changed`: its size or time is another than at the first look. Digests are there once its bytes were read,
# `read_problem` where they are no picture, `read_at` (seconds since 1970) where a deep check read them; all of it is forgotten
# with the next change. A deep check goes over everything once: that is a pass, and it may take several sittings.
_ON_DISK = """
CREATE TABLE folders (
    id INTEGER PRIMARY KEY,
    root TEXT NOT NULL,
    path TEXT NOT NULL,
    device INTEGER,
    problem TEXT,
    UNIQUE (root, path)
);
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL,
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    device INTEGER NOT NULL,
    format TEXT,
    width INTEGER,
    height INTEGER,
    problem TEXT,
    infotext_digest BLOB,
    infotext TEXT,
    sha256 TEXT,
    pixel_sha256 TEXT,
    perceptual_hash TEXT,
    run_id TEXT,
    is_changed INTEGER NOT NULL DEFAULT 0,
    read_problem TEXT,
    read_at REAL,
    picture INTEGER,
    claim TEXT,
    UNIQUE (folder, name)
);
CREATE INDEX files_bytes ON files (bytes) WHERE claim IS NULL;
CREATE INDEX files_name ON files (name) WHERE claim IS NULL;
CREATE INDEX files_run ON files (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX files_sha256 ON files (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX files_pixel_sha256 ON files (pixel_sha256) WHERE pixel_sha256 IS NOT NULL;
CREATE INDEX files_picture ON files (picture) WHERE picture IS NOT NULL;
CREATE INDEX files_read_at ON files (read_at) WHERE read_at IS NOT NULL;
CREATE TABLE deep_passes (
    started_at REAL PRIMARY KEY,
    finished_at REAL
);
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    file_bytes INTEGER,
    file_mtime_ns INTEGER,
    problem TEXT,
    status TEXT,
    label TEXT,
    source TEXT,
    started_at TEXT,
    user TEXT,
    finished_at TEXT,
    planned INTEGER,
    returned INTEGER,
    saved INTEGER,
    facts TEXT
) WITHOUT ROWID;
CREATE INDEX runs_walk ON runs (run_id, status);
CREATE INDEX runs_lost ON runs (run_id) WHERE json_extract(facts, '$.lost_at') IS NOT NULL;
CREATE TABLE manifest_files (
    run_id TEXT NOT NULL,
    file TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    problem TEXT,
    own_run_id TEXT,
    picture INTEGER,
    PRIMARY KEY (run_id, file)
) WITHOUT ROWID;
CREATE TABLE claims (
    root TEXT NOT NULL,
    folder TEXT NOT NULL,
    name TEXT NOT NULL,
    run_id TEXT NOT NULL,
    file TEXT NOT NULL,
    picture INTEGER,
    claim TEXT NOT NULL,
    PRIMARY KEY (root, folder, name, run_id, file)
) WITHOUT ROWID;
CREATE INDEX claims_of ON claims (run_id);
"""

# What is shown, searched and traced: one row for every manifest (`file` is null), and one for every image file that no
# manifest names (`run_id` and `name` are null). `parent_run_id` and `parent_name` are the recorded
# image that it was made from. `time` is in seconds since 1970, `colour_sum` the sum of the tile colours;
# `duration_ms` is what its stage took, `earlier_ms` what the stages before it took that have no row of their own.
# Texts that many pictures share stand once: `prompts`, and `names` (kinds model, sampler, loras: a line for each LoRA).
# `folded` is the text as it is searched, null where that is the same; a prompt is `is_waiting` until its grams are indexed.
_PICTURES = """
CREATE TABLE pictures (
    id INTEGER PRIMARY KEY,
    run_id TEXT,
    name TEXT,
    root TEXT,
    path TEXT,
    kept TEXT,
    stage TEXT,
    role TEXT,
    time REAL NOT NULL,
    prompt INTEGER,
    negative_prompt INTEGER,
    model INTEGER,
    sampler INTEGER,
    loras INTEGER,
    actual_seed INTEGER,
    steps INTEGER,
    cfg_scale REAL,
    width INTEGER,
    height INTEGER,
    bytes INTEGER,
    sha256 TEXT,
    pixel_sha256 TEXT,
    infotext_digest BLOB,
    lost_at TEXT,
    duration_ms INTEGER,
    earlier_ms INTEGER,
    file INTEGER,
    parent_run_id TEXT,
    parent_name TEXT,
    brightness_steps BLOB,
    tile_colours BLOB,
    colour_sum INTEGER
);
CREATE UNIQUE INDEX pictures_name ON pictures (run_id, name) WHERE run_id IS NOT NULL;
CREATE INDEX pictures_seed ON pictures (actual_seed) WHERE actual_seed IS NOT NULL;
CREATE INDEX pictures_size ON pictures (width, height) WHERE width IS NOT NULL;
CREATE INDEX pictures_path ON pictures (path, root);
CREATE INDEX pictures_sha256 ON pictures (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX pictures_pixel_sha256 ON pictures (pixel_sha256) WHERE pixel_sha256 IS NOT NULL;
CREATE INDEX pictures_infotext ON pictures (infotext_digest) WHERE infotext_digest IS NOT NULL;
CREATE INDEX pictures_parent ON pictures (parent_run_id, run_id, name) WHERE parent_run_id IS NOT NULL;
CREATE INDEX pictures_lost ON pictures (run_id) WHERE lost_at IS NOT NULL;
CREATE INDEX pictures_file ON pictures (file) WHERE file IS NOT NULL;
CREATE INDEX pictures_looks ON pictures (colour_sum, width, height, brightness_steps, tile_colours)
    WHERE colour_sum IS NOT NULL AND run_id IS NOT NULL;
CREATE TABLE prompts (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    text TEXT NOT NULL,
    folded TEXT,
    is_negative INTEGER NOT NULL,
    is_waiting INTEGER NOT NULL
);
CREATE INDEX prompts_waiting ON prompts (id) WHERE is_waiting = 1;
CREATE INDEX prompts_negative ON prompts (id) WHERE is_negative = 1;
CREATE TABLE names (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    folded TEXT NOT NULL,
    UNIQUE (kind, text)
);
CREATE TABLE copies (
    path TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    name TEXT NOT NULL,
    evidence TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX copies_of ON copies (run_id, name);
"""

# What the user thinks of recorded images, as `marks.json` of their runs says it. `folded` is a tag as it is searched, `note` likewise.
_MARKS = """
CREATE TABLE marks_files (
    run_id TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE marks (
    run_id TEXT NOT NULL,
    name TEXT NOT NULL,
    rating INTEGER,
    is_favourite INTEGER NOT NULL,
    note TEXT,
    PRIMARY KEY (run_id, name)
) WITHOUT ROWID;
CREATE INDEX marks_rating ON marks (rating) WHERE rating IS NOT NULL;
CREATE INDEX marks_favourite ON marks (is_favourite) WHERE is_favourite = 1;
CREATE TABLE tags (
    run_id TEXT NOT NULL,
    name TEXT NOT NULL,
    tag TEXT NOT NULL,
    folded TEXT NOT NULL,
    PRIMARY KEY (run_id, name, tag)
) WITHOUT ROWID;
CREATE INDEX tags_tag ON tags (tag, folded);
"""

# What is owed to the search (`Search.complete` pays it): files whose picture row is to be made, and prompts that lost a
# picture and may be nobody's now. Triggers note it, so that who writes `files` and `pictures` need not think of it. NOT EXISTS and no
# OR IGNORE: where the statement that fires a trigger has an ON CONFLICT of its own, SQLite takes that for the trigger's, too.
_OWED = """
CREATE TABLE waiting_files (file INTEGER PRIMARY KEY);
CREATE TABLE loose_prompts (prompt INTEGER PRIMARY KEY);
CREATE TRIGGER file_came AFTER INSERT ON files WHEN NEW.claim IS NULL BEGIN
    INSERT OR IGNORE INTO waiting_files VALUES (NEW.id);
END;
CREATE TRIGGER file_changed AFTER UPDATE OF claim, mtime_ns, infotext_digest ON files
    WHEN OLD.claim IS NOT NEW.claim OR OLD.mtime_ns <> NEW.mtime_ns OR OLD.infotext_digest IS NOT NEW.infotext_digest BEGIN
    DELETE FROM pictures WHERE file = NEW.id;
    DELETE FROM waiting_files WHERE file = NEW.id;
    INSERT INTO waiting_files SELECT NEW.id WHERE NEW.claim IS NULL;
END;
CREATE TRIGGER file_went AFTER DELETE ON files BEGIN
    DELETE FROM pictures WHERE file = OLD.id;
    DELETE FROM waiting_files WHERE file = OLD.id;
END;
CREATE TRIGGER picture_went AFTER DELETE ON pictures BEGIN
    INSERT INTO loose_prompts SELECT OLD.prompt WHERE OLD.prompt IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM loose_prompts WHERE prompt = OLD.prompt);
    INSERT INTO loose_prompts SELECT OLD.negative_prompt WHERE OLD.negative_prompt IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM loose_prompts WHERE prompt = OLD.negative_prompt);
END;
CREATE TRIGGER picture_changed AFTER UPDATE OF prompt, negative_prompt ON pictures
    WHEN OLD.prompt IS NOT NEW.prompt OR OLD.negative_prompt IS NOT NEW.negative_prompt BEGIN
    INSERT INTO loose_prompts SELECT OLD.prompt WHERE OLD.prompt IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM loose_prompts WHERE prompt = OLD.prompt);
    INSERT INTO loose_prompts SELECT OLD.negative_prompt WHERE OLD.negative_prompt IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM loose_prompts WHERE prompt = OLD.negative_prompt);
END;
"""

# Made when somebody searches for the first time (`Search.complete`): a first look at a large library is quicker without.
SEARCH_INDEXES = """
CREATE INDEX IF NOT EXISTS pictures_walk ON pictures (
    time, id, prompt, negative_prompt, model, sampler, loras, stage, actual_seed, steps, cfg_scale, width, height, file, lost_at, role,
    duration_ms, earlier_ms
);
CREATE INDEX IF NOT EXISTS pictures_prompt ON pictures (prompt) WHERE prompt IS NOT NULL;
CREATE INDEX IF NOT EXISTS pictures_negative_prompt ON pictures (negative_prompt) WHERE negative_prompt IS NOT NULL;
CREATE INDEX IF NOT EXISTS pictures_model ON pictures (model) WHERE model IS NOT NULL;
CREATE INDEX IF NOT EXISTS pictures_loras ON pictures (loras) WHERE loras IS NOT NULL;
CREATE INDEX IF NOT EXISTS pictures_sampler ON pictures (sampler) WHERE sampler IS NOT NULL;
CREATE INDEX IF NOT EXISTS pictures_steps ON pictures (steps) WHERE steps IS NOT NULL;
CREATE INDEX IF NOT EXISTS pictures_cfg_scale ON pictures (cfg_scale) WHERE cfg_scale IS NOT NULL;
CREATE INDEX IF NOT EXISTS pictures_stage ON pictures (stage) WHERE stage IS NOT NULL;
CREATE INDEX IF NOT EXISTS runs_status ON runs (status);
"""

SCHEMA = _ON_DISK + _PICTURES + _MARKS + _OWED
