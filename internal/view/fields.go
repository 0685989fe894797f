package view

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Field describes one option: its name as flag and shell variable, its name
// in URLs, and where it lives in Options.
type Field struct {
	Name string
	// URL is the query parameter, "" when the option has none.
	URL string
	// Saved options belong to a named configuration.
	Saved bool
	// Choices are the allowed values; each is also a boolean flag.
	Choices []string
	// Help is a line for lists, then what else there is to say.
	Help string
	// Pointer gives the place of the value: *bool, *int, *float64 or *string.
	Pointer func(*Options) any
}

// ChoiceHelp explains the values of options with Choices.
func ChoiceHelp(choice string) string {
	switch choice {
	case "flat":
		return "Sort by what each entry spent itself"
	case "cum":
		return "Sort by what each entry spent with its callees"
	case "functions":
		return "One entry a function name, whatever file it is defined in"
	case "filefunctions":
		return "One entry a function, functions of different files apart"
	case "files":
		return "One entry a source file"
	case "lines":
		return "One entry a source line"
	case "addresses":
		return "One entry an address, and show addresses"
	}
	return ""
}

// Fields lists every option, in the order of Options.
func Fields() []Field { return fieldTable() }

func fieldTable() []Field {
	regexps := "The expression is RE2, unanchored; it is matched against function names, file names and the names of mapped files."
	tags := "NAME=VALUE limits it to one label. Numbers may be ranges with units: 1kb, 1kb:10kb, memory=32mb: . Otherwise comma separated regular expressions, all of which must match."
	return []Field{
		{"output", "", false, nil, "Write the report to this file", func(o *Options) any { return &o.Output }},
		{"call_tree", "calltree", true, nil, "Keep call paths apart\nThe same function reached by different paths is a node each time. For the graph formats and callgrind.", func(o *Options) any { return &o.CallTree }},
		{"relative_percentages", "rel", true, nil, "Count percentages from what the filters leave\nFilters are applied before the total is taken.", func(o *Options) any { return &o.RelativePercentages }},
		{"unit", "unit", true, nil, "Print values in this unit\nseconds, ms, mb, kb ...; minimum picks one for the report, auto scales each value.", func(o *Options) any { return &o.Unit }},
		{"compact_labels", "compact", true, nil, "Leave out the lines about the profile", func(o *Options) any { return &o.CompactLabels }},
		{"source_path", "", false, nil, "Directories to look for source files in", func(o *Options) any { return &o.SourcePath }},
		{"trim_path", "", false, nil, "Prefixes to cut from source file names", func(o *Options) any { return &o.TrimPath }},
		{"intel_syntax", "intel", true, nil, "Write machine code in Intel syntax\nFor disasm and weblist.", func(o *Options) any { return &o.IntelSyntax }},
		{"mean", "mean", true, nil, "Show the average of an event instead of the sum\nAverage size of an allocation, average delay of an event.", func(o *Options) any { return &o.Mean }},
		{"sample_index", "si", false, nil, "The value to show, by name or number from 0", func(o *Options) any { return &o.SampleIndex }},
		{"divide_by", "", false, nil, "Divide all values by this number", func(o *Options) any { return &o.DivideBy }},
		{"normalize", "norm", true, nil, "Scale the profile to the total of the base first", func(o *Options) any { return &o.Normalize }},
		{"sort", "sort", true, []string{"cum", "flat"}, "Order of the entries", func(o *Options) any { return &o.Sort }},
		{"tagroot", "", true, nil, "Put label values as frames above each stack\nA comma separated list of label keys; the first is outermost.", func(o *Options) any { return &o.TagRoot }},
		{"tagleaf", "", true, nil, "Put label values as frames below each stack\nA comma separated list of label keys; the last is the leaf.", func(o *Options) any { return &o.TagLeaf }},
		{"drop_negative", "dropneg", true, nil, "Leave out what became less in a diff", func(o *Options) any { return &o.DropNegative }},
		{"nodecount", "n", true, nil, "Show at most this many entries", func(o *Options) any { return &o.NodeCount }},
		{"nodefraction", "nf", true, nil, "Leave out entries below this share of the total", func(o *Options) any { return &o.NodeFraction }},
		{"edgefraction", "ef", true, nil, "Leave out edges below this share of the total", func(o *Options) any { return &o.EdgeFraction }},
		{"trim", "trim", true, nil, "Leave out small entries and edges\n-trim=false shows everything.", func(o *Options) any { return &o.Trim }},
		{"focus", "f", true, nil, "Keep samples with a matching frame\n" + regexps, func(o *Options) any { return &o.Focus }},
		{"ignore", "i", true, nil, "Drop samples with a matching frame\n" + regexps, func(o *Options) any { return &o.Ignore }},
		{"prune_from", "prunefrom", true, nil, "Cut stacks below the innermost matching frame", func(o *Options) any { return &o.PruneFrom }},
		{"hide", "h", true, nil, "Take matching frames out of the stacks\n" + regexps, func(o *Options) any { return &o.Hide }},
		{"show", "s", true, nil, "Take all other frames out of the stacks\n" + regexps, func(o *Options) any { return &o.Show }},
		{"show_from", "sf", true, nil, "Cut stacks above the outermost matching frame\n" + regexps, func(o *Options) any { return &o.ShowFrom }},
		{"tagfocus", "tf", true, nil, "Keep samples with a matching label\n" + tags, func(o *Options) any { return &o.TagFocus }},
		{"tagignore", "ti", true, nil, "Drop samples with a matching label\n" + tags, func(o *Options) any { return &o.TagIgnore }},
		{"tagshow", "ts", true, nil, "Keep the labels whose key matches", func(o *Options) any { return &o.TagShow }},
		{"taghide", "th", true, nil, "Drop the labels whose key matches", func(o *Options) any { return &o.TagHide }},
		{"noinlines", "noinlines", true, nil, "Count inlined calls for the function they were inlined into", func(o *Options) any { return &o.NoInlines }},
		{"showcolumns", "showcolumns", true, nil, "Tell columns of a line apart", func(o *Options) any { return &o.ShowColumns }},
		{"granularity", "g", true, []string{"functions", "filefunctions", "files", "lines", "addresses"}, "What one entry stands for", func(o *Options) any { return &o.Granularity }},
	}
}

