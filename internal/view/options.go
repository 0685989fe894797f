// Package view turns a Profile into what a report shows: it picks the value,
// applies filters and granularity, and adds values up over stacks into a
// graph or a call tree of nodes. It knows no text layout.
//
// A view is made in the order pprof has (Prepare): label frames, filters,
// total, aggregation; then Trim builds the graph and drops what is too small
// to show. Profiles are never changed: every step makes a new Profile that
// shares the columns it left alone.
package view

// Options are the settings of a report: what pprof calls config. The table in
// fields.go gives each its names; flags, shell variables, help and completion
// are made from that table.
type Options struct {
	Output string // file to write to, "" for standard output

	CallTree            bool
	RelativePercentages bool
	Unit                string // unit.Minimum, unit.Auto or a unit
	CompactLabels       bool
	SourcePath          string // directories, separated as in PATH
	TrimPath            string // prefixes to cut from source names, likewise
	IntelSyntax         bool
	Mean                bool
	SampleIndex         string
	DivideBy            float64
	Normalize           bool
	Sort                string // "flat" or "cum"

	TagRoot string // comma separated label keys
	TagLeaf string

	DropNegative bool
	NodeCount    int // -1: the report's own default
	NodeFraction float64
	EdgeFraction float64
	Trim         bool
	Focus        string
	Ignore       string
	PruneFrom    string
	Hide         string
	Show         string
	ShowFrom     string
	TagFocus     string
	TagIgnore    string
	TagShow      string
	TagHide      string
	NoInlines    bool
	ShowColumns  bool

	// NameAbsent names the frame that tagroot and tagleaf add for an absent
	// label "(no KEY)". pprof leaves it without a name; where its text is of no
	// use as an example, ours need not.
	NameAbsent bool

	// Granularity is "" (the report's own), "functions", "filefunctions",
	// "files", "lines" or "addresses". "packages" makes an entry of each Go
	// package, calls inside one being one; pprof does not have it, so it is no
	// choice on the command line.
	Granularity string
}

// Defaults are the settings before any flag.
func Defaults() Options {
	return Options{
		Unit:         "minimum",
		NodeCount:    -1,
		NodeFraction: 0.005,
		EdgeFraction: 0.001,
		Trim:         true,
		DivideBy:     1,
		Sort:         "flat",
	}
}
