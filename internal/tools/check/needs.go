package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// tools lists the programs tests use besides go, with the Debian packages they
// come in.
var tools = [...]struct{ program, packages, what string }{
	{"gcc", "gcc libc6-dev", "the race detector and symbols of C programs"},
	{"objcopy", "binutils", "separate debug files"},
	{"addr2line", "binutils", "an oracle for line tables"},
	{"node", "nodejs", "building and testing the page"},
	{"npm", "npm", "the packages the page is made of"},
	{"chromium", "chromium", "the page in a browser"},
}

// needs looks for the programs the checks use. What is missing is installed
// where that is possible without asking: as root, with apt-get. Elsewhere it
// says the command, and the checks that need the program are left out.
func needs(ctx context.Context, c *checker) (string, error) {
	missing, what := lacking(func(program string) bool { _, err := exec.LookPath(program); return err == nil })
	if len(missing) == 0 {
		return "", nil
	}
	install := "apt-get install -y --no-install-recommends " + strings.Join(missing, " ")
	_, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return "left out " + strings.Join(what, ", ") + "; to run them: " + install, nil
	}
	fmt.Fprintln(c.out, "installing", strings.Join(missing, " "))
	if _, err := output(ctx, nil, "apt-get", "update", "-qq"); err != nil {
		return "", err
	}
	_, err = output(ctx, []string{"DEBIAN_FRONTEND=noninteractive"}, "sh", "-c", install)
	return "", err
}

// lacking returns the Debian packages that are missing and what needs them.
func lacking(have func(program string) bool) (packages, what []string) {
	for _, t := range tools {
		if have(t.program) {
			continue
		}
		what = append(what, t.what)
		for _, p := range strings.Fields(t.packages) {
			if !slices.Contains(packages, p) {
				packages = append(packages, p)
			}
		}
	}
	return packages, what
}
