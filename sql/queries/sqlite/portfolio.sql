-- name: sheets-named
-- As the general text, with SQLite's function for a JSON list.
SELECT hash, body FROM sheets WHERE hash IN (SELECT value FROM json_each(:hashes));
