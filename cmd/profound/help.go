package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/view"
)

// helpWidth is how wide help is, so that it fits the narrowest usual terminal.
const helpWidth = 78

// helpCommand is "profound help".
func helpCommand(_ context.Context, args []string, e *env) error {
	kinds := report.Kinds()
	if len(args) == 0 {
		_, err := io.WriteString(e.stdout, helpOverview(kinds))
		return err
	}
	text, err := helpFor(strings.Join(args, " "), kinds)
	if err != nil {
		return usageError{err}
	}
	_, err = io.WriteString(e.stdout, text)
	return err
}

// helpOverview lists what there is help on.
func helpOverview(kinds []report.Kind) string {
	var b strings.Builder
	b.WriteString("profound help TOPIC explains:\n\n")
	for _, t := range topics() {
		row(&b, t.name, t.summary)
	}
	row(&b, "flags", "every flag of the command line")
	row(&b, "reports", "every report, a line each")
	row(&b, "options", "every option, a line each")
	b.WriteString("\nand each report:\n")
	b.WriteString(wrap(strings.Join(kindNames(kinds), " "), 2))
	b.WriteString("each option:\n")
	b.WriteString(wrap(strings.Join(fieldNames(), " "), 2))
	b.WriteString("and each command:\n")
	for _, c := range commands() {
		if !c.hidden {
			row(&b, c.name, c.summary)
		}
	}
	return b.String()
}

func kindNames(kinds []report.Kind) []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.Name
	}
	return names
}

func fieldNames() []string {
	var names []string
	for _, f := range view.Fields() {
		names = append(names, f.Name)
	}
	return names
}

