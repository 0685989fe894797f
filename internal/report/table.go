package report

// Usage texts of the shell.
const (
	usageGraph = "NAME [n] [focus_regex]* [-ignore_regex]* >f\nAt most n nodes; samples through focus_regex, not through ignore_regex; into file f."
	usageTop   = "NAME [n] [focus_regex]* [-ignore_regex]* [-cum] >f\nAt most n nodes; samples through focus_regex, not through ignore_regex;\n-cum sorts by cumulative value; into file f."
	usageView  = "NAME [n] [focus_regex]* [-ignore_regex]*\nAt most n nodes; samples through focus_regex, not through ignore_regex."
	usageList  = "NAME <func_regex|address> [focus_regex]* [-ignore_regex]* >f\nFunctions that match func_regex or hold the address."
)

// Kinds lists every report.
func Kinds() []Kind {
	graph := forced{count: defaultNodes}
	exact := forced{granularity: "addresses", noTrim: true}
	kinds := []Kind{
		{Name: "top", Help: "Outputs top entries in text form", Usage: usageTop, Compute: result(NewTop)},
		{Name: "text", Help: "Outputs top entries in text form", Usage: usageTop, Compute: result(NewTop)},
		{Name: "tree", Help: "Outputs a text rendering of call graph", Usage: usageTop, Compute: resultErr(NewTree), force: graph},
		{Name: "peek", Param: true, Help: "Output callers/callees of functions matching regexp", Usage: "peek func_regex", Compute: resultErr(NewTree), force: forced{noTrim: true}},
		{Name: "traces", Help: "Outputs all profile samples in text form", Compute: result(NewTraces), force: graph},
		{Name: "tags", Help: "Outputs all tags in the profile", Usage: "tags [tag_regex]* [-ignore_regex]* [>file]\nTags whose key:value matches tag_regex and not ignore_regex.", Compute: result(NewTags), force: graph},
		{Name: "comments", Help: "Output all profile comments", Compute: result(NewComments), force: graph},
		{Name: "raw", Help: "Outputs a text representation of the raw profile", Compute: result(NewRaw), force: exact},
		{Name: "list", Param: true, Help: "Output annotated source for functions matching regexp", Usage: usageList, Compute: resultErr(NewList), force: forced{granularity: "lines", noTrim: true}},
		{Name: "disasm", Param: true, Help: "Output assembly listings annotated with samples", Usage: usageList, Compute: resultErr(NewDisasm), force: forced{granularity: "addresses", noInlines: true, noTrim: true}},
		{Name: "dot", Help: "Outputs a graph in DOT format", Usage: usageGraph, Compute: result(NewDot), force: graph},
		{Name: "callgrind", Help: "Outputs a graph in callgrind format", Usage: usageGraph, Ext: "callgraph.out", Compute: result(NewCallgrind), force: exact},
		{Name: "kcachegrind", Help: "Visualize report in KCachegrind", Usage: usageView, Ext: "grind", Viewer: "kcachegrind", Compute: result(NewCallgrind), force: exact},
		{Name: "proto", Help: "Outputs the profile in compressed protobuf format", Ext: "pb.gz", Compute: result(NewProto), force: exact},
		{Name: "topproto", Help: "Outputs top entries in compressed protobuf format", Ext: "pb.gz", Compute: resultErr(NewTopProto)},
	}
	return kinds
}
