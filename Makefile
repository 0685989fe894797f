# Checks of Profound. Everything needs only Go, git and make; see CONTRIBUTING.md.

.PHONY: test quick bench accuracy soak clean

# Every check, as in continuous integration: about a quarter of an hour on two cores.
test:
	go run ./internal/tools/check

# What to run while working: builds for this machine and runs the tests.
quick:
	go build ./...
	go test ./...

# Measures against go tool pprof, and profound why against others that read a
# process. BENCH takes the flags of internal/bench/compare, WHY those of
# internal/bench/heap:
#	make bench BENCH=-quick WHY=-quick
#	make bench BENCH='-o docs/benchmarks.md' WHY='-o docs/benchmarks.md -accuracy docs/accuracy-of-why.md'
BENCH =
WHY =
bench:
	go run ./internal/bench/compare $(BENCH)
	go run ./internal/bench/heap $(WHY)

# Measures how often the verdict on growth is right: half an hour. ACCURACY takes
# the flags of internal/bench/accuracy:
#	make accuracy ACCURACY='-o docs/accuracy.md'
ACCURACY =
accuracy:
	go run ./internal/bench/accuracy $(ACCURACY)

# Hours: each fuzz target for five minutes, a thousand snapshots of a busy
# service, then all benchmarks and the accuracy of verdicts.
soak:
	go run ./internal/tools/check -fuzztime 5m
	go test -count=1 -v -timeout 1h -run '^TestManySnapshots' ./internal/proc -args -cycles 1000 -service 512
	go run ./internal/bench/compare $(BENCH)
	go run ./internal/bench/heap $(WHY)
	go run ./internal/bench/accuracy $(ACCURACY)

# Removes what the targets above leave behind, but not Go's caches.
clean:
	rm -rf bin bench-out profound
	find . -name '*.got' -not -path './.git/*' -exec rm -f {} +
	go clean -testcache
