"""The tables of the index. Everything in them can be read again from the runs folder and the image roots."""

from __future__ import annotations

SCHEMA_VERSION = 3

# What lies on the disk, as the last look saw it. `files.picture` is the recorded picture whose manifest names the file;
# `files.infotext` waits there until the file is searched for. A run's manifests are known by their files: one may be unreadable.
_ON_DISK = """
CREATE TABLE folders (
    id INTEGER PRIMARY KEY,
    root TEXT NOT NULL,
    path TEXT NOT NULL,
    device INTEGER,
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
    picture INTEGER,
    UNIQUE (folder, name)
);
CREATE INDEX files_bytes ON files (bytes) WHERE picture IS NULL;
CREATE INDEX files_sha256 ON files (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX files_pixel_sha256 ON files (pixel_sha256) WHERE pixel_sha256 IS NOT NULL;
CREATE INDEX files_picture ON files (picture) WHERE picture IS NOT NULL;
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    folder_mtime_ns INTEGER NOT NULL,
    file_mtime_ns INTEGER,
    file_bytes INTEGER,
    manifests_mtime_ns INTEGER NOT NULL,
    problem TEXT,
    status TEXT,
    label TEXT,
    source TEXT,
    started_at TEXT,
    facts TEXT
) WITHOUT ROWID;
CREATE TABLE manifest_files (
    run_id TEXT NOT NULL,
    file TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    problem TEXT,
    picture INTEGER,
    PRIMARY KEY (run_id, file)
) WITHOUT ROWID;
"""

# What is shown, searched and traced: one row for every manifest (`file` is null), and one for every image file that no
# manifest names (`run_id` and `name` are null). `time` is in seconds since 1970, `colour_sum` the sum of the tile colours.
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
    model TEXT,
    sampler TEXT,
    actual_seed INTEGER,
    steps INTEGER,
    cfg_scale REAL,
    loras TEXT,
    width INTEGER,
    height INTEGER,
    bytes INTEGER,
    sha256 TEXT,
    pixel_sha256 TEXT,
    infotext_digest BLOB,
    lost_at TEXT,
    file INTEGER,
    brightness_steps BLOB,
    tile_colours BLOB,
    colour_sum INTEGER
);
CREATE UNIQUE INDEX pictures_name ON pictures (run_id, name) WHERE run_id IS NOT NULL;
CREATE INDEX pictures_time ON pictures (time, id);
CREATE INDEX pictures_path ON pictures (path, root);
CREATE INDEX pictures_seed ON pictures (actual_seed);
CREATE INDEX pictures_sha256 ON pictures (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX pictures_pixel_sha256 ON pictures (pixel_sha256) WHERE pixel_sha256 IS NOT NULL;
CREATE INDEX pictures_file ON pictures (file) WHERE file IS NOT NULL;
CREATE INDEX pictures_size ON pictures (width, height);
CREATE INDEX pictures_colour ON pictures (colour_sum) WHERE colour_sum IS NOT NULL;
CREATE TABLE prompts (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    prompt TEXT NOT NULL,
    negative_prompt TEXT NOT NULL
);
CREATE TABLE copies (
    path TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    name TEXT NOT NULL,
    evidence TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX copies_of ON copies (run_id, name);
"""

SCHEMA = _ON_DISK + _PICTURES
