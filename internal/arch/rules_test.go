package arch

// module is the prefix of our own import paths.
const module = "github.com/profoundhq/profound/"

// houseRow is one package of the house and what of the house it may import.
type houseRow struct {
	// pkg is the path below the module. A row for "a/b" covers "a/b/c" too,
	// unless that has a row of its own.
	pkg string
	// level grows upwards. An import must point to a lower level; within one
	// level only inside the same tree (symbol/symbolize may import symbol).
	level int
	// may lists the allowed imports.
	may string
}

// house lists every package. What is not in the table may not exist.
var house = [...]houseRow{
	{"cmd/profound", 8, "web internal/web internal/demo internal/format internal/goheap internal/leak internal/origin internal/proc internal/procstat internal/profile internal/reason internal/render internal/report internal/source " +
		"internal/symbol internal/symbol/srcfind internal/symbol/symbolize internal/textart internal/unit internal/verdict internal/view internal/watch internal/why"},

	// Public; its own imports are the dependencies of everybody's tests.
	{"leaktest", 8, "internal/format/pprof internal/leak internal/origin internal/profile internal/verdict"},

	{"internal/web", 7, "internal/goheap internal/leak internal/origin internal/profile internal/reason internal/render internal/report internal/retain " +
		"internal/source internal/symbol internal/symbol/srcfind internal/unit internal/verdict internal/view internal/why"},
	{"web", 0, ""}, // the built page

	{"internal/report", 5, "internal/format/folded internal/format/pprof internal/format/profjson internal/format/speedscope " +
		"internal/origin internal/profile internal/render internal/symbol internal/symbol/srcfind internal/unit internal/view"},

	{"internal/watch", 5, "internal/format internal/leak internal/procstat internal/profile internal/source"},
	{"internal/reason", 6, "internal/goheap internal/leak internal/origin internal/retain internal/textart internal/verdict internal/why"},
	{"internal/why", 4, "internal/goheap internal/origin internal/profile internal/retain"},
	{"internal/verdict", 5, "internal/leak internal/origin internal/textart internal/unit"},

	{"internal/leak", 4, "internal/origin internal/profile"},
	{"internal/leak/leaksim", 4, "internal/leak internal/profile"}, // for tests and benchmarks
	{"internal/source", 4, "internal/format internal/profile"},

	{"internal/format", 3, "internal/format/folded internal/format/gotext internal/format/gotrace internal/format/legacy " +
		"internal/format/lines internal/format/perfscript internal/format/pprof internal/profile"},
	{"internal/format/folded", 3, "internal/format/lines internal/profile"},
	{"internal/format/gotext", 3, "internal/format/lines internal/profile"},
	{"internal/format/gotrace", 3, "internal/profile"},
	{"internal/format/legacy", 3, "internal/format/lines internal/profile"},
	{"internal/format/lines", 3, ""},
	{"internal/format/perfscript", 3, "internal/format/lines internal/profile"},
	{"internal/format/pprof", 3, "internal/profile"},
	{"internal/format/profjson", 3, "internal/profile internal/unit"},
	{"internal/format/speedscope", 3, "internal/profile internal/unit"},
	{"internal/symbol", 3, ""},
	{"internal/symbol/srcfind", 3, ""},
	{"internal/symbol/symbolize", 3, "internal/profile internal/symbol"},
	{"internal/view", 3, "internal/origin internal/profile internal/unit"},

	{"internal/goheap", 2, "internal/proc internal/retain"},
	{"internal/profile", 2, ""},
	{"internal/profile/profiletest", 2, "internal/profile"}, // for tests

	{"internal/origin", 1, ""},
	{"internal/proc", 1, ""},
	{"internal/procstat", 1, ""},
	{"internal/render", 1, "internal/textart"},
	{"internal/retain", 1, ""},
	{"internal/unit", 1, ""},
	{"internal/textart", 0, ""},

	// Beside the house: the demo's service, benchmarks and checks. They run as
	// programs of their own, so that nothing of ours judges itself.
	{"internal/demo", 1, ""},
	{"internal/bench/accuracy", 6, "internal/bench/procfs internal/demo internal/format internal/leak internal/leak/leaksim internal/profile internal/source internal/watch"},
	{"internal/bench/compare", 1, "internal/bench/procfs internal/bench/synth"},
	{"internal/bench/gen", 1, "internal/bench/synth"},
	{"internal/bench/gunzip", 1, ""},
	{"internal/bench/heap", 7, "internal/bench/procfs internal/goheap internal/proc internal/reason internal/why"},
	{"internal/bench/heap/service", 0, ""},
	{"internal/bench/procfs", 0, ""},
	{"internal/bench/synth", 0, ""},
	{"internal/tools", 1, ""},
	{"docs/guide/orders", 0, ""},
	{"examples/zoo", 0, ""},
	{"internal/arch", 0, ""},
}

