package symbol

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Locate looks for the object file of a mapping, whose profile gives its path
// and build id (either may be empty), under the search directories in order:
// the places that pprof's PPROF_BINARY_PATH knows. It returns the first file
// that opens and, if buildID is not empty, has this build id; empty if there is
// none. A warning tells each file that was passed over for another build id.
// The path itself is not tried: that is the caller's fallback.
func Locate(search []string, path, buildID string) (file string, warnings []error) {
	for _, dir := range search {
		for _, name := range candidates(dir, path, buildID) {
			if st, err := os.Stat(name); err != nil || !st.Mode().IsRegular() {
				continue
			}
			o, err := Open(name, Options{})
			if err != nil {
				if !errors.Is(err, ErrFormat) {
					warnings = append(warnings, err)
				}
				continue
			}
			id := o.BuildID()
			o.Close()
			if buildID == "" || id == buildID {
				return name, warnings
			}
			warnings = append(warnings, fmt.Errorf("ignoring local file %s: build id %s, want %s", name, orNone(id), buildID))
		}
	}
	return "", warnings
}

func orNone(id string) string {
	if id == "" {
		return "none"
	}
	return id
}

// candidates lists the files to try under one directory, in order. The order
// is pprof's; .build-id is where distributions keep debug files.
func candidates(dir, path, buildID string) []string {
	var out []string
	file := strings.TrimPrefix(path, filepath.VolumeName(path))
	base := ""
	if path != "" {
		base = filepath.Base(path)
	}
	// A build id comes from the profile: it must not lead out of dir.
	if buildID != "" && filepath.IsLocal(buildID) {
		if base != "" {
			out = append(out, filepath.Join(dir, buildID, base))
		}
		if es, err := os.ReadDir(filepath.Join(dir, buildID)); err == nil {
			for _, e := range es {
				if !e.IsDir() && e.Name() != base {
					out = append(out, filepath.Join(dir, buildID, e.Name()))
				}
			}
		}
		out = append(out, filepath.Join(dir, file, buildID)) // perf
		if len(buildID) > 2 {
			debug := filepath.Join(buildID[:2], buildID[2:]+".debug")
			out = append(out, filepath.Join(dir, debug), filepath.Join(dir, ".build-id", debug))
		}
	}
	if path != "" {
		up := filepath.Dir(file)
		out = append(out,
			filepath.Join(dir, base),
			filepath.Join(dir, file),
			filepath.Join(dir, file+".debug"),
			filepath.Join(dir, up, ".debug", base+".debug"),
			filepath.Join(dir, "usr", "lib", "debug", up, base+".debug"))
	}
	return out
}
