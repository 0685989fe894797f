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
		{Name: "top", Help: "List functions by their value, largest first", Usage: usageTop, Compute: result(NewTop)},
		{Name: "text", Help: "List functions by their value, largest first", Usage: usageTop, Compute: result(NewTop)},
		{Name: "tree", Help: "List functions, each with its callers and callees", Usage: usageTop, Compute: resultErr(NewTree), force: graph},
		{Name: "peek", Param: true, Help: "Show callers and callees of the functions that match", Usage: "peek func_regex", Compute: resultErr(NewTree), force: forced{noTrim: true}},
		{Name: "traces", Help: "List every sample with its labels and stack", Compute: result(NewTraces), force: graph},
		{Name: "tags", Help: "List label keys and values with their totals", Usage: "tags [tag_regex]* [-ignore_regex]* [>file]\nTags whose key:value matches tag_regex and not ignore_regex.", Compute: result(NewTags), force: graph},
		{Name: "comments", Help: "List the comments recorded in the profile", Compute: result(NewComments), force: graph},
		{Name: "raw", Help: "Dump the whole profile as text", Compute: result(NewRaw), force: exact},
		{Name: "list", Param: true, Help: "Show the source of matching functions with values by line", Usage: usageList, Compute: resultErr(NewList), force: forced{granularity: "lines", noTrim: true}},
		{Name: "disasm", Param: true, Help: "Show the machine code of matching functions with values by instruction", Usage: usageList, Compute: resultErr(NewDisasm), force: forced{granularity: "addresses", noInlines: true, noTrim: true}},
		{Name: "weblist", Param: true, Help: "Open source with values in a browser; lines unfold to instructions", Usage: usageList, Ext: "html", Viewer: "browser", Compute: resultErr(NewWebList), force: forced{granularity: "addresses", inlines: true, noTrim: true}},
		{Name: "dot", Help: "Write the call graph in the language of Graphviz", Usage: usageGraph, Compute: result(NewDot), force: graph},
		{Name: "svg", Help: "Draw the call graph as SVG, to pan and zoom in a browser", Usage: usageGraph, Ext: "svg", Compute: newPicture(writeSVG), force: graph},
		{Name: "png", Help: "Draw the call graph as a PNG image", Usage: usageGraph, Ext: "png", Compute: newPicture(writePNG), force: graph},
		{Name: "gif", Help: "Draw the call graph as a GIF image", Usage: usageGraph, Ext: "gif", Compute: newPicture(writeGIF), force: graph},
		{Name: "pdf", Help: "Draw the call graph as a PDF page", Usage: usageGraph, Ext: "pdf", Compute: newPicture(writePDF), force: graph},
		{Name: "ps", Help: "Draw the call graph as PostScript", Usage: usageGraph, Ext: "ps", Compute: newPicture(writePS), force: graph},
		{Name: "html", Help: "Write one HTML page with flame graph and call graph", Usage: usageGraph, Ext: "html", Compute: newPicture(writeHTML), force: graph},
		{Name: "web", Help: "Open flame graph and call graph in a browser", Usage: usageView, Ext: "html", Viewer: "browser", Compute: newPicture(writeHTML), force: graph},
		{Name: "eog", Help: "Open the call graph with eog", Usage: usageView, Ext: "svg", Viewer: "eog", Compute: newPicture(writeSVG), force: graph},
		{Name: "evince", Help: "Open the call graph with evince", Usage: usageView, Ext: "pdf", Viewer: "evince", Compute: newPicture(writePDF), force: graph},
		{Name: "gv", Help: "Open the call graph with gv", Usage: usageView, Ext: "ps", Viewer: "gv", Compute: newPicture(writePS), force: graph},
		{Name: "folded", Help: "Write folded stacks, one a line, for flame graph tools", Compute: resultErr(NewFolded), force: forced{noTrim: true}},
		{Name: "speedscope", Help: "Write a file for speedscope", Ext: "speedscope.json", Compute: resultErr(NewSpeedscope), force: exact},
		{Name: "callgrind", Help: "Write costs and calls in the format of callgrind", Usage: usageGraph, Ext: "callgraph.out", Compute: result(NewCallgrind), force: exact},
		{Name: "kcachegrind", Help: "Open costs and calls with KCachegrind", Usage: usageView, Ext: "grind", Viewer: "kcachegrind", Compute: result(NewCallgrind), force: exact},
		{Name: "proto", Help: "Write the merged, filtered profile as profile.proto", Ext: "pb.gz", Compute: result(NewProto), force: exact},
		{Name: "topproto", Help: "Write the functions of top as profile.proto", Ext: "pb.gz", Compute: resultErr(NewTopProto)},
	}
	return kinds
}
