# Checks of Profound. Everything needs only Go, git and make; see CONTRIBUTING.md.

.PHONY: test quick bench soak clean

# Every check, as in continuous integration: about a quarter of an hour on two cores.
test:
	go run ./internal/tools/check

# What to run while working: builds for this machine and runs the tests.
quick:
	go build ./...
	go test ./...

# Measures against go tool pprof. BENCH takes the flags of internal/bench/compare:
#	make bench BENCH=-quick
#	make bench BENCH='-o docs/benchmarks.md'
BENCH =
bench:
	go run ./internal/bench/compare $(BENCH)

# Hours: each fuzz target for five minutes, then all benchmarks.
soak:
	go run ./internal/tools/check -fuzztime 5m
	go run ./internal/bench/compare $(BENCH)

# Removes what the targets above leave behind, but not Go's caches.
clean:
	rm -rf bin bench-out profound
	find . -name '*.got' -not -path './.git/*' -exec rm -f {} +
	go clean -testcache
