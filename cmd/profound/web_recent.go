package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/profoundhq/profound/internal/source"
	"github.com/profoundhq/profound/internal/web"
)

// recentMost is how many sessions of the page are remembered.
const recentMost = 20

// recentPath is the file with the sessions the page had open, "" when the user
// has no place for it.
func recentPath(e *env) string {
	dir := configDir(e)
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "profound", "recent.json")
}

// recentSessions are those of the file, the newest first. A file that cannot
// be read is no reason to say anything: there is nothing in it to lose.
func recentSessions(e *env) []web.Recent {
	path := recentPath(e)
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	var list []web.Recent
	if err != nil || json.Unmarshal(data, &list) != nil {
		return nil
	}
	list = slices.DeleteFunc(list, func(r web.Recent) bool { // of an older program, which kept secrets
		return slices.ContainsFunc(r.Sources, func(s string) bool { return source.Redact(s) != s })
	})
	return list[:min(len(list), recentMost)]
}

// rememberSession puts sessions at the front of the file. Files get their whole
// path, so that they are found from elsewhere.
func rememberSession(e *env) func(web.Recent) {
	var mu sync.Mutex
	return func(r web.Recent) {
		mu.Lock()
		defer mu.Unlock()
		path := recentPath(e)
		if path == "" || len(r.Sources) == 0 {
			return
		}
		for i, spec := range r.Sources {
			if whole := filepath.Join(e.dir, spec); !filepath.IsAbs(spec) && exists(whole) {
				r.Sources[i] = whole
			}
		}
		list := slices.DeleteFunc(recentSessions(e), func(x web.Recent) bool { return x.Session == r.Session })
		list = append([]web.Recent{r}, list...)
		data, err := json.MarshalIndent(list[:min(len(list), recentMost)], "", "  ")
		if err == nil {
			err = replaceFile(path, data)
		}
		if err != nil {
			e.say("note: sessions of the page are not remembered: " + err.Error())
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// replaceFile writes a file of the user's own as a whole: others see the old
// one or the new one.
func replaceFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

// editorURL is the address that opens a file in the user's editor, for links of
// the page: PROFOUND_EDITOR, a name or an address with {file} and {line}; else
// the editor whose terminal this is.
func editorURL(e *env) string {
	known := map[string]string{
		"vscode": "vscode://file{file}:{line}", "cursor": "cursor://file{file}:{line}", "windsurf": "windsurf://file{file}:{line}",
		"zed": "zed://file{file}:{line}", "idea": "idea://open?file={file}&line={line}", "goland": "goland://open?file={file}&line={line}",
		"sublime": "subl://open?url=file://{file}&line={line}", "textmate": "txmt://open?url=file://{file}&line={line}",
	}
	v := e.getenv("PROFOUND_EDITOR")
	switch {
	case v == "" && e.getenv("TERM_PROGRAM") == "vscode":
		return known["vscode"]
	case v == "" && e.getenv("TERM_PROGRAM") == "zed":
		return known["zed"]
	case known[v] != "":
		return known[v]
	case strings.Contains(v, "://") && strings.Contains(v, "{file}"):
		return v
	case v != "":
		e.say("note: PROFOUND_EDITOR=" + v + " is no address like vscode://file{file}:{line}, and no editor known by name")
	}
	return ""
}
