package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/symbol"
	"github.com/profoundhq/profound/internal/view"
)

// invocation is a pprof command line, parsed.
type invocation struct {
	options view.Options
	kind    *report.Kind // nil for the shell
	param   string

	sources   []string
	exec      string
	bases     []string
	diffBase  bool
	buildID   string
	comment   string
	symbolize string

	seconds, timeout int
	headers          []string
	tokenFile        string
	tlsCert          string
	tlsKey           string
	tlsCA            string
	maxSize          int64
	noSave           bool
	allFrames        bool

	http      string
	noBrowser bool
	separate  bool // asks servers for several profiles; set by web

	json  bool
	color string
	help  bool
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// bytesFlag is a size with an optional unit: 512mb.
type bytesFlag int64

func (b *bytesFlag) String() string { return fmt.Sprint(int64(*b)) }
func (b *bytesFlag) Set(s string) error {
	n, err := parseBytes(s)
	*b = bytesFlag(n)
	return err
}

// extra is a flag that is neither an option nor a report.
type extra struct {
	name, arg, help string
	add             func(fs *flag.FlagSet, p *parsed)
	ours            bool // pprof does not have it
}

// parsed is what flags are parsed into before they are checked.
type parsed struct {
	inv     invocation
	base    list
	diff    list
	headers list
	max     bytesFlag
	values  map[string]*bool // -inuse_space and its like
	formats map[string]*bool
	params  map[string]*string
	choices map[string]*bool
	tools   string
}

// valueFlags select a sample type.
var valueFlags = [...]struct{ name, index, help string }{
	{"total_delay", "delay", "Same as -sample_index=delay"},
	{"mean_delay", "delay", "Same as -mean -sample_index=delay"},
	{"contentions", "contentions", "Same as -sample_index=contentions"},
	{"inuse_space", "inuse_space", "Same as -sample_index=inuse_space"},
	{"inuse_objects", "inuse_objects", "Same as -sample_index=inuse_objects"},
	{"alloc_space", "alloc_space", "Same as -sample_index=alloc_space"},
	{"alloc_objects", "alloc_objects", "Same as -sample_index=alloc_objects"},
}

// extras lists the flags about sources and output.
func extras() []extra {
	str := func(name, arg, help string, ours bool, at func(*parsed) *string) extra {
		return extra{name, arg, help, func(fs *flag.FlagSet, p *parsed) { fs.StringVar(at(p), name, "", help) }, ours}
	}
	boolean := func(name, help string, ours bool, at func(*parsed) *bool) extra {
		return extra{name, "", help, func(fs *flag.FlagSet, p *parsed) { fs.BoolVar(at(p), name, false, help) }, ours}
	}
	number := func(name, arg, help string, at func(*parsed) *int) extra {
		return extra{name, arg, help, func(fs *flag.FlagSet, p *parsed) { fs.IntVar(at(p), name, -1, help) }, false}
	}
	return []extra{
		{"base", "SOURCE", "Subtract this profile", func(fs *flag.FlagSet, p *parsed) { fs.Var(&p.base, "base", "") }, false},
		{"diff_base", "SOURCE", "Compare with this profile; percentages are of it", func(fs *flag.FlagSet, p *parsed) { fs.Var(&p.diff, "diff_base", "") }, false},
		number("seconds", "N", "Ask the server to collect for so many seconds", func(p *parsed) *int { return &p.inv.seconds }),
		number("timeout", "N", "Give a server so many seconds to answer", func(p *parsed) *int { return &p.inv.timeout }),
		str("symbolize", "MODE", "none, local, fastlocal, remote, force, demangle=none|full|templates|default", false, func(p *parsed) *string { return &p.inv.symbolize }),
		str("buildid", "ID", "Build id of the main binary, if the profile has none", false, func(p *parsed) *string { return &p.inv.buildID }),
		str("add_comment", "TEXT", "Add a comment to the profile", false, func(p *parsed) *string { return &p.inv.comment }),
		boolean("all_frames", "Ignore the profile's drop_frames and keep_frames", true, func(p *parsed) *bool { return &p.inv.allFrames }),
		str("tools", "PATH", "Accepted for pprof's sake; no outside tool is used", false, func(p *parsed) *string { return &p.tools }),
		str("http", "HOST:PORT", "Present the web page at this address", false, func(p *parsed) *string { return &p.inv.http }),
		boolean("no_browser", "With -http, do not open a browser", false, func(p *parsed) *bool { return &p.inv.noBrowser }),
		str("tls_cert", "FILE", "TLS client certificate for fetching", false, func(p *parsed) *string { return &p.inv.tlsCert }),
		str("tls_key", "FILE", "TLS client key for fetching", false, func(p *parsed) *string { return &p.inv.tlsKey }),
		str("tls_ca", "FILE", "TLS authorities for fetching", false, func(p *parsed) *string { return &p.inv.tlsCA }),
		{"header", "'NAME: VALUE'", "Send this header when fetching; may be repeated", func(fs *flag.FlagSet, p *parsed) { fs.Var(&p.headers, "header", "") }, true},
		str("bearer_token_file", "FILE", "Send the bearer token in this file when fetching", true, func(p *parsed) *string { return &p.inv.tokenFile }),
		{"max_size", "SIZE", "Refuse profiles that take more memory than this, such as 512mb (default 4gb)", func(fs *flag.FlagSet, p *parsed) { fs.Var(&p.max, "max_size", "") }, true},
		boolean("no_save", "Do not keep a copy of fetched profiles", true, func(p *parsed) *bool { return &p.inv.noSave }),
		boolean("json", "Print the report as JSON, in base units", true, func(p *parsed) *bool { return &p.inv.json }),
		{"color", "WHEN", "auto, always or never", func(fs *flag.FlagSet, p *parsed) { fs.StringVar(&p.inv.color, "color", "auto", "") }, true},
	}
}

// newFlagSet declares every flag from the tables of options and reports.
func newFlagSet(kinds []report.Kind) (*flag.FlagSet, *parsed) {
	fs := flag.NewFlagSet("profound", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	p := &parsed{
		inv: invocation{options: view.Defaults()}, values: map[string]*bool{}, formats: map[string]*bool{},
		params: map[string]*string{}, choices: map[string]*bool{},
	}
	for _, f := range view.Fields() {
		for _, c := range f.Choices {
			p.choices[c] = fs.Bool(c, false, view.ChoiceHelp(c))
		}
		switch ptr := f.Pointer(&p.inv.options).(type) {
		case *bool:
			fs.BoolVar(ptr, f.Name, *ptr, f.Help)
		case *int:
			fs.IntVar(ptr, f.Name, *ptr, f.Help)
		case *float64:
			fs.Float64Var(ptr, f.Name, *ptr, f.Help)
		case *string:
			// An option with choices has a flag for each of them, and none of
			// its own name: -lines, not -granularity=lines.
			if f.Choices == nil {
				fs.StringVar(ptr, f.Name, *ptr, f.Help)
			}
		}
	}
	for _, k := range kinds {
		if k.Param {
			p.params[k.Name] = fs.String(k.Name, "", k.Help)
		} else {
			p.formats[k.Name] = fs.Bool(k.Name, false, k.Help)
		}
	}
	for _, v := range valueFlags {
		p.values[v.name] = fs.Bool(v.name, false, v.help)
	}
	for _, x := range extras() {
		x.add(fs, p)
	}
	return fs, p
}

// parseArgs reads flags wherever they stand and collects the rest. After --
// everything is a source.
func parseArgs(fs *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		left := fs.Args()
		if n := len(args) - len(left); n > 0 && args[n-1] == "--" {
			return append(rest, left...), nil
		}
		if len(left) == 0 {
			break
		}
		rest = append(rest, left[0])
		args = left[1:]
	}
	return rest, nil
}

// parseInvocation reads a pprof command line. warn gets remarks on it.
func parseInvocation(args []string, kinds []report.Kind, warn func(string)) (*invocation, error) {
	fs, p := newFlagSet(kinds)
	rest, err := parseArgs(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		return &invocation{help: true}, nil
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("%w%s\nRun profound help flags for all flags", err, flagHint(err, kinds))}
	}
	if len(rest) == 0 {
		return nil, usagef("no profile source specified\nName a file, a URL such as http://localhost:6060/debug/pprof/heap, or - for standard input; profound -h lists the flags")
	}
	return p.finish(rest, kinds, warn)
}

