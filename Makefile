# galena builds without cgo, and so does everything here.
export CGO_ENABLED = 0
SHELL = bash
.SHELLFLAGS = -eu -o pipefail -c
.DEFAULT_GOAL = help

LINT_VERSION = v2.15.0
LINT = .bin/golangci-lint-$(LINT_VERSION)

.PHONY: help check lint test bench drill rig growth generate screenshots build

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

check: ## what to run before a commit: gofmt, vet, lint and the quick tests, without stores
	@unformatted=$$(gofmt -s -l .); [ -z "$$unformatted" ] || { echo "gofmt -s is needed:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	$(MAKE) --no-print-directory lint
	go test -short ./...

lint: $(LINT) ## golangci-lint alone; the first run installs it into .bin/ (about two minutes)
	$(LINT) run

test: ## everything, on a real Postgres, Redis and Chromium that it starts itself; a skipped test fails it
	@.ci/with-stores go test -count=1 -timeout 9m -v ./... 2>&1 | awk -f .ci/quiet.awk

bench: ## the benchmarks, six times each, for benchstat
	.ci/with-stores go test -run '^$$' -bench . -benchmem -count 6 ./...

drill: ## every fault caused for real, a line each; FAULT=F52,F10 for some, SEED=7 to repeat it, SCALE=1 for the full durations
	@DRILL_FAULT=$(FAULT) DRILL_SEED=$(SEED) DRILL_SCALE=$(SCALE) DRILL_RATE=$(RATE) \
		.ci/with-stores go test -C drill -count=1 -timeout 24h -tags drill -run '^TestDrill$$'

rig: ## galena beside other workers under load: make rig KIT=<folder of the load rig> (docs/performance.md)
	.ci/rig "$(KIT)"

growth: ## what a lead costs with 10 thousand to 1 million leads in the store, with 1 to 4 workers: make growth KIT=<folder>
	.ci/growth "$(KIT)"

generate: ## write the generated files anew: api/openapi.yaml and what go:generate names
	go generate ./...

screenshots: ## pictures of the pages into docs/screenshots: the tests under the build tag screenshots
	.ci/with-stores go test -count=1 -tags screenshots -run Screenshot ./...

build: ## bin/galena, one static binary
	go build -trimpath -o bin/galena ./cmd/galena

$(LINT):
	GOBIN=$(CURDIR)/.bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv .bin/golangci-lint $@
