-- +goose Up

-- Of what the facts say, without their age: a lead that learns nothing new need not write them again.
ALTER TABLE companies ADD COLUMN digest TEXT NOT NULL DEFAULT '';
