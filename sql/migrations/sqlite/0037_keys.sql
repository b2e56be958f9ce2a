-- +goose Up

-- SQLite compares texts byte by byte.
SELECT 1;
