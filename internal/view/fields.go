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
		return "Sort entries based on own weight"
	case "cum":
		return "Sort entries based on cumulative weight"
	case "functions":
		return "Aggregate at the function level, whatever file it is defined in."
	case "filefunctions":
		return "Aggregate at the function level, functions of different files apart."
	case "files":
		return "Aggregate at the file level."
	case "lines":
		return "Aggregate at the source code line level."
	case "addresses":
		return "Aggregate at the address level, and show addresses."
	}
	return ""
}

// Fields lists every option, in the order of Options.
func Fields() []Field { return fieldTable() }

func fieldTable() []Field {
	regexps := "The expression is RE2, unanchored; it is matched against function names, file names and the names of mapped files."
	tags := "NAME=VALUE limits it to one label. Numbers may be ranges with units: 1kb, 1kb:10kb, memory=32mb: . Otherwise comma separated regular expressions, all of which must match."
	return []Field{
		{"output", "", false, nil, "Output filename for file-based outputs", func(o *Options) any { return &o.Output }},
		{"call_tree", "calltree", true, nil, "Create a context-sensitive call tree\nThe same function reached by different paths is a node each time. For the graph formats and callgrind.", func(o *Options) any { return &o.CallTree }},
		{"relative_percentages", "rel", true, nil, "Show percentages relative to focused subgraph\nFilters are applied before the total is taken.", func(o *Options) any { return &o.RelativePercentages }},
		{"unit", "unit", true, nil, "Measurement units to display\nseconds, ms, mb, kb ...; minimum picks one for the report, auto scales each value.", func(o *Options) any { return &o.Unit }},
		{"compact_labels", "compact", true, nil, "Show minimal headers", func(o *Options) any { return &o.CompactLabels }},
		{"source_path", "", false, nil, "Search path for source files", func(o *Options) any { return &o.SourcePath }},
		{"trim_path", "", false, nil, "Path to trim from source paths before search", func(o *Options) any { return &o.TrimPath }},
		{"intel_syntax", "intel", true, nil, "Show assembly in Intel syntax\nFor disasm and weblist.", func(o *Options) any { return &o.IntelSyntax }},
		{"mean", "mean", true, nil, "Average sample value over first value (count)\nAverage size of an allocation, average delay of an event.", func(o *Options) any { return &o.Mean }},
		{"sample_index", "si", false, nil, "Sample value to report (0-based index or name)", func(o *Options) any { return &o.SampleIndex }},
		{"divide_by", "", false, nil, "Ratio to divide all samples before visualization", func(o *Options) any { return &o.DivideBy }},
		{"normalize", "norm", true, nil, "Scales profile based on the base profile.", func(o *Options) any { return &o.Normalize }},
		{"sort", "sort", true, []string{"cum", "flat"}, "Order of the entries", func(o *Options) any { return &o.Sort }},
		{"tagroot", "", true, nil, "Adds pseudo stack frames for label values at the stack root\nA comma separated list of label keys; the first is outermost.", func(o *Options) any { return &o.TagRoot }},
		{"tagleaf", "", true, nil, "Adds pseudo stack frames for label values at the stack leaf\nA comma separated list of label keys; the last is the leaf.", func(o *Options) any { return &o.TagLeaf }},
		{"drop_negative", "dropneg", true, nil, "Ignore negative differences", func(o *Options) any { return &o.DropNegative }},
		{"nodecount", "n", true, nil, "Max number of nodes to show", func(o *Options) any { return &o.NodeCount }},
		{"nodefraction", "nf", true, nil, "Hide nodes below <f>*total", func(o *Options) any { return &o.NodeFraction }},
		{"edgefraction", "ef", true, nil, "Hide edges below <f>*total", func(o *Options) any { return &o.EdgeFraction }},
		{"trim", "trim", true, nil, "Honor nodefraction/edgefraction/nodecount defaults\nfalse shows everything.", func(o *Options) any { return &o.Trim }},
		{"focus", "f", true, nil, "Restricts to samples going through a node matching regexp\n" + regexps, func(o *Options) any { return &o.Focus }},
		{"ignore", "i", true, nil, "Skips paths going through any nodes matching regexp\n" + regexps, func(o *Options) any { return &o.Ignore }},
		{"prune_from", "prunefrom", true, nil, "Drops any functions below the matched frame", func(o *Options) any { return &o.PruneFrom }},
		{"hide", "h", true, nil, "Skips nodes matching regexp\n" + regexps, func(o *Options) any { return &o.Hide }},
		{"show", "s", true, nil, "Only show nodes matching regexp\n" + regexps, func(o *Options) any { return &o.Show }},
		{"show_from", "sf", true, nil, "Drops functions above the highest matched frame\n" + regexps, func(o *Options) any { return &o.ShowFrom }},
		{"tagfocus", "tf", true, nil, "Restricts to samples with tags in range or matched by regexp\n" + tags, func(o *Options) any { return &o.TagFocus }},
		{"tagignore", "ti", true, nil, "Discard samples with tags in range or matched by regexp\n" + tags, func(o *Options) any { return &o.TagIgnore }},
		{"tagshow", "ts", true, nil, "Only consider tags matching this regexp", func(o *Options) any { return &o.TagShow }},
		{"taghide", "th", true, nil, "Skip tags matching this regexp", func(o *Options) any { return &o.TagHide }},
		{"noinlines", "noinlines", true, nil, "Ignore inlines\nInlined calls count for the function they were inlined into.", func(o *Options) any { return &o.NoInlines }},
		{"showcolumns", "showcolumns", true, nil, "Show column numbers at the source code line level", func(o *Options) any { return &o.ShowColumns }},
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
