package symbol

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLocate puts one binary at each of the places, alone.
func TestLocate(t *testing.T) {
	bin, err := os.ReadFile(program(t, "stripped"))
	if err != nil {
		t.Fatal(err)
	}
	id := open(t, program(t, "stripped"), Options{}).BuildID()
	for _, place := range []string{
		id + "/app", id + "/other", "srv/app/" + id, id[:2] + "/" + id[2:] + ".debug", ".build-id/" + id[:2] + "/" + id[2:] + ".debug",
		"app", "srv/app", "srv/app.debug", "srv/.debug/app.debug", "usr/lib/debug/srv/app.debug",
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, filepath.FromSlash(place))
		write(t, file, bin)
		for _, want := range []string{id, ""} {
			got, warnings := Locate([]string{t.TempDir(), dir}, "/srv/app", want)
			if want == "" && strings.Contains(place, id[2:]) {
				if got != "" {
					t.Errorf("%s found without a build id", place)
				}
				continue
			}
			if got != file || len(warnings) > 0 {
				t.Errorf("%s: %q %v", place, got, warnings)
			}
		}
	}
}

func TestLocateMismatch(t *testing.T) {
	bin, err := os.ReadFile(program(t, "stripped"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app"), bin)
	write(t, filepath.Join(dir, "srv", "app"), []byte("#!/bin/sh\n"))
	for _, id := range []string{"0123456789abcdef", "x", "../../etc"} {
		got, warnings := Locate([]string{dir}, "/srv/app", id)
		if got != "" || len(warnings) != 1 || !strings.Contains(warnings[0].Error(), id) {
			t.Errorf("%s: %q %v", id, got, warnings)
		}
	}
	if got, warnings := Locate([]string{dir}, "", ""); got != "" || warnings != nil {
		t.Errorf("nothing to look for: %q %v", got, warnings)
	}
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestSet(t *testing.T) {
	s := NewSet(Options{Inlines: true})
	path := program(t, "default")
	a, err := s.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := s.Open(path); err != nil || a != b {
		t.Errorf("opened twice: %v", err)
	}
	if _, err := s.Open(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("opened a missing file")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Open(path); err == nil {
		t.Error("opened after Close")
	}
}