// finish checks what was parsed and puts it together; rest are the sources,
// the binary perhaps first.
func (p *parsed) finish(rest []string, kinds []report.Kind, warn func(string)) (*invocation, error) {
	inv := &p.inv
	inv.maxSize, inv.headers = int64(p.max), p.headers
	if len(rest) > 1 && isObjectFile(rest[0]) {
		inv.exec, rest = rest[0], rest[1:]
	}
	inv.sources = rest
	if err := p.applyChoices(); err != nil {
		return nil, usageError{err}
	}
	if err := p.applyFormat(kinds); err != nil {
		return nil, usageError{err}
	}
	p.applyValues(warn)
	if err := p.applyBases(); err != nil {
		return nil, usageError{err}
	}
	switch inv.color {
	case "auto", "always", "never":
	default:
		return nil, usagef("-color=%s: choose auto, always or never", inv.color)
	}
	return inv, nil
}

func isObjectFile(path string) bool {
	o, err := symbol.Open(path, symbol.Options{})
	if err != nil {
		return false
	}
	o.Close()
	return true
}

// applyChoices turns -cum, -lines and their like into the option they belong to.
func (p *parsed) applyChoices() error {
	for _, f := range view.Fields() {
		if f.Choices == nil {
			continue
		}
		var set []string
		for _, c := range f.Choices {
			if *p.choices[c] {
				set = append(set, c)
			}
		}
		value := f.Pointer(&p.inv.options).(*string)
		switch {
		case len(set) > 1:
			return fmt.Errorf("conflicting options set: %v", set)
		case len(set) == 1:
			*value = set[0]
		}
	}
	return nil
}

