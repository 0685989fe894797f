package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/view"
)

const (
	// plainPrompt is pprof's, for scripts that wait for it.
	plainPrompt = "(pprof) "
	editPrompt  = "(profound) "
)

// errAborted is what a lineReader returns for Ctrl-C.
var errAborted = errors.New("aborted")

// lineReader reads the lines of the shell.
type lineReader interface {
	// line returns one line without its end; io.EOF may come with the last
	// line of the input.
	line() (string, error)
	// ask shows the prompt again while a line is being read.
	ask()
	// suspend gives the terminal back while a command runs, resume takes it.
	suspend()
	resume()
	close()
}

type lineResult struct {
	line string
	err  error
}

// shell reads commands and runs them on one profile.
type shell struct {
	s       *session
	options view.Options
	fields  []view.Field
	// past are the options before each change, the oldest first.
	past []view.Options
	// shortcuts are lines that stand for other lines.
	shortcuts map[string][]string

	in      lineReader
	pending chan lineResult // a read that was not waited for
	// person is set when somebody sits at a terminal: hints and remarks that
	// pprof does not make go to people only.
	person     bool
	hints      []string // to be said after the command
	aborted    bool     // the line before ended with Ctrl-C
	interrupts chan os.Signal
	history    *history
}

// interact runs the shell until its input ends.
func (s *session) interact(ctx context.Context, o view.Options) error {
	o.CompactLabels = true
	s.shell = true
	s.temps = &tempDir{grace: viewerGrace}
	defer s.temps.remove()
	sh := &shell{
		s: s, options: o, fields: view.Fields(), shortcuts: shortcuts(s.profile.TypeNames()),
		person: s.env.stdinTTY, interrupts: make(chan os.Signal, 1),
	}
	if sh.person {
		// Ctrl-C ends a report here, not the program.
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM, syscall.SIGHUP)
		defer stop()
		signal.Notify(sh.interrupts, os.Interrupt)
		defer signal.Stop(sh.interrupts)
	}
	sh.in = sh.newReader()
	defer sh.in.close()
	sh.greet()
	return sh.loop(ctx)
}

// newReader picks the line editor on a terminal that can move the cursor.
func (sh *shell) newReader() lineReader {
	e := sh.s.env
	t := strings.ToLower(e.getenv("TERM"))
	if sh.person && e.stdoutTTY && t != "" && t != "dumb" {
		sh.history = openHistory(historyPath(e), e.say)
		if ed := newEditor(newCompleter(sh), sh.history); ed != nil {
			return ed
		}
	}
	prompt := e.stdout
	if sh.person && !e.stdoutTTY {
		prompt = e.stderr
	}
	return &plainReader{r: bufio.NewReader(e.stdin), prompt: prompt}
}

// plainReader reads lines without editing.
type plainReader struct {
	r      *bufio.Reader
	prompt io.Writer
}

func (p *plainReader) line() (string, error) {
	p.ask()
	return p.r.ReadString('\n')
}

func (p *plainReader) ask()     { io.WriteString(p.prompt, plainPrompt) }
func (p *plainReader) suspend() {}
func (p *plainReader) resume()  {}
func (p *plainReader) close()   {}

// shortcuts are pprof's: ":" and three for each sample type.
func shortcuts(types []string) map[string][]string {
	m := map[string][]string{":": {"focus=", "ignore=", "hide=", "tagfocus=", "tagignore="}}
	for _, t := range types {
		set := "sample_index=" + t
		m[t] = []string{set}
		m["total_"+t] = []string{"mean=0", set}
		m["mean_"+t] = []string{"mean=1", set}
	}
	return m
}

