package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestServeAsPprof: pprof's page shows what its command line prints, whatever
// is said of the sources: several add up, a base is taken off, options hold.
// "Copy as command" gives a command line that prints that again.
func TestServeAsPprof(t *testing.T) {
	c := newCLI(t)
	heap := func(n string) string {
		path, err := filepath.Abs("../../docs/guide/orders/heap-" + n + ".pb.gz")
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, b, other := heap("1"), heap("2"), c.file("one.pb", someProfile(1))
	for _, args := range [][]string{
		{a, b},
		{"-base=" + a, b},
		{"-base=" + a, a, b},
		{"-diff_base=" + a, b},
		{"-base=" + a, "-normalize", "-sample_index=alloc_space", b},
		{"-focus=Do1", "-lines", "-sample_index=0", other},
	} {
		s := c.serve(append([]string{"-http=localhost:0", "-no_browser"}, args...)...)
		want := c.run(append([]string{"-top"}, args...)...)
		if len(want.stdout) < 200 {
			t.Fatalf("%q: %s%s", args, want.stdout, want.stderr)
		}
		if body, _, status := s.get("/ui/top"); status != 200 || !bytes.Equal(body, want.stdout) {
			t.Errorf("%q: %d\n%s\nwant\n%s", args, status, body, want.stdout)
		}
		id, _ := s.session()
		body, _, _ := s.get("/api/" + id + "/command?report=top")
		var command struct{ Args []string }
		if err := json.Unmarshal(body, &command); err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(args, " "); !strings.Contains(all, "-focus") && !strings.Contains(all, "-normalize") { // which addresses have, not the session
			if again := c.run(command.Args[1:]...); !bytes.Equal(again.stdout, want.stdout) {
				t.Errorf("%q: %q prints\n%s\nwant\n%s", args, command.Args, again.stdout, want.stdout)
			}
		}
		s.stop()
	}
}