// applyFormat picks the one report asked for.
func (p *parsed) applyFormat(kinds []report.Kind) error {
	for i := range kinds {
		k := &kinds[i]
		on, param := false, ""
		if k.Param {
			param = *p.params[k.Name]
			on = param != ""
		} else {
			on = *p.formats[k.Name]
		}
		if !on {
			continue
		}
		if p.inv.kind != nil {
			return errors.New("must set at most one output format")
		}
		p.inv.kind, p.inv.param = k, param
	}
	switch {
	case p.inv.kind != nil && p.inv.http != "":
		return errors.New("-http is not compatible with an output format on the command line")
	case p.inv.noBrowser && p.inv.http == "":
		return errors.New("-no_browser only makes sense with -http")
	case p.inv.json && p.inv.kind == nil:
		return errors.New("-json needs a report, such as -top")
	}
	return nil
}

// applyValues turns -inuse_space and its like into sample_index; the first
// wins.
func (p *parsed) applyValues(warn func(string)) {
	o := &p.inv.options
	for _, v := range valueFlags {
		if !*p.values[v.name] {
			continue
		}
		if v.name == "mean_delay" {
			o.Mean = true
		}
		if o.SampleIndex != "" {
			warn("Multiple value selections, ignoring -" + v.name)
			continue
		}
		o.SampleIndex = v.index
	}
}

func (p *parsed) applyBases() error {
	inv := &p.inv
	nonEmpty := func(l list) []string {
		var out []string
		for _, s := range l {
			if s != "" {
				out = append(out, s)
			}
		}
		return out
	}
	base, diff := nonEmpty(p.base), nonEmpty(p.diff)
	if len(base) > 0 && len(diff) > 0 {
		return errors.New("-base and -diff_base flags cannot both be specified")
	}
	inv.bases = base
	if len(diff) > 0 {
		inv.bases, inv.diffBase = diff, true
	}
	if inv.options.Normalize && len(inv.bases) == 0 {
		return errors.New("must have base profile to normalize by")
	}
	return nil
}
