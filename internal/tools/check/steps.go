package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// staticcheck is pinned here and not in go.mod: it checks the program and is
// no part of it. The version must know the Go release go.mod asks for.
const staticcheck = "honnef.co/go/tools/cmd/staticcheck@v0.8.2"

// staticcheckRules are its defaults without ST1013: HTTP status codes may be
// written as numbers, as the tests do.
const staticcheckRules = "inherit,-ST1013"

// ownSteps matches the tests that have steps of their own: the comparison with
// go tool pprof, and the commands in the docs.
const ownSteps = "^Test(Parity|Docs)"

// steps lists every check, in the order they run: the cheap ones first.
func steps() []step {
	list := []step{
		{"tools", 5 * time.Minute, needs},
		{"gofmt", time.Minute, gofmt},
		{"go vet", 5 * time.Minute, command("go", "vet", "./...")},
		{"staticcheck", 5 * time.Minute, command("go", "run", staticcheck, "-checks", staticcheckRules, "./...")},
		{"go mod tidy", 5 * time.Minute, command("go", "mod", "tidy", "-diff")},
	}
	for _, target := range [...]string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64"} {
		list = append(list, step{"build " + target, 5 * time.Minute, build(target)})
	}
	return append(list,
		step{"go test", 10 * time.Minute, goTest},
		step{"go test -race", 10 * time.Minute, race},
		step{"page", 4 * time.Minute, page},
		step{"page in a browser", 8 * time.Minute, browser},
		step{"fuzz", 3 * time.Hour, fuzz},
		step{"parity with go tool pprof", 10 * time.Minute, parity},
		step{"commands in the docs", 5 * time.Minute, docs},
	)
}

// output runs a program and returns all it printed. The text is part of the
// error. A program that is stopped gets an interrupt first, so that go test
// can end what it started.
func output(ctx context.Context, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s\n%s %s: %w", strings.TrimRight(b.String(), "\n"), name, strings.Join(args, " "), err)
	}
	return b.String(), err
}

// command is a step that runs one program.
func command(name string, args ...string) func(context.Context, *checker) (string, error) {
	return func(ctx context.Context, _ *checker) (string, error) {
		_, err := output(ctx, nil, name, args...)
		return "", err
	}
}

func build(target string) func(context.Context, *checker) (string, error) {
	goos, goarch, _ := strings.Cut(target, "/")
	return func(ctx context.Context, _ *checker) (string, error) {
		_, err := output(ctx, []string{"CGO_ENABLED=0", "GOOS=" + goos, "GOARCH=" + goarch}, "go", "build", "./...")
		return "", err
	}
}

// gofmt wants every Go file as gofmt writes it.
func gofmt(ctx context.Context, _ *checker) (string, error) {
	goroot, err := output(ctx, nil, "go", "env", "GOROOT")
	if err != nil {
		return "", err
	}
	var files []string
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bin" || d.Name() == "bench-out"):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, ".go"):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	program := filepath.Join(strings.TrimSpace(goroot), "bin", "gofmt")
	bad, err := output(ctx, nil, program, append([]string{"-l"}, files...)...)
	if err == nil && bad != "" {
		err = fmt.Errorf("these files are not formatted; run gofmt -w on them:\n%s", bad)
	}
	return fmt.Sprintf("%d files", len(files)), err
}

func goTest(ctx context.Context, _ *checker) (string, error) {
	text, err := output(ctx, nil, "go", "test", "-timeout", "9m", "-skip", ownSteps, "./...")
	if err != nil {
		err = errors.New(withoutPassed(err.Error()))
	}
	return fmt.Sprintf("%d packages", strings.Count("\n"+text, "\nok ")), err
}

// withoutPassed drops the lines of go test about packages that are fine.
func withoutPassed(text string) string {
	return regexp.MustCompile(`(?m)^(ok  |\?   ).*\n`).ReplaceAllString(text, "")
}

// race runs the tests of the packages that share memory between goroutines:
// those that import sync.
func race(ctx context.Context, _ *checker) (string, error) {
	if _, err := exec.LookPath("gcc"); err != nil {
		return "", fmt.Errorf("%w: the race detector needs gcc", errSkip)
	}
	list, err := output(ctx, nil, "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}} `, "./...")
	if err != nil {
		return "", err
	}
	var pkgs []string
	for line := range strings.Lines(list) {
		pkg, imports, _ := strings.Cut(line, " ")
		if strings.Contains(" "+imports, " sync ") || strings.Contains(" "+imports, " sync/atomic ") {
			pkgs = append(pkgs, pkg)
		}
	}
	_, err = output(ctx, []string{"CGO_ENABLED=1"}, "go", append([]string{"test", "-race", "-short", "-timeout", "9m", "-skip", ownSteps}, pkgs...)...)
	if err != nil {
		err = errors.New(withoutPassed(err.Error()))
	}
	return fmt.Sprintf("%d packages", len(pkgs)), err
}

// parity runs profound and go tool pprof side by side. A folder
// ../shared/corpus with real profiles of many producers is too large for the
// repository; where it lies beside the checkout, the tests use it too.
func parity(ctx context.Context, _ *checker) (string, error) { return testNamed(ctx, "^TestParity") }

// docs runs the commands that README.md and docs show.
func docs(ctx context.Context, _ *checker) (string, error) { return testNamed(ctx, "^TestDocs") }

// testNamed runs the tests of cmd/profound that match, and wants at least one.
func testNamed(ctx context.Context, names string) (string, error) {
	text, err := output(ctx, nil, "go", "test", "-count=1", "-v", "-timeout", "9m", "-run", names, "./cmd/profound")
	if err != nil {
		return "", err
	}
	tests := strings.Count("\n"+text, "\n--- PASS: ")
	if tests == 0 {
		return "", fmt.Errorf("no test of cmd/profound that matches %s ran", names)
	}
	passed, failed := tally(text)
	return fmt.Sprintf("%d tests, %d cases passed, %d failed", tests, passed, failed), nil
}

// tally adds up the lines "N passed, M failed" that tests print.
func tally(text string) (passed, failed int) {
	for _, m := range regexp.MustCompile(`(\d+) passed, (\d+) failed`).FindAllStringSubmatch(text, -1) {
		p, _ := strconv.Atoi(m[1]) // only digits
		f, _ := strconv.Atoi(m[2])
		passed, failed = passed+p, failed+f
	}
	return passed, failed
}
