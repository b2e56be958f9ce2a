package main

import (
	"strings"
	"testing"

	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/redis"
)

func TestTheDoctorKnowsWhatTheQueueNeedsOfRedis(t *testing.T) {
	t.Parallel()
	good := redis.About{Version: "7.0.15", AppendOnly: true, Eviction: "noeviction", Role: "master"}
	for _, tc := range []struct {
		name    string
		change  func(*redis.About)
		verdict string
		says    string
	}{
		{"a good one", func(*redis.About) {}, fine, "keeps its tasks"},
		{"too old", func(a *redis.About) { a.Version = "6.0.16" }, wrong, "older than 6.2"},
		{"no version", func(a *redis.About) { a.Version = "" }, wrong, "older than 6.2"},
		{"forgetful", func(a *redis.About) { a.AppendOnly = false }, warning, "forgets everything"},
		{"evicting", func(a *redis.About) { a.Eviction = "allkeys-lru" }, wrong, "evicts keys"},
		{"nearly full", func(a *redis.About) { a.UsedBytes, a.MaxBytes = 80, 100 }, warning, "80 % of its memory"},
		{"a replica", func(a *redis.About) { a.Role = "slave" }, wrong, "takes no writes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			about := good
			tc.change(&about)
			for _, f := range redisFindings(about) {
				if f.Verdict == tc.verdict && strings.Contains(f.Says, tc.says) {
					return
				}
			}
			t.Errorf("findings %+v, want one of %q that says %q", redisFindings(about), tc.verdict, tc.says)
		})
	}
}

func TestTheDoctorWarnsOfARedisThatOthersCanRead(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]int{
		"redis://127.0.0.1:6379": 0, "rediss://:hush@redis.internal:6380": 0, "redis://redis.internal:6379": 1,
	} {
		if got := redisSafety(address); len(got) != want {
			t.Errorf("%s: %+v, want %d findings", address, got, want)
		}
	}
}

func TestTheDoctorTriesTheKeysOfVendorsThatTell(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		status  int
		body    string
		verdict string
		says    string
	}{
		{"taken", 200, `{"data":{"reset_date":"2026-12-01","requests":{"credits":{"remaining":180}}}}`, fine, "hunter takes the key, 180 credits left, new ones on 2026-12-01"},
		{"silent", 200, `{"data":{}}`, fine, "hunter takes the key"},
		{"empty", 200, `{"data":{"requests":{"credits":{"remaining":0}}}}`, warning, "hunter takes the key, 0 credits left"},
		{"refused", 401, `{}`, wrong, "hunter refuses the key"},
		{"away", 503, `{}`, warning, "hunter.account: unavailable: status 503"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			env := hunterSays(t, tc.status, tc.body)
			got := vendorFindings(t.Context(), env, providers.Config{})
			if len(got) != 1 || got[0].Verdict != tc.verdict || got[0].Says != tc.says {
				t.Errorf("findings %+v, want %s: %s", got, tc.verdict, tc.says)
			}
		})
	}
}
