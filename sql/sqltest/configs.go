package sqltest

import (
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// configRules: every edition that was ever in force can be told.
var configRules = map[string]func(*bench){
	"EditionsAreKeptInTheirOrder": func(s *bench) {
		first := galena.ConfigRef{Kind: "ICP", Name: "quarry", Version: 7, Hash: "f00d"}
		other := galena.ConfigRef{Kind: "ICP", Name: "quarry", Version: 7, Hash: "beef"}
		for _, ref := range []galena.ConfigRef{first, other, first} {
			s.ok(s.SaveConfig(s.ctx, ref, []byte("kind: ICP")))
			s.clock.pass(time.Second)
		}
		got, err := s.Configs(s.ctx)
		s.ok(err)
		if !slices.Equal(got, []galena.ConfigRef{first, other}) {
			s.Errorf("editions %+v, want each once and the newest last", got)
		}
	},
}