// libraries lists the modules outside the house and who may import them.
var libraries = [...]struct{ module, may, instead string }{
	{"github.com/google/pprof", "", "it is the oracle of the tests; decode with internal/format and report from internal/view"},
	{"github.com/klauspost/compress", "internal/format internal/proc internal/report internal/source internal/web internal/bench", "hand the package a reader that is already decompressed"},
	{"github.com/ianlancetaylor/demangle", "internal/symbol", "call symbol.Demangle"},
	{"golang.org/x/arch", "internal/symbol internal/goheap", "ask symbol.Object for a disassembly"},
	{"golang.org/x/exp", "internal/format", "decode a trace with internal/format/gotrace"},
	{"golang.org/x/image", "internal/render", "draw through internal/render"},
	{"golang.org/x/term", "cmd", "let cmd/profound hand in what it knows of the terminal"},
	{"golang.org/x/sys", "cmd internal/bench", "use the standard library, or let cmd/profound hand it in"},
	{"github.com/peterh/liner", "cmd", "the line editor belongs to the shell in cmd/profound"},
}

// outside lists what only the commands may read or write: the surroundings of
// the process. Everybody else is handed what it needs.
var outside = map[string]string{
	"os.Getenv":                "take the value as an option",
	"os.LookupEnv":             "take the value as an option",
	"os.Environ":               "take the environment as an option",
	"os.ExpandEnv":             "take the value as an option",
	"os.Args":                  "take the arguments as a parameter",
	"os.Exit":                  "return an error",
	"os.Getwd":                 "take the folder as an option",
	"os.Executable":            "take the path as an option",
	"os.TempDir":               "take the folder as an option",
	"os.UserHomeDir":           "take the folder as an option",
	"os.UserConfigDir":         "take the folder as an option",
	"os.UserCacheDir":          "take the folder as an option",
	"os.Stdin":                 "take an io.Reader",
	"os.Stdout":                "take an io.Writer",
	"os.Stderr":                "return the message, or take a function to say it with",
	"os/exec.LookPath":         "take the program's path as an option",
	"fmt.Print":                "take an io.Writer",
	"fmt.Printf":               "take an io.Writer",
	"fmt.Println":              "take an io.Writer",
	"time.Now":                 "take a func() time.Time, as source.Options.Now",
	"time.Since":               "take a func() time.Time, as source.Options.Now",
	"time.Until":               "take a func() time.Time, as source.Options.Now",
	"flag.":                    "take an options struct; flags are made in cmd/profound",
	"log.":                     "return the message as an error or a warning",
	"log/slog.":                "return the message as an error or a warning",
	"net/http.DefaultServeMux": "make an http.ServeMux",
	"net/http.Handle":          "make an http.ServeMux",
	"net/http.HandleFunc":      "make an http.ServeMux",
}

// mayReadOutside are the trees the rule about the surroundings leaves alone.
var mayReadOutside = map[string]string{
	"cmd":            "it is where the surroundings are read",
	"internal/bench": "programs of their own: they measure time and start others",
	"internal/tools": "programs of their own",
	"internal/demo":  "the service that leaks is a process of its own, with its own clock",
	"internal/arch":  "tests only",
	"docs":           "programs of their own, that stand for anybody's",
	"examples":       "programs of their own, that stand for anybody's",
}

// mutable lists package variables of a kind that could be changed, each with
// the reason why it is one all the same. Prefer a const, an array literal or a
// function that returns the value.
var mutable = map[string]string{
	"internal/format.utf8BOM": "three bytes to compare with; Go has no constant bytes",
}

// maxLines is how long a file may be.
const maxLines = 700

// maxFuncLines and maxParams bound a function, tests apart.
const (
	maxFuncLines = 80
	maxParams    = 7
)

// machinePaths matches absolute paths of the machine somebody worked on.
const machinePaths = `(^|[^\w.])/(root|work)/`

// mayNamePaths lists files that hold such paths for a reason.
var mayNamePaths = map[string]string{
	"internal/symbol/srcfind/srcfind_test.go": "names of source files as profiles of other machines have them",
}