// FieldByName finds an option by its name, or by one of its choices.
func FieldByName(fields []Field, name string) (Field, bool) {
	i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name || slices.Contains(f.Choices, name) })
	if i < 0 {
		return Field{}, false
	}
	return fields[i], true
}

// IsBool tells whether name, an option or a choice, takes no value.
func (f Field) IsBool(name string) bool {
	if name != f.Name {
		return true
	}
	_, ok := f.Pointer(new(Options)).(*bool)
	return ok
}

// Get prints the value of the option in o.
func (f Field) Get(o *Options) string {
	switch p := f.Pointer(o).(type) {
	case *bool:
		return strconv.FormatBool(*p)
	case *int:
		return strconv.Itoa(*p)
	case *float64:
		return fmt.Sprint(*p)
	case *string:
		return *p
	}
	panic("option " + f.Name + " has no supported type")
}

// Set parses value into the option of o. Booleans take pprof's words:
// true t yes y 1 and nothing, false f no n 0.
func (f Field) Set(o *Options, value string) error {
	switch p := f.Pointer(o).(type) {
	case *bool:
		v, err := ParseBool(value)
		if err != nil {
			return err
		}
		*p = v
	case *int:
		v, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%s=%s: not a whole number", f.Name, value)
		}
		*p = v
	case *float64:
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("%s=%s: not a number", f.Name, value)
		}
		*p = v
	case *string:
		if f.Choices != nil && !slices.Contains(f.Choices, value) {
			return fmt.Errorf("invalid %q value %q; choose from %s", f.Name, value, strings.Join(f.Choices, ", "))
		}
		*p = value
	}
	return nil
}

// ParseBool reads a boolean in any of pprof's spellings.
func ParseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "t", "yes", "y", "1", "":
		return true, nil
	case "false", "f", "no", "n", "0":
		return false, nil
	}
	return false, fmt.Errorf("illegal value %q for bool variable", s)
}
