package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// pageDir has the sources of the page, and what it is built with.
const pageDir = "web"

// page checks the page without a browser: types, unit tests, and that the
// committed files are what the sources give and within their budget.
func page(ctx context.Context, c *checker) (string, error) {
	if err := nodePackages(ctx, c); err != nil {
		return "", err
	}
	text, err := output(ctx, nil, "npm", "--prefix", pageDir, "run", "--silent", "check")
	return nodeTally(text), err
}

// browser looks at the page in Chromium, against the program as it is now.
func browser(ctx context.Context, c *checker) (string, error) {
	chromium, err := chromiumPath()
	if err != nil {
		return "", err
	}
	if err := nodePackages(ctx, c); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "profound-page-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "profound")
	if _, err := output(ctx, nil, "go", "build", "-o", program, "./cmd/profound"); err != nil {
		return "", err
	}
	env := []string{"PROFOUND=" + program, "CHROMIUM=" + chromium, "SHOTS=" + filepath.Join(dir, "shots")}
	text, err := output(ctx, env, "npm", "--prefix", pageDir, "run", "--silent", "browser")
	return nodeTally(text), err
}

// chromiumPath is the browser that CHROMIUM names, else one under the usual
// names.
func chromiumPath() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: no chromium; to run it: apt-get install chromium, or name a browser with CHROMIUM", errSkip)
}

// nodePackages installs what the lock file names, unless it is there already.
func nodePackages(ctx context.Context, c *checker) error {
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%w: no %s; to run it: apt-get install nodejs npm", errSkip, name)
		}
	}
	if _, err := output(ctx, nil, "npm", "--prefix", pageDir, "ls", "--silent"); err == nil {
		return nil
	}
	fmt.Fprintln(c.out, "installing the packages of the page (npm ci)")
	// A lock file names each package with its hash; scripts of packages are
	// not run but for the one that puts esbuild's program in place.
	_, err := output(ctx, nil, "npm", "--prefix", pageDir, "ci", "--no-audit", "--no-fund")
	if err != nil {
		err = errors.Join(err, errors.New("without a network: run the other steps with -skip page"))
	}
	return err
}

// nodeTally reads the last lines of node's test runner, which may have run
// more than once.
func nodeTally(text string) string {
	passed, failed := 0, 0
	for _, m := range regexp.MustCompile(`(?m)^\S+ (pass|fail) (\d+)$`).FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[2])
		if m[1] == "pass" {
			passed += n
		} else {
			failed += n
		}
	}
	if passed+failed == 0 {
		return ""
	}
	return strings.TrimSuffix(fmt.Sprintf("%d tests passed, %d failed", passed, failed), ", 0 failed")
}
