package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	goredis "github.com/redis/go-redis/v9"
)

// numbers keeps the databases of one test run apart.
var numbers atomic.Int64

// createDatabase makes an empty database on the test server and drops it afterwards.
func createDatabase(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("TEST_POSTGRES_URL is not a URL")
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("galena_e2e_%d", numbers.Add(1))
	for _, stmt := range []string{"DROP DATABASE IF EXISTS " + name + " WITH (FORCE)", "CREATE DATABASE " + name} {
		if _, err := db.ExecContext(context.Background(), stmt); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		_, _ = db.ExecContext(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		_ = db.Close()
	})
	u.Path = "/" + name
	return u.String()
}

// claimRedis takes an empty database number on the test server.
func claimRedis(t *testing.T, server string) string {
	t.Helper()
	u := fmt.Sprintf("%s/%d", strings.TrimSuffix(server, "/0"), numbers.Add(1)%15+1)
	c := redisClient(t, u)
	if err := c.FlushDB(context.Background()).Err(); err != nil {
		t.Fatal(err)
	}
	return u
}

func redisClient(t *testing.T, u string) *goredis.Client {
	t.Helper()
	o, err := goredis.ParseURL(u)
	if err != nil {
		t.Fatal("TEST_REDIS_URL is not a redis:// URL")
	}
	c := goredis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}
