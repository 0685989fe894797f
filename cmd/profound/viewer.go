package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/profoundhq/profound/internal/source"
)

// viewerGrace is long enough for a viewer to read its file.
// Many viewers hand the file to a program that runs already, and are done.
const viewerGrace = 3 * time.Second

// viewerSettle is how long a viewer in the background is watched for failing
// at once.
const viewerSettle = 500 * time.Millisecond

// tempDir is a private directory for the files of viewers, made when the
// first is needed.
type tempDir struct {
	mu   sync.Mutex
	path string
	// grace is how long a file stays after its viewer started.
	grace time.Duration
	// keepUntil is when the last file may go.
	keepUntil time.Time
	// keep is set when a file was left for the user.
	keep bool
}

// create begins a new file in the directory.
func (t *tempDir) create(ext string) (*os.File, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.path == "" {
		dir, err := os.MkdirTemp("", "profound-")
		if err != nil {
			return nil, err
		}
		t.path = dir
	}
	name, err := source.TempName(t.path, "profile", "."+ext)
	if err != nil {
		return nil, err
	}
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// started notes that a viewer was started just now.
func (t *tempDir) started() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keepUntil = time.Now().Add(t.grace)
}

func (t *tempDir) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keep = true
}

// remove deletes the directory, after viewers had the time to read.
func (t *tempDir) remove() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.path == "" || t.keep {
		return
	}
	if wait := time.Until(t.keepUntil); wait > 0 {
		time.Sleep(wait)
	}
	os.RemoveAll(t.path)
	t.path = ""
}

// view writes a report to a file and shows it in the viewer: until the viewer
// ends, or in the shell in the background.
func (d destination) view(ctx context.Context, f func(io.Writer) error) error {
	temps, background := d.s.temps, true
	if temps == nil {
		temps, background = &tempDir{grace: viewerGrace}, false
		defer temps.remove()
	}
	file, err := temps.create(d.ext)
	if err != nil {
		return err
	}
	err = f(file)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil && ctx.Err() != nil {
		err = errInterrupted
	}
	if err != nil {
		os.Remove(file.Name())
		return err
	}
	e := d.s.env
	cmd, err := startViewer(viewers(d.viewer, e), file.Name(), background, e)
	if err != nil {
		temps.leave()
		return fmt.Errorf("%w\nThe report is in %s", err, file.Name())
	}
	temps.started()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var settled <-chan time.Time // the prompt waits only for a quick failure
	if background {
		settled = time.After(viewerSettle)
	}
	select {
	case <-settled:
		return nil
	case err := <-ended:
		if err != nil {
			temps.leave()
			return fmt.Errorf("%s: %w\nThe report is in %s", filepath.Base(cmd.Path), err, file.Name())
		}
		return nil
	case <-ctx.Done():
		return errInterrupted
	}
}

// viewers lists the command lines to try, the best first. The name of the file
// replaces %s or is added at the end.
func viewers(viewer string, e *env) []string {
	switch viewer {
	case "browser":
	case "gv":
		return []string{"gv --noantialias"}
	default:
		return []string{viewer}
	}
	var list []string
	if b := e.getenv("BROWSER"); b != "" {
		list = append(list, b)
	}
	switch runtime.GOOS {
	case "darwin":
		return append(list, "/usr/bin/open")
	case "windows":
		return append(list, "cmd /c start")
	}
	// A browser shows what moves in an SVG; xdg-open may pick a picture viewer.
	list = append(list, "chrome", "google-chrome", "chromium", "firefox", "sensible-browser")
	if e.getenv("DISPLAY") != "" || e.getenv("WAYLAND_DISPLAY") != "" {
		list = append(list, "xdg-open")
	}
	return list
}

// viewerArgs makes the words of a command line.
func viewerArgs(line, file string) []string {
	args := strings.Fields(line)
	if info, err := os.Stat(line); err == nil && !info.IsDir() {
		args = []string{line} // a path with spaces
	}
	placed := false
	for i, a := range args {
		if strings.Contains(a, "%s") {
			args[i], placed = strings.ReplaceAll(a, "%s", file), true
		}
	}
	if !placed {
		args = append(args, file)
	}
	return args
}

// startViewer starts the first viewer that can be started. One in the
// background is kept from writing into the prompt.
func startViewer(list []string, file string, background bool, e *env) (*exec.Cmd, error) {
	var tried []string
	for _, line := range list {
		args := viewerArgs(line, file)
		cmd := exec.Command(args[0], args[1:]...)
		if !background {
			cmd.Stderr = e.stderr
		}
		err := cmd.Start()
		if err == nil {
			return cmd, nil
		}
		var ee *exec.Error
		if errors.As(err, &ee) {
			err = ee.Err
			if errors.Is(err, exec.ErrNotFound) {
				err = errors.New("not found")
			}
		}
		tried = append(tried, fmt.Sprintf("%s (%v)", line, err))
	}
	what := "no viewer could be started"
	if len(list) > 1 {
		what = "no browser could be started; $BROWSER may name one"
	}
	return nil, fmt.Errorf("%s. Tried: %s", what, strings.Join(tried, ", "))
}
