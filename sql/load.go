package sql

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strconv"
	"strings"
)

//go:embed queries
var queries embed.FS

const (
	dialectPostgres = "postgres"
	dialectSQLite   = "sqlite"
)

// load reads queries/*.sql for every dialect and lets the blocks of
// queries/<dialect>/ replace those of the same name, by several statements if need
// be: SQLite cannot write in a WITH.
func load(files fs.FS) (map[string]map[string]string, error) {
	general, err := loadDir(files, "queries")
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]string{}
	for name := range general {
		if strings.Contains(name, "/") {
			return nil, fmt.Errorf("queries: %q is several statements, which only SQLite may say", name)
		}
	}
	for _, dialect := range []string{dialectPostgres, dialectSQLite} {
		own, err := loadDir(files, path.Join("queries", dialect))
		if err != nil {
			return nil, err
		}
		for name := range own {
			whole, _, _ := strings.Cut(name, "/")
			if _, ok := general[whole]; !ok {
				return nil, fmt.Errorf("queries/%s replaces %q, which is nowhere else", dialect, name)
			}
		}
		out[dialect] = maps.Clone(general)
		maps.Copy(out[dialect], own)
	}
	return out, nil
}

// loadDir reads the blocks of one folder. A name stands once in all its files.
func loadDir(files fs.FS, dir string) (map[string]string, error) {
	names, err := fs.Glob(files, path.Join(dir, "*.sql"))
	if err != nil {
		return nil, err
	}
	blocks := map[string]string{}
	for _, file := range names {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		if err := split(file, string(text), blocks); err != nil {
			return nil, err
		}
	}
	return blocks, nil
}

// split cuts a file at "-- name: x". The comment that follows is the contract;
// it must be there and is taken off, for sqlx would read a ":" in it as a
// parameter.
func split(file, text string, into map[string]string) error {
	parts := strings.Split("\n"+text, "\n-- name: ")
	if strings.TrimSpace(parts[0]) != "" {
		return fmt.Errorf("%s: text before the first \"-- name:\"", file)
	}
	for _, part := range parts[1:] {
		name, rest, _ := strings.Cut(part, "\n")
		name = strings.TrimSpace(name)
		if _, ok := into[name]; ok {
			return fmt.Errorf("%s: %q stands twice", file, name)
		}
		var body []string
		contract := false
		for line := range strings.Lines(rest) {
			if strings.HasPrefix(strings.TrimSpace(line), "--") {
				contract = true
				continue
			}
			body = append(body, line)
		}
		stmt := strings.TrimSuffix(strings.TrimSpace(strings.Join(body, "")), ";")
		if !contract || stmt == "" {
			return fmt.Errorf("%s: %q needs a contract and a statement", file, name)
		}
		for i, one := range strings.Split(stmt, ";\n") {
			into[nth(name, i+1)] = strings.TrimSpace(one)
		}
	}
	return nil
}

// nth is the name of the n-th statement of a block that has several.
func nth(name string, n int) string {
	if n == 1 {
		return name
	}
	return name + "/" + strconv.Itoa(n)
}
