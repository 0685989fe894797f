package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/view"
)

// shortUsage answers a command line without arguments.
func shortUsage() string { return pprofUsage(report.Kinds()) }

// mostUsed are the flags of the first screen.
func mostUsed() [][2]string {
	return [][2]string{
		{"-top", "functions by what they use; -cum sorts by cumulative value"},
		{"-list=RE", "source lines of matching functions with their values"},
		{"-peek=RE", "callers and callees of matching functions"},
		{"-web", "flame graph and call graph in the browser"},
		{"-focus=RE", "only what goes through matching functions; -ignore=RE"},
		{"-diff_base=OLD", "what changed since an older profile"},
		{"-alloc_space", "all that was allocated, instead of what is still in use"},
		{"-seconds=N", "how long to collect a CPU profile from a URL"},
		{"-json", "the report for programs; -output=FILE writes to a file"},
	}
}

// pprofUsage is the answer to -h: one screen of 80 columns and 24 rows.
func pprofUsage(kinds []report.Kind) string {
	fs, _ := newFlagSet(kinds)
	var b strings.Builder
	b.WriteString(`profound finds out what a Go program spends CPU, memory and goroutines on.

  profound -REPORT [options] [binary] SOURCE...     print a report
  profound [options] [binary] SOURCE...             explore at a prompt
  profound -http=:8080 [options] [binary] SOURCE... explore in the browser

SOURCE is a file, a URL such as localhost:6060/debug/pprof/heap, or - for
standard input. Every command line of go tool pprof works.

`)
	for _, m := range mostUsed() {
		name, _, _ := strings.Cut(m[0][1:], "=")
		if fs.Lookup(name) != nil {
			row(&b, m[0], m[1])
		}
	}
	b.WriteByte('\n')
	var own []string
	for _, c := range commands() {
		if !c.hidden && c.name != "help" && c.name != "version" && c.name != "completion" {
			own = append(own, c.name)
		}
	}
	if len(own) > 0 {
		b.WriteString(hang("Commands: ", strings.Join(own, ", ")))
	}
	b.WriteString("More: profound help            topics, commands, how to read a report\n")
	b.WriteString("      profound help flags      every flag\n")
	b.WriteString("      profound help NAME       one report, option or topic\n")
	return b.String()
}

// flagsHelp lists every flag, from the tables they are declared by.
func flagsHelp(kinds []report.Kind) string {
	fs, _ := newFlagSet(kinds)
	var b strings.Builder
	b.WriteString("Flags go before or after the sources; -x and --x are the same. + marks what\npprof does not have.\n")
	line := func(name, arg, help string, ours bool) {
		mark := "  "
		if ours {
			mark = "+ "
		}
		text, _, _ := strings.Cut(help, "\n")
		rowAt(&b, mark+flagUsage(fs.Lookup(name), arg), text, 29)
	}
	b.WriteString("\nReports (one at most; none opens the prompt):\n")
	for _, k := range sortedKinds(kinds) {
		line(k.Name, "RE", k.Help, !slices.Contains(pprofReports(), k.Name))
	}
	b.WriteString("\nOptions:\n")
	fields := sortedFields()
	for _, f := range fields {
		if f.Choices == nil {
			line(f.Name, argName(f), f.Help, false)
		}
	}
	for _, f := range fields {
		if f.Choices == nil {
			continue
		}
		help, _, _ := strings.Cut(f.Help, "\n")
		b.WriteString("\n" + help + ", one of:\n")
		for _, c := range f.Choices {
			line(c, "", view.ChoiceHelp(c), false)
		}
	}
	b.WriteString("\nSample types:\n")
	for _, v := range valueFlags {
		line(v.name, "", v.help, false)
	}
	b.WriteString("\nSources and output:\n")
	for _, x := range extras() {
		line(x.name, x.arg, x.help, x.ours)
	}
	rowAt(&b, "  -h", "A page of help; profound help says more", 29)
	return b.String()
}

func sortedKinds(kinds []report.Kind) []report.Kind {
	kinds = slices.Clone(kinds)
	slices.SortFunc(kinds, func(a, b report.Kind) int { return strings.Compare(a.Name, b.Name) })
	return kinds
}

func sortedFields() []view.Field {
	fields := view.Fields()
	slices.SortFunc(fields, func(a, b view.Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// reportsHelp lists the reports, each with prefix before its name.
func reportsHelp(kinds []report.Kind, prefix string) string {
	var b strings.Builder
	for _, k := range sortedKinds(kinds) {
		row(&b, prefix+k.Name, k.Help)
	}
	return b.String()
}

func optionsHelp() string {
	var b strings.Builder
	for _, f := range sortedFields() {
		help, _, _ := strings.Cut(f.Help, "\n")
		if f.Choices != nil {
			help += ": " + strings.Join(f.Choices, ", ")
		}
		rowAt(&b, f.Name, help, 24)
	}
	return b.String()
}

// flagHint completes the error of an unknown flag.
func flagHint(err error, kinds []report.Kind) string {
	name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return ""
	}
	if near := closest(name, flagNames(kinds)); near != "" {
		return "; did you mean -" + near + "?"
	}
	return ""
}

// versionCommand is "profound version".
func versionCommand(_ context.Context, _ []string, e *env) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	_, err := io.WriteString(e.stdout, versionText(info))
	return err
}

// versionText describes a build in one line.
func versionText(info *debug.BuildInfo) string {
	setting := func(key string) string {
		for _, s := range info.Settings {
			if s.Key == key {
				return s.Value
			}
		}
		return ""
	}
	version := info.Main.Version
	if version == "" {
		version = "(devel)"
	}
	var vcs string
	if rev := setting("vcs.revision"); rev != "" {
		vcs = " commit " + rev[:min(12, len(rev))]
		if setting("vcs.modified") == "true" {
			vcs += " with local changes"
		}
		if t := setting("vcs.time"); t != "" {
			vcs += " of " + t
		}
	}
	return fmt.Sprintf("profound %s%s %s %s/%s\n", version, vcs, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
