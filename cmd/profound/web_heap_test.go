package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestWebTwoHeaps: of two heaps the later one is shown, and what it has is
// compared with the earlier one, whatever their order; more are left out.
func TestWebTwoHeaps(t *testing.T) {
	exe := binary(t)
	pid, grow := grower(t)
	before := snapshotOf(t, exe, pid, "before")
	middle := snapshotOf(t, exe, pid, "middle")
	grow()
	after := snapshotOf(t, exe, pid, "after")

	s := newCLI(t).serve("web", "-no_browser", after, before, middle)
	id, about := s.session()
	if len(about.Warnings) != 1 || !strings.Contains(about.Warnings[0], "middle") {
		t.Errorf("warnings %q", about.Warnings)
	}
	type row struct {
		Name          string
		Keeps, Before uint64
		Way           *struct{ Sentence string }
	}
	var a struct {
		Sentence string
		Rows     []row
	}
	ask := func(by string) []row {
		t.Helper()
		var body []byte
		for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			var status int
			if body, _, status = s.get("/api/" + id + "/retention?by=" + by); status == 200 {
				break
			}
		}
		a.Rows = nil
		if err := json.Unmarshal(body, &a); err != nil || len(a.Rows) == 0 {
			t.Fatalf("%s: %v %s", by, err, body)
		}
		return a.Rows
	}
	find := func(rows []row, name string) row {
		for _, r := range rows {
			if r.Name == name {
				return r
			}
		}
		t.Errorf("no row %s", name)
		return row{}
	}
	if r := find(ask("types"), "main.session"); r.Before == 0 || r.Keeps < r.Before+r.Before/4 {
		t.Errorf("sessions: %d before, %d now", r.Before, r.Keeps)
	}
	if r := find(ask("roots"), "main"); r.Before == 0 || r.Keeps < r.Before {
		t.Errorf("package main: %d before, %d now", r.Before, r.Keeps)
	}
	rows := ask("growth")
	if len(rows) < 3 || !strings.Contains(a.Sentence, "more are held by") || rows[0].Way == nil {
		t.Errorf("growth: %q %+v", a.Sentence, rows)
	}
	for _, r := range rows {
		if r.Keeps <= r.Before {
			t.Errorf("%s: %d before, %d now", r.Name, r.Before, r.Keeps)
		}
	}
}
