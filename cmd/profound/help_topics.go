package main

// topic is a page of help that belongs to no flag.
type topic struct {
	name, summary string
	// text is laid out by hand, lines of at most 78 columns.
	text string
}

// topics lists the pages in the order to read them.
func topics() []topic {
	return []topic{
		{"flat-and-cum", "how to read the two numbers of every report", flatAndCumText},
		{"memory", "heap profiles: inuse or alloc, space or objects", memoryText},
		{"sources", "what can be named as a profile", sourcesText},
		{"formats", "kinds of input that are understood", formatsText},
		{"filters", "focus, ignore, hide, show and the others", filtersText},
		{"symbols", "where names, lines and machine code come from", symbolsText},
		{"units", "how values are printed", unitsText},
		{"diff", "compare two profiles", diffText},
		{"shell", "the prompt: commands, keys, history", shellText},
		{"json", "reports for programs", jsonText},
		{"colors", "when output is colored", colorsText},
		{"exit-codes", "what the exit code says", exitCodesText},
		{"environment", "environment variables", environmentText},
	}
}

const flatAndCumText = `Every row of a report has two numbers.

  flat   what the function used itself, in its own lines
  cum    flat, and what all functions it called used

A profile is a pile of samples. Each has a stack and a value. Take three, with
the function that was running on the right:

  main > load > parse     5 s
  main > load             1 s
  main > report           4 s

The value of a sample counts as flat for the rightmost function alone, and as
cum once for each function of the stack:

      flat  flat%        cum   cum%
        5s    50%         5s    50%  parse     all in its own lines
        4s    40%         4s    40%  report
        1s    10%         6s    60%  load      1 s itself, 5 s in parse
         0     0%        10s   100%  main      only calls others

Sort by flat (as it is) to find the code that burns; sort by cum (-cum) to
find the request, job or feature that is to blame. Recursion counts once:
cum is never more than 100% of the total.

sum% is flat% added up from the first row. Percentages are of the whole
profile even under filters; relative_percentages makes them shares of what
the filters leave.
`

const memoryText = `A Go heap profile holds four values for each place that allocates:

  inuse_space     bytes allocated and not freed yet      what is shown first
  inuse_objects   objects allocated and not freed yet
  alloc_space     bytes allocated since the start, freed or not
  alloc_objects   objects allocated since the start

Memory grows, the process is too large:   look at inuse_space.
The garbage collector is busy:            look at alloc_objects, alloc_space.

  profound -alloc_objects -top heap.pb.gz
  alloc_space                        at the prompt: the name switches over

What to know about the numbers:
- They name who allocated, not who holds on to the memory.
- One allocation in 512 KB is sampled and the rest is estimated: small sums
  are rough.
- inuse is the state after the last completed garbage collection. The process
  itself is larger: it has garbage, free room and stacks besides.
- mean=true divides space by objects: the average size of an allocation.

A leak shows best as the difference of two heap profiles: "help diff".
`

const sourcesText = `A source is one of these, tried in this order:

  FILE                      a profile; gzip and zstd are taken off
  DIR                       every profile directly inside
  -                         standard input
  http://HOST/PATH          a URL, also https://
  https+insecure://HOST/    https without checking the certificate
  unix:SOCKET[:/PATH]       HTTP over a unix socket
  'GLOB'                    every file that matches
  HOST:PORT[/PATH]          short for http://; no path asks for a CPU profile

Several sources are merged into one profile; those that cannot be read are
named and left out. A binary may stand before them: "help symbols".

  profound -top localhost:6060/debug/pprof/heap
  profound -seconds=10 http://localhost:6060/debug/pprof/profile
  curl -s https://host/debug/pprof/allocs | profound -top -

Fetching: -seconds is how long a CPU profile takes, -timeout how long to wait,
-header and -bearer_token_file identify you, -tls_cert, -tls_key and -tls_ca
are for TLS. What is fetched is kept in $PPROF_TMPDIR, else in $HOME/pprof,
unless -no_save is given. -max_size bounds the memory a profile takes.
`

