package main

import (
	"bytes"
	"flag"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/view"
)

// fits complains about lines that do not fit a terminal.
func fits(t *testing.T, name, text string) {
	t.Helper()
	for i, l := range strings.Split(text, "\n") {
		if utf8.RuneCountInString(l) > helpWidth {
			t.Errorf("%s: line %d has %d columns: %q", name, i+1, utf8.RuneCountInString(l), l)
		}
		if strings.ContainsAny(l, "\t") || strings.TrimRight(l, " ") != l {
			t.Errorf("%s: line %d has tabs or ends with spaces: %q", name, i+1, l)
		}
	}
	if !strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\n\n") {
		t.Errorf("%s: does not end with one line end", name)
	}
}

func TestHelpComplete(t *testing.T) {
	kinds := report.Kinds()
	for _, name := range topicNames(kinds) {
		text, err := helpFor(name, kinds)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		fits(t, name, text)
		if len(text) < 20 {
			t.Errorf("%s: help is %q", name, text)
		}
	}
	for _, k := range kinds {
		if k.Help == "" || reportNotes(k.Name) == "" {
			t.Errorf("report %s has no help", k.Name)
		}
	}
	for _, f := range view.Fields() {
		if f.Help == "" {
			t.Errorf("option %s has no help", f.Name)
		}
		for _, c := range f.Choices {
			if view.ChoiceHelp(c) == "" {
				t.Errorf("choice %s of %s has no help", c, f.Name)
			}
		}
	}
	for _, c := range commands() {
		if !c.hidden && (c.summary == "" || c.run == nil) {
			t.Errorf("command %s has no help", c.name)
		}
	}
	fits(t, "overview", helpOverview(kinds))
	fits(t, "overview of the shell", shellOverview(kinds))
}

// TestHelpSpelling: a topic is found however it is written.
func TestHelpSpelling(t *testing.T) {
	kinds := report.Kinds()
	want, _ := helpFor("flat-and-cum", kinds)
	for _, name := range []string{"flat and cum", "flat_and_cum", "Flat-And-Cum", "--flat-and-cum"} {
		if got, err := helpFor(name, kinds); err != nil || got != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := helpFor("fliters", kinds); err == nil || !strings.Contains(err.Error(), "did you mean filters?") {
		t.Errorf("fliters: %v", err)
	}
}

func TestScreens(t *testing.T) {
	for name, text := range map[string]string{"-h": pprofUsage(report.Kinds()), "help at the prompt": shellOverview(report.Kinds())} {
		fits(t, name, text)
		if n := strings.Count(text, "\n"); n > 23 { // and the prompt below
			t.Errorf("%s: %d lines", name, n)
		}
	}
}

func TestFlagsHelp(t *testing.T) {
	kinds := report.Kinds()
	text := flagsHelp(kinds)
	fs, _ := newFlagSet(kinds)
	fs.VisitAll(func(f *flag.Flag) {
		if n := len(regexp.MustCompile(`(?m)^  [ +] -`+f.Name+`(=|$| )`).FindAllString(text, -1)); n != 1 {
			t.Errorf("-%s is listed %d times", f.Name, n)
		}
	})
	for _, line := range []string{"  + -json ", "  + -html ", "    -top ", "    -focus=RE "} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("no line begins with %q", line)
		}
	}
}

// TestHelpNamesExist: what help tells to type is there.
func TestHelpNamesExist(t *testing.T) {
	kinds := report.Kinds()
	fs, _ := newFlagSet(kinds)
	flags := regexp.MustCompile(`(?:^|[\s(])--?([a-z][a-z_]+)`)
	pages := regexp.MustCompile(`help ([a-z]+(?:[-_][a-z]+)*)"?`)
	texts := map[string]string{"usage": pprofUsage(kinds)}
	for _, k := range kinds {
		texts[k.Name] = reportNotes(k.Name)
	}
	for _, f := range view.Fields() {
		texts[f.Name] = fieldNotes(f.Name)
	}
	for _, topic := range topics() {
		texts[topic.name] = topic.text
	}
	notFlags := []string{"s", "gzip", "internal"} // curl -s, and words to ignore at the prompt
	for name, text := range texts {
		for _, m := range flags.FindAllStringSubmatch(text, -1) {
			if fs.Lookup(m[1]) == nil && !slices.Contains(notFlags, m[1]) {
				t.Errorf("%s mentions -%s, which is no flag", name, m[1])
			}
		}
		for _, m := range pages.FindAllStringSubmatch(text, -1) {
			if _, err := helpFor(m[1], kinds); err != nil && name != "usage" && m[1] != "lists" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestHelpCommands(t *testing.T) {
	tests := []struct {
		args        string
		code        int
		stdout, err string
	}{
		{"", exitUsage, "", "profound finds out"},
		{"-h", exitOK, "profound finds out", ""},
		{"--help", exitOK, "profound finds out", ""},
		{"help", exitOK, "flat-and-cum", ""},
		{"help top", exitOK, "One row for each function", ""},
		{"help flat and cum", exitOK, "Every row of a report", ""},
		{"help nothing-like-it", exitUsage, "", `there is no help on "nothing-like-it"`},
		{"version", exitOK, "profound ", ""},
		{"completion", exitUsage, "", "bash|zsh|fish|powershell"},
		{"completion csh", exitUsage, "", "choose from bash, zsh, fish, powershell"},
		{"-focsu=x -top f", exitUsage, "", "flag provided but not defined: -focsu; did you mean -focus?"},
		{"--samplindex=x -top f", exitUsage, "", "did you mean -sample_index?"},
		{"-zzzzzzzz f", exitUsage, "", "flag provided but not defined: -zzzzzzzz\n"},
	}
	for _, tc := range tests {
		var out, errs bytes.Buffer
		e := &env{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }, now: time.Now, width: func() int { return 0 }}
		if code := run(t.Context(), strings.Fields(tc.args), e); code != tc.code {
			t.Errorf("profound %s: exit code %d, want %d: %s", tc.args, code, tc.code, errs.String())
		}
		if !strings.Contains(out.String(), tc.stdout) || tc.stdout == "" && out.Len() > 0 {
			t.Errorf("profound %s: standard output %q", tc.args, out.String())
		}
		if !strings.Contains(errs.String(), tc.err) || tc.err == "" && errs.Len() > 0 {
			t.Errorf("profound %s: standard error %q", tc.args, errs.String())
		}
	}
}

func TestVersionText(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	if got, want := versionText(info), "profound v1.2.3 commit 0123456789ab with local changes of 2026-01-02T03:04:05Z go1."; !strings.HasPrefix(got, want) {
		t.Errorf("version %q, want %q...", got, want)
	}
	if got := versionText(&debug.BuildInfo{}); !strings.HasPrefix(got, "profound (devel) go") {
		t.Errorf("version %q", got)
	}
}

func TestWrap(t *testing.T) {
	long := strings.Repeat("word ", 40)
	fits(t, "wrap", wrap(long, 4))
	if got := wrap("", 2); got != "  \n" {
		t.Errorf("empty text: %q", got)
	}
	if got := hang("  -x   ", "one two"); got != "  -x   one two\n" {
		t.Errorf("hang: %q", got)
	}
}
