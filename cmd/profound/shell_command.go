package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/view"
)

// shellNodes is how many entries top shows at the prompt when nobody says.
const shellNodes = 10

// command runs one command or assignment.
func (sh *shell) command(ctx context.Context, input string) (quit bool, err error) {
	if done, err := sh.assign(input); done {
		return false, err
	}
	input, pipe, piped := cutPipe(input)
	tokens := strings.Fields(input)
	if len(tokens) == 0 {
		if piped {
			return false, errors.New("no command before |")
		}
		return false, nil
	}
	if piped && pipe == "" {
		return false, errors.New("unexpected end of line after |")
	}
	switch tokens[0] {
	case "o", "options":
		return false, sh.print(ctx, sh.currentOptions(), pipe)
	case "exit", "quit", "q":
		return true, nil
	case "help":
		text, err := sh.help(strings.Join(tokens[1:], " "))
		if err != nil {
			return false, err
		}
		return false, sh.print(ctx, text, pipe)
	}
	r, err := parseReport(tokens, sh.s.kinds, sh.fields, sh.options)
	if err != nil {
		sh.hintCommand(tokens[0], err)
		return false, err
	}
	return false, sh.report(ctx, r, pipe)
}

var pipeRE = regexp.MustCompile(`(^|\s)\|`)

// cutPipe splits "top | less" at the first bar that starts a word; a bar
// inside a word belongs to a regular expression.
func cutPipe(input string) (command, pipe string, piped bool) {
	at := pipeRE.FindStringIndex(input)
	if at == nil {
		return input, "", false
	}
	return input[:at[0]], strings.TrimSpace(input[at[1]:]), true
}

// assign serves name=value and the bare name of an option; done tells whether
// the input is one of these.
func (sh *shell) assign(input string) (done bool, err error) {
	name, value, assigned := strings.Cut(input, "=")
	name = strings.TrimSpace(name)
	f, ok := view.FieldByName(sh.fields, name)
	if !ok {
		return false, nil
	}
	if i := strings.LastIndex(value, "//:"); i >= 0 {
		value = value[:i]
	}
	value = strings.TrimSpace(value)
	if !assigned && !f.IsBool(name) {
		return true, fmt.Errorf("please specify a value, e.g. %s=<val>", name)
	}
	switch {
	case name == "sample_index":
		types := sh.s.profile.TypeNames()
		i, err := sh.s.profile.SampleIndex(value)
		if err != nil {
			return true, err
		}
		value = types[i]
	case name != f.Name: // a choice
		on, err := view.ParseBool(value)
		if err != nil {
			return true, err
		}
		if !on {
			return true, fmt.Errorf("%s cannot be turned off; set another %s: %s", name, f.Name, strings.Join(f.Choices, ", "))
		}
		value = name
	}
	return true, f.Set(&sh.options, value)
}

// reportCommand is a report as asked for at the prompt.
type reportCommand struct {
	kind    *report.Kind
	param   string
	options view.Options
}

// parseReport reads a command line such as "top10 -cum foo -bar >file". Its
// settings hold for this report alone.
func parseReport(tokens []string, kinds []report.Kind, fields []view.Field, o view.Options) (reportCommand, error) {
	name, args := tokens[0], tokens[1:]
	k := report.KindByName(kinds, name)
	if k == nil {
		// top10 is top with a node count.
		if head := strings.TrimRight(name, "0123456789"); head != "" && head != name {
			args = append([]string{name[len(head):]}, args...)
			name = head
			k = report.KindByName(kinds, name)
		}
	}
	if k == nil {
		if _, ok := view.FieldByName(fields, name); ok {
			value := "<val>"
			if len(args) > 0 {
				value = args[0]
			}
			return reportCommand{}, fmt.Errorf("did you mean: %s=%s", name, value)
		}
		return reportCommand{}, fmt.Errorf("unrecognized command: %q", name)
	}
	r := reportCommand{kind: k, options: o}
	if k.Param {
		if len(args) == 0 {
			return reportCommand{}, fmt.Errorf("command %s requires an argument", name)
		}
		r.param, args = args[0], args[1:]
	}
	return r, r.arguments(args)
}

// arguments reads what follows the name of a report.
func (r *reportCommand) arguments(args []string) error {
	var focus, ignore []string
	for i := 0; i < len(args); i++ {
		t := args[i]
		if n, err := strconv.ParseInt(t, 10, 32); err == nil {
			r.options.NodeCount = int(n)
			continue
		}
		switch {
		case t[0] == '>':
			file := t[1:]
			if file == "" {
				if i++; i == len(args) {
					return errors.New("unexpected end of line after >")
				}
				file = args[i]
			}
			r.options.Output = file
		case t == "-cum" || t == "--cum":
			r.options.Sort = "cum"
		case t[0] == '-':
			ignore = append(ignore, t[1:])
		default:
			focus = append(focus, t)
		}
	}
	name := r.kind.Name
	f, i := &r.options.Focus, &r.options.Ignore
	if name == "tags" {
		f, i = &r.options.TagFocus, &r.options.TagIgnore
	}
	setRegexp(f, focus)
	setRegexp(i, ignore)
	if r.options.NodeCount == -1 && (name == "top" || name == "text") {
		r.options.NodeCount = shellNodes
	}
	return nil
}

// setRegexp makes one expression of several.
func setRegexp(dst *string, parts []string) {
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	if len(parts) > 0 {
		*dst = strings.Join(parts, "|")
	}
}

// currentOptions lists the options as assignments that can be typed back in.
func (sh *shell) currentOptions() string {
	var lines []string
	types := sh.s.profile.TypeNames()
	for _, f := range sh.fields {
		if f.Name == "source_path" && sh.options.SourcePath == "" {
			continue // as pprof
		}
		value, comment := quoteEmpty(f.Get(&sh.options)), ""
		switch {
		case f.Choices != nil:
			comment = "[" + strings.Join(slices.Sorted(slices.Values(f.Choices)), " | ") + "]"
			if value == `""` {
				value = "(default)"
			}
		case f.Name == "sample_index":
			if i, err := sh.s.profile.SampleIndex(sh.options.SampleIndex); err == nil {
				value = types[i]
			}
			comment = "[" + strings.Join(types, " | ") + "]"
		case f.Name == "nodecount" && sh.options.NodeCount == -1:
			comment = "default"
		}
		if comment != "" {
			comment = "//: " + comment
		}
		lines = append(lines, fmt.Sprintf("  %-25s = %-20s %s", f.Name, value, comment))
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n") + "\n"
}