const formatsText = `The kind of a file is found by looking into it; its name does not matter.
Any of them may be compressed with gzip or zstd.

  profile.proto        what runtime/pprof and most profilers write today
  goroutine dumps      goroutine?debug=1 and debug=2, the output of a panic
  other debug=1 text   heap, allocs, threadcreate, block, mutex
  gperftools           the older cpu, heap, contention and thread formats
  jemalloc             heap_v2
  java                 the older java cpu, heap and contention formats
  perf                 perf.data, and the text of perf script
  folded stacks        lines such as "main;load;parse 5"

What can be written: proto, folded, callgrind, dot, pictures and more. See
"help reports", and "help json" for programs.
`

const filtersText = `Filters take regular expressions (RE2 syntax) that may match any part of a
function name, a file name or the name of the binary. Case matters; begin
with (?i) when it should not. The parentheses and dots of a name are written
with a backslash: \(\*Buffer\)\.Write.

Which samples count:
  focus=RE        those with a matching function on the stack
  ignore=RE       those without
  tagfocus=X      those with a label that matches
  tagignore=X     those without
Which functions are shown of them:
  hide=RE         leaves out matching functions; callers inherit their value
  show=RE         leaves out all others
  show_from=RE    cuts what is above the topmost match
  prune_from=RE   cuts the match and what is below it
How much is shown:
  nodecount=N     at most N functions
  nodefraction=F  no function whose cum is under this share of the total
  edgefraction=F  no call whose value is under this share
  trim=false      everything

Labels: tagfocus=X looks in all labels, tagfocus=key=X in one. X is a range
when it reads as one (1kb, 1kb:10kb, :64kb, 32mb:), else a list of regular
expressions with commas between. tagshow and taghide choose the labels that
are printed; tagroot=key and tagleaf=key make frames of a label.

At the prompt a report takes focus and ignore as words, for that time only:

  top10 net/http -gzip
`

const symbolsText = `Go programs name their functions in the profile itself. Profiles of other
programs may hold only addresses; the names then come from the binary.

  profound -top ./server cpu.pb.gz     the binary before the sources
  profound -top cpu.pb.gz              the binary where the profile says it is

Else binaries are searched in the directories of $PPROF_BINARY_PATH (default
$HOME/pprof/binaries), as ID/NAME, NAME, PATH, ID[:2]/ID[2:].debug and the
places distributions use for debug files. ID is the build id; a file with
another one is passed over. No other program is needed: objdump, addr2line and
their like are not used.

  -symbolize=none       take the profile as it is
  -symbolize=local      look at binaries only
  -symbolize=remote     ask the server the profile came from only
  -symbolize=force      do it again, even when there are names
  -symbolize=demangle=full   C++ and Rust names in full; also none, templates

Sources for list and weblist: the file as the profile names it, then below the
directories of source_path, the Go installation and the module cache.
trim_path cuts a prefix that only existed where the program was built:

  profound -list=main.load -trim_path=/build/src -source_path=. cpu.pb.gz
`

const unitsText = `Values are kept in base units (bytes, nanoseconds, counts) and scaled when
they are printed.

  unit=minimum     one unit for the whole report, fit for its smallest value
  unit=auto        each value in the unit that suits it
  unit=mb          this unit: b, kb, mb, gb, tb; ns, us, ms, s, hrs

kB, MB and GB count in steps of 1024, as in pprof. A unit of another kind than
the value (ms for bytes) has no effect. divide_by=N divides every value first,
for example by the number of processors or runs.
`

const diffText = `Name an older profile of the same kind, and the report shows what changed:

  profound -top -diff_base=before.pb.gz after.pb.gz
  profound -top -base=before.pb.gz after.pb.gz

Positive values grew, negative ones shrank. The two flags differ in what the
percentages are of: with -diff_base of the older profile, with -base of the
difference. -base is meant for counts since the start of a process, as in
heap, block and mutex profiles: what happened between the two.

  -normalize         scales the newer profile to the total of the older one
                     first: for CPU profiles of different length
  -drop_negative     leaves out what shrank

For a leak take two heap profiles some minutes apart, and read inuse_space:

  profound -top -base=heap1.pb.gz heap2.pb.gz
`

