-- +goose Up

-- SQLite compresses nothing and updates rows where they are.
SELECT 1;