// topicNames is everything help has a page on, sorted.
func topicNames(kinds []report.Kind) []string {
	names := slices.Concat(kindNames(kinds), fieldNames(), []string{"flags", "reports", "options"})
	for _, f := range view.Fields() {
		names = append(names, f.Choices...)
	}
	for _, t := range topics() {
		names = append(names, t.name)
	}
	for _, x := range extras() {
		names = append(names, x.name)
	}
	for _, v := range valueFlags {
		names = append(names, v.name)
	}
	for _, c := range commands() {
		if !c.hidden {
			names = append(names, c.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// helpFor is the page on name, which may be a flag with its dash. A name with
// several meanings gets all of them.
func helpFor(name string, kinds []report.Kind) (string, error) {
	name = strings.TrimLeft(name, "-")
	var pages []string
	add := func(page string) {
		if page != "" {
			pages = append(pages, page)
		}
	}
	if c := findCommand(name); c != nil && !c.hidden {
		add(commandHelp(c))
	}
	if k := report.KindByName(kinds, name); k != nil {
		add(kindHelp(k))
	}
	if f, ok := view.FieldByName(view.Fields(), name); ok {
		add(fieldHelp(f, name))
	}
	for _, v := range valueFlags {
		if v.name == name {
			add(fmt.Sprintf("-%s\n\n%s.\n", v.name, v.help))
		}
	}
	for _, x := range extras() {
		if x.name == name {
			add(extraHelp(x))
		}
	}
	word := strings.NewReplacer(" ", "-", "_", "-").Replace(strings.ToLower(name))
	for _, t := range topics() {
		if t.name == word {
			add(t.text)
		}
	}
	switch name {
	case "flags":
		add(flagsHelp(kinds))
	case "reports", "commands":
		add(reportsHelp(kinds, ""))
	case "options":
		add(optionsHelp())
	}
	if len(pages) > 0 {
		return strings.Join(pages, "\n"), nil
	}
	if near := closest(name, topicNames(kinds)); near != "" {
		return "", fmt.Errorf("there is no help on %q; did you mean %s?", name, near)
	}
	return "", fmt.Errorf("there is no help on %q; \"help\" alone lists the topics", name)
}

// help is the answer to "help" at the prompt.
func (sh *shell) help(name string) (string, error) {
	if name == "" {
		return shellOverview(sh.s.kinds), nil
	}
	if name == ":" {
		return shellText, nil
	}
	return helpFor(name, sh.s.kinds)
}

// shellOverview fits a screen.
func shellOverview(kinds []report.Kind) string {
	var b strings.Builder
	b.WriteString("Reports:\n")
	b.WriteString(wrap(strings.Join(kindNames(kinds), " "), 2))
	b.WriteString("  such as: top20 -cum net/http -gzip    list main.load    tree >file.txt\n")
	b.WriteString("Options:\n")
	b.WriteString(wrap(strings.Join(fieldNames(), " "), 2))
	b.WriteString("  such as: focus=net/http    focus=    sort=cum    trim=false\n")
	b.WriteString("Others:\n")
	for _, r := range [][2]string{
		{"o, options", "options and their values"},
		{":", "empty focus, ignore, hide, tagfocus, tagignore"},
		{"undo", "take back the last change of options"},
		{"REPORT | COMMAND", "page or process a report, as in tree | less"},
		{"help NAME", "a report, an option, or reports, options, shell, filters,"},
		{"", "flat-and-cum, memory, diff ..."},
		{"q, quit, exit, ^D", "leave"},
	} {
		fmt.Fprintf(&b, "  %-18s %s\n", r[0], r[1])
	}
	return b.String()
}

// commandHelp is the page on a command of ours.
func commandHelp(c *command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "profound %s\n\n", strings.TrimSpace(c.name+" "+c.args))
	b.WriteString(wrap(sentence(c.summary), 0))
	if len(c.examples) > 0 {
		b.WriteString("\nExamples:\n")
		for _, x := range c.examples {
			b.WriteString("  " + x + "\n")
		}
	}
	return b.String()
}

// kindHelp is the page on a report.
func kindHelp(k *report.Kind) string {
	var b strings.Builder
	b.WriteString(sentence(k.Help) + "\n")
	if notes := reportNotes(k.Name); notes != "" {
		b.WriteString("\n" + notes + "\n")
	}
	flagForm := "-" + k.Name
	if k.Param {
		flagForm += "=REGEXP"
	}
	usage := k.Usage
	if usage == "" {
		usage = "NAME [n] [focus_regex]* [-ignore_regex]* >f"
	}
	lines := strings.Split(strings.ReplaceAll(usage, "NAME", k.Name), "\n")
	b.WriteString("\nCommand line:   " + flagForm + "\n" + hang("At the prompt:  ", lines[0]))
	if len(lines) > 1 {
		b.WriteString(wrap(strings.Join(lines[1:], " "), 16))
	}
	if k.Ext != "" && k.Viewer == "" {
		b.WriteString(wrap(fmt.Sprintf("On a terminal it goes to the file profile001.%s; -output names another.", k.Ext), 0))
	}
	if !slices.Contains(pprofReports(), k.Name) {
		b.WriteString("pprof does not have this report.\n")
	}
	return b.String()
}

// sentence ends a line of the tables with a full stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// fieldHelp is the page on an option, or on one of its choices.
func fieldHelp(f view.Field, name string) string {
	var b strings.Builder
	if name != f.Name {
		b.WriteString(wrap(sentence(view.ChoiceHelp(name)), 0))
		fmt.Fprintf(&b, "\nCommand line:   -%s\nAt the prompt:  %s=%s\nAll values:     %s\n", name, f.Name, name, strings.Join(f.Choices, ", "))
		return b.String()
	}
	for _, l := range strings.Split(f.Help, "\n") {
		b.WriteString(wrap(sentence(l), 0))
	}
	if more := fieldNotes(f.Name); more != "" {
		b.WriteString("\n" + more + "\n")
	}
	if f.Choices != nil {
		b.WriteByte('\n')
		for _, c := range f.Choices {
			row(&b, c, view.ChoiceHelp(c))
		}
	}
	arg := argName(f)
	flagForm, promptForm := "-"+f.Name+"="+arg, f.Name+"="+arg
	switch {
	case f.IsBool(f.Name):
		flagForm, promptForm = "-"+f.Name+"[=false]", f.Name+"[=false]"
	case f.Choices != nil:
		flagForm = "-" + strings.Join(f.Choices, ", -")
	}
	b.WriteString("\n" + hang("Command line:   ", flagForm))
	b.WriteString("At the prompt:  " + promptForm + "\n")
	defaults := view.Defaults()
	if d := f.Get(&defaults); d != "" {
		fmt.Fprintf(&b, "Default:        %s\n", d)
	}
	if f.URL != "" {
		fmt.Fprintf(&b, "In URLs:        %s\n", f.URL)
	}
	return b.String()
}

// fieldNotes say more than the line in the table where it takes more.
func fieldNotes(name string) string {
	switch name {
	case "focus", "ignore", "hide", "show", "show_from", "prune_from":
		return "See also: help filters"
	case "tagfocus", "tagignore", "tagshow", "taghide", "tagroot", "tagleaf":
		return "See also: help filters, help tags"
	case "unit", "divide_by":
		return "See also: help units"
	case "sample_index":
		return "Names and order are the profile's own; the greeting of the prompt and \"o\"\nshow them. An empty value is the profile's default, else the last.\nSee also: help memory"
	case "mean":
		return "See also: help memory"
	case "nodecount":
		return "-1 leaves it to the report: all for top (10 at the prompt), 80 for graphs.\n0 is no limit."
	case "drop_negative", "normalize":
		return "See also: help diff"
	case "source_path", "trim_path":
		return "Several directories are separated as in PATH. See also: help symbols"
	case "compact_labels":
		return "At the prompt it is on from the start."
	case "output":
		return "The file appears when it is complete. At the prompt, >FILE after a report\ndoes it for that report."
	case "sort":
		return "See also: help flat-and-cum"
	}
	return ""
}

// argName is the word for the value of an option.
func argName(f view.Field) string {
	switch f.Pointer(new(view.Options)).(type) {
	case *bool:
		return ""
	case *int:
		return "N"
	case *float64:
		return "F"
	}
	switch f.Name {
	case "output":
		return "FILE"
	case "source_path", "trim_path":
		return "PATH"
	case "unit":
		return "UNIT"
	case "sample_index":
		return "TYPE"
	case "tagroot", "tagleaf":
		return "KEYS"
	case "tagfocus", "tagignore":
		return "TAG"
	}
	if f.Choices != nil {
		return "WHAT"
	}
	return "RE"
}

func extraHelp(x extra) string {
	s := "-" + x.name
	if x.arg != "" {
		s += "=" + x.arg
	}
	s += "\n\n" + wrap(sentence(x.help), 0)
	if x.ours {
		s += "pprof does not have this flag.\n"
	}
	return s
}

// row prints a name and what it means, in two columns.
func row(b *strings.Builder, name, text string) { rowAt(b, name, text, 18) }

func rowAt(b *strings.Builder, name, text string, column int) {
	lead := fmt.Sprintf("  %-*s", column-2, name)
	if len(lead) > column || strings.HasSuffix(lead, name) {
		b.WriteString(strings.TrimRight(lead, " ") + "\n")
		lead = strings.Repeat(" ", column)
	}
	b.WriteString(hang(lead, text))
}

// hang prints text after lead, further lines below its beginning.
func hang(lead, text string) string {
	return lead + strings.TrimLeft(wrap(text, len(lead)), " ")
}

// wrap breaks text into lines of helpWidth, indented.
func wrap(text string, indent int) string {
	var b strings.Builder
	pad := strings.Repeat(" ", indent)
	line := pad
	for _, w := range strings.Fields(text) {
		if len(line) > indent && len(line)+1+len(w) > helpWidth {
			b.WriteString(line + "\n")
			line = pad
		}
		if len(line) > indent {
			line += " "
		}
		line += w
	}
	return b.String() + line + "\n"
}

// flagUsage is a flag as it is listed.
func flagUsage(f *flag.Flag, arg string) string {
	if b, ok := f.Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() || arg == "" {
		return "-" + f.Name
	}
	return "-" + f.Name + "=" + arg
}