const shellText = `profound SOURCE without a report opens a prompt.

  top10 -cum RE -RE >file   a report: rows, order, focus, ignore, output
  list RE                   lists and graphs want a name first
  NAME=VALUE                sets an option; focus= empties one, mean sets one
  o                         shows all options
  :                         empties focus, ignore, hide, tagfocus, tagignore
  undo                      takes the last change of options back
  alloc_space               the name of a sample type switches over to it,
                            total_NAME and mean_NAME as sum or average
  top | less                sends a report to a command; pager is $PAGER
  help TOPIC                reports, options and the topics of "help"
  q                         leaves; so do quit, exit and Ctrl-D

Settings given with a report hold for that report. A bar or > belongs to the
shell only where a space stands before it: main|runtime is an expression.

Keys: Tab completes commands, options, values, function names and files;
arrows and Ctrl-R search what was typed before, also in earlier sessions;
Ctrl-A, Ctrl-E, Ctrl-W, Ctrl-K, Ctrl-Y edit; Ctrl-C ends a report or drops the
line. Lines that begin with a space are not remembered.

Without a terminal, or with TERM=dumb, lines are read as they come, and the
prompt is pprof's, so that scripts work.
`

const jsonText = `-json prints any report as one JSON value instead of text.

  profound -top -json heap.pb.gz | jq '.rows[0]'

Quantities are numbers in base units (bytes, nanoseconds, or a count), never
text with a unit. Percentages are left out: divide by total. The first fields
are the same everywhere:

  schema     shape and version of the rest, such as "top/1"
  value      {"type", "unit"} of the numbers
  total      what 100% is
  filters    the filters that were active
  profile    file, build id, time, duration, sample types, comments

A report that cuts rows says so in "hidden"; -trim=false cuts nothing. A new
version of a schema may add fields; when one changes or goes, its number
changes. Errors are text on standard error and an exit code, as always.
`

const colorsText = `Text is colored only on a terminal: large shares stand out, package paths step
back, growth and shrinking have a color each besides their sign.

  -color=auto       on a terminal (as it is)
  -color=always     also into a pipe or a file
  -color=never

NO_COLOR=1 and TERM=dumb turn colors off, CLICOLOR_FORCE=1 turns them on; the
flag wins over all of them.
`

const exitCodesText = `  0   all went well, also when a report is empty
  1   a command of profound (profound help lists them) had an error, or the
      run was interrupted
  2   the command line is wrong; or, for command lines that pprof has too,
      any error, as in pprof: a regular expression of list, peek or disasm
      that matches nothing is one
  3   a command that checks against a limit found something beyond it

One source of several that cannot be read is a warning, not an error.
`

const environmentText = `  PPROF_BINARY_PATH   where binaries are searched (help symbols); default
                      $HOME/pprof/binaries
  PPROF_TMPDIR        where fetched profiles are kept; default $HOME/pprof
  HTTP_PROXY, HTTPS_PROXY, NO_PROXY
                      proxies for fetching
  BROWSER             the browser for web and weblist; %s stands for the file
  DISPLAY, WAYLAND_DISPLAY
                      with one of them xdg-open is tried too
  PAGER, LESS         for "| pager" at the prompt
  TERM                empty or dumb: no line editing, no colors
  NO_COLOR, CLICOLOR_FORCE
                      see help colors
  GOROOT, GOPATH, GOMODCACHE
                      where Go sources are searched
  XDG_CONFIG_HOME     the history of the prompt is in profound/history below
                      it, what the page had open in profound/recent.json
                      (default $HOME/.config; on macOS and Windows the usual
                      place)
  PROFOUND_EDITOR     what "open in editor" of the page opens: vscode, cursor,
                      windsurf, zed, goland, idea, sublime, textmate, or an
                      address such as vscode://file{file}:{line}
  HOME                on Windows USERPROFILE

PPROF_TOOLS has no effect: no outside tools are used.
`
