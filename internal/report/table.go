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
		{Name: "weblist", Param: true, Help: "Display annotated source in a web browser", Usage: usageList, Ext: "html", Viewer: "browser", Compute: resultErr(NewWebList), force: forced{granularity: "addresses", inlines: true, noTrim: true}},
		{Name: "dot", Help: "Outputs a graph in DOT format", Usage: usageGraph, Compute: result(NewDot), force: graph},
		{Name: "svg", Help: "Outputs a graph in SVG format", Usage: usageGraph, Ext: "svg", Compute: newPicture(writeSVG), force: graph},
		{Name: "png", Help: "Outputs a graph image in PNG format", Usage: usageGraph, Ext: "png", Compute: newPicture(writePNG), force: graph},
		{Name: "gif", Help: "Outputs a graph image in GIF format", Usage: usageGraph, Ext: "gif", Compute: newPicture(writeGIF), force: graph},
		{Name: "pdf", Help: "Outputs a graph in PDF format", Usage: usageGraph, Ext: "pdf", Compute: newPicture(writePDF), force: graph},
		{Name: "ps", Help: "Outputs a graph in PS format", Usage: usageGraph, Ext: "ps", Compute: newPicture(writePS), force: graph},
		{Name: "html", Help: "Outputs one page with flame graph and graph", Usage: usageGraph, Ext: "html", Compute: newPicture(writeHTML), force: graph},
		{Name: "web", Help: "Visualize flame graph and graph in a browser", Usage: usageView, Ext: "html", Viewer: "browser", Compute: newPicture(writeHTML), force: graph},
		{Name: "eog", Help: "Visualize graph through eog", Usage: usageView, Ext: "svg", Viewer: "eog", Compute: newPicture(writeSVG), force: graph},
		{Name: "evince", Help: "Visualize graph through evince", Usage: usageView, Ext: "pdf", Viewer: "evince", Compute: newPicture(writePDF), force: graph},
		{Name: "gv", Help: "Visualize graph through gv", Usage: usageView, Ext: "ps", Viewer: "gv", Compute: newPicture(writePS), force: graph},
		{Name: "folded", Help: "Outputs folded stacks, a line each", Compute: resultErr(NewFolded), force: forced{noTrim: true}},
		{Name: "speedscope", Help: "Outputs a file for speedscope", Ext: "speedscope.json", Compute: resultErr(NewSpeedscope), force: exact},
		{Name: "callgrind", Help: "Outputs a graph in callgrind format", Usage: usageGraph, Ext: "callgraph.out", Compute: result(NewCallgrind), force: exact},
		{Name: "kcachegrind", Help: "Visualize report in KCachegrind", Usage: usageView, Ext: "grind", Viewer: "kcachegrind", Compute: result(NewCallgrind), force: exact},
		{Name: "proto", Help: "Outputs the profile in compressed protobuf format", Ext: "pb.gz", Compute: result(NewProto), force: exact},
		{Name: "topproto", Help: "Outputs top entries in compressed protobuf format", Ext: "pb.gz", Compute: resultErr(NewTopProto)},
	}
	return kinds
}
