package main

// reportNotes say what a report is good for, beyond the line in the table.
// Lines are at most 78 columns.
func reportNotes(name string) string {
	switch name {
	case "top", "text":
		return `One row for each function, the largest first: flat is what it used itself,
cum what it used together with everything it called ("help flat-and-cum").
sum% adds up flat from the top. At the prompt ten rows are shown, on the
command line all.

  profound -top -cum cpu.pb.gz
  top20 -cum net/http -gzip          at the prompt`
	case "tree":
		return `One block for each function: who calls it, the function itself with flat and
cum, whom it calls. The share beside a caller is what came by that call.

  profound -tree -focus=Marshal cpu.pb.gz`
	case "peek":
		return `The blocks of tree for the functions that match, however small they are.
Good for the question "who calls this?".

  profound -peek='bytes\.growSlice' heap.pb.gz`
	case "traces":
		return `Every sample with its value, labels and stack, leaf first. Nothing is
summed up; use it to see what is really in the profile.`
	case "tags":
		return `What the labels of the samples (pprof.Do and its like) add up to: for each
label key the share of each of its values. Words after the command choose
labels by key:value instead of functions.

  tags tenant -internal              at the prompt`
	case "comments":
		return `The comments stored in the profile, a line each; -add_comment adds one.`
	case "raw":
		return `Everything in the profile as text: samples, locations, mappings.`
	case "list":
		return `The source of every function that matches, each line with its flat and cum
value. Sources are searched in the directories of source_path (default: the
current one), in the Go installation and in the module cache; trim_path cuts
prefixes of a build elsewhere ("help symbols").

  profound -list='^main\.load$' cpu.pb.gz`
	case "disasm":
		return `The machine code of every function that matches, each instruction with its
value and source line. Needs the binary that was profiled; an address such as
0x4a2f31 instead of a name shows the code around it.

  profound -disasm='hash32' ./server cpu.pb.gz`
	case "weblist":
		return `list and disasm side by side as a page in the browser: click a source line
to see its instructions. With -output it is written to a file.`
	}
	return graphNotes(name)
}

// graphNotes are the notes of reports that are pictures or files.
func graphNotes(name string) string {
	switch name {
	case "dot":
		return `The call graph as text for Graphviz. To get a picture, ask for svg, png or
web directly: no other program is needed for them.`
	case "svg":
		return `The call graph as a picture that can be dragged and zoomed in a browser.
The area of a box is its flat value, the width of an arrow the value that
came by that call. On a terminal a numbered file is written.

  profound -svg -output=cpu.svg cpu.pb.gz`
	case "png", "gif":
		return `The call graph as a picture of fixed size. On a terminal a numbered file is
written; -output names another.`
	case "pdf", "ps":
		return `The call graph on one page to print. On a terminal a numbered file is
written; -output names another.`
	case "html":
		return `Flame graph and call graph in one page that needs no server and no network:
attach it to a ticket, keep it with the release.

  profound -html -output=cpu.html cpu.pb.gz`
	case "web":
		return `Makes a page of the profile and opens it in a browser: the one $BROWSER
names, else the first that is found.`
	case "eog":
		return `Makes an SVG of the call graph and opens it with the picture viewer eog.`
	case "evince":
		return `Makes a PDF of the call graph and opens it with the document viewer evince.`
	case "gv":
		return `Makes PostScript of the call graph and opens it with the viewer gv.`
	case "folded":
		return `One line for each stack: frames from the root to the leaf joined by
semicolons, then the value. The input of many flame graph tools, and easy to
search with grep; profound reads it too.

  profound -folded cpu.pb.gz | grep gcBgMarkWorker`
	case "speedscope":
		return `The stacks as a file for https://www.speedscope.app.`
	case "callgrind":
		return `Costs by instruction in the format of valgrind, for KCachegrind and
QCachegrind.`
	case "kcachegrind":
		return `Writes callgrind format and opens it with KCachegrind.`
	case "proto":
		return `The profile itself after merging, symbolizing and filters: to keep a part of
a profile, or several profiles as one.

  profound -proto -focus=parser -output=part.pb.gz cpu1.pb.gz cpu2.pb.gz`
	case "topproto":
		return `The rows of top as a profile with one sample each, values cum and flat.`
	}
	return ""
}

// pprofReports are the reports go tool pprof has too.
func pprofReports() []string {
	return []string{
		"callgrind", "comments", "disasm", "dot", "eog", "evince", "gif", "gv", "kcachegrind", "list", "pdf", "peek",
		"png", "proto", "ps", "raw", "svg", "tags", "text", "top", "topproto", "traces", "tree", "web", "weblist",
	}
}
