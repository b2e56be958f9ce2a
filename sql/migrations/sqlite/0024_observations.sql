-- +goose Up

-- SQLite keeps its indexes: it has none for pages, and would not see that 'form' is not among the classes that are left out.