// greet describes the profile, as its reports will not.
func (sh *shell) greet() {
	o := view.Defaults()
	o.SampleIndex, o.Mean, o.DivideBy, o.Unit = sh.options.SampleIndex, sh.options.Mean, sh.options.DivideBy, sh.options.Unit
	o.Granularity = "addresses" // nothing to aggregate
	say := sh.s.env.say
	if v, err := view.Prepare(sh.s.profile, o, say); err == nil {
		say(strings.Join(report.New(v).ProfileLabels(), "\n"))
		if v.Total == 0 && len(sh.s.profile.SampleTypes) > 1 {
			say("No samples were found with the default sample value type.")
			say(`Try "sample_index" command to analyze different sample values.`)
		}
	}
	if sh.history != nil {
		say(`Type "help" for commands, "o" for options, q to quit.`)
		return
	}
	say(`Entering interactive mode (type "help" for commands, "o" for options)`)
}

func (sh *shell) loop(ctx context.Context) error {
	for {
		line, err := sh.read(ctx)
		switch {
		case errors.Is(err, errAborted):
			if !sh.aborted {
				sh.s.env.say("Type q or press Ctrl-D to quit.")
			}
			sh.aborted = true
			if sh.pending != nil { // a signal: the line is still being read
				sh.in.ask()
			}
			continue
		case errors.Is(err, io.EOF) && line == "":
			if sh.history != nil {
				sh.s.env.say("")
			}
			return nil
		case err != nil && !errors.Is(err, io.EOF):
			return err
		}
		sh.aborted = false
		if sh.history != nil {
			sh.history.add(line)
		}
		if sh.execute(ctx, line) {
			return nil
		}
	}
}

// read waits for a line, an interrupt or the end of the program. A read that
// an interrupt came before goes on and serves the next call.
func (sh *shell) read(ctx context.Context) (string, error) {
	if ctx.Err() != nil {
		return "", errInterrupted
	}
	if sh.pending == nil {
		ch := make(chan lineResult, 1)
		sh.pending = ch
		go func() {
			line, err := sh.in.line()
			ch <- lineResult{line, err}
		}()
	}
	select {
	case r := <-sh.pending:
		sh.pending = nil
		return r.line, r.err
	case <-sh.interrupts:
		return "", errAborted
	case <-ctx.Done():
		return "", errInterrupted
	}
}

// execute runs one line and tells whether it ends the shell. All that a line
// changes is one step to undo.
func (sh *shell) execute(ctx context.Context, line string) (quit bool) {
	line = strings.TrimSpace(line)
	if line == "undo" {
		sh.undo()
		return false
	}
	inputs, ok := sh.shortcuts[line]
	if !ok {
		inputs = []string{line}
	}
	before := sh.options
	sh.in.suspend()
	defer sh.in.resume()
	for _, input := range inputs {
		quit, err := sh.command(ctx, input)
		if err != nil {
			sh.fail(err)
		}
		for _, h := range sh.hints {
			sh.s.env.say(h)
		}
		sh.hints = nil
		if quit {
			return true
		}
	}
	if sh.options != before {
		sh.past = append(sh.past, before)
	}
	return false
}

// undo takes back the last change of options.
func (sh *shell) undo() {
	n := len(sh.past)
	if n == 0 {
		sh.s.env.say("nothing to undo")
		return
	}
	now := sh.options
	sh.options, sh.past = sh.past[n-1], sh.past[:n-1]
	for _, f := range sh.fields {
		if was, is := f.Get(&now), f.Get(&sh.options); was != is {
			sh.s.env.say(fmt.Sprintf("%s = %s (was %s)", f.Name, quoteEmpty(is), quoteEmpty(was)))
		}
	}
}

func quoteEmpty(s string) string {
	if s == "" {
		return `""`
	}
	return s
}

// fail prints an error, in red for a person.
func (sh *shell) fail(err error) {
	text := err.Error()
	if sh.person && errors.Is(err, errInterrupted) {
		io.WriteString(sh.s.env.stderr, "\n") // it stopped in the middle of a line
	}
	if sh.s.env.stderrTTY && sh.s.color {
		text = "\x1b[31m" + strings.TrimSuffix(text, "\n") + "\x1b[0m"
	}
	sh.s.env.say(text)
}
