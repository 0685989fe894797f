package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/reason"
)

const whyHelp = `usage: profound why [flags] PID | CORE | SNAPSHOT [ADDRESS...]
       profound why -diff [flags] BEFORE AFTER

Tells why memory of a Go program is still alive: which references hold it, from
which variable or goroutine, where it was allocated, and what would go free
without them. Reads a process of this machine (Linux), a core file or a file of
profound snapshot. A process is forked for it: it stands still for
milliseconds, and then runs on.

What to look at; without any of these, everything that holds much:
  -at REGEXP      what was allocated by matching functions or lines
  -type REGEXP    all objects of matching types
  -goroutine X    what goroutines hold: a number, or a regular expression for
                  their functions, lines and state, such as 'chan receive'
  ADDRESS         one object: 0xc000123450
How to look at it:
  -by VIEW        a table instead of sentences:
                    root package type site   who holds it, what it is
                    tree drops depth         the shape of it
                    goroutines               groups and what they hold
                    waste                    kept, but nothing can see it
                    queues                   finalizers, cleanups, timers
  -paths K        the K best paths instead of one
  -without PATH   what goes free without this reference: main.cache.m, as the
                  answers name it; several with commas between
  -n N            how many answers (default 5), or rows (default 20)
  -json           print the answers for programs
Others:
  -diff           which paths grow from one heap of a program to a later one
  -o FILE         write what is retained as a profile instead: a stack is the
                  way from the root; profound -http FILE draws it
  -plain          no progress on the terminal
  -exe FILE       the program a core or snapshot is of, if it is not where it was
`

// whyOptions are the flags of why.
type whyOptions struct {
	at, typ, goroutine string
	addresses          []uint64
	by                 string
	paths              int
	without            string
	n                  int
	json               bool
	exe                string
	spec               string

	diff  bool
	base  string // what spec is compared with
	out   string
	plain bool
}

// The number of answers, and of rows of a table.
const (
	whyAnswers = 5
	whyRows    = 20
)

// whyFlags are the flags of why; their texts are for completion.
func whyFlags(o *whyOptions) *flag.FlagSet {
	fs := flag.NewFlagSet("why", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.at, "at", "", "What matching functions or lines allocated")
	fs.StringVar(&o.typ, "type", "", "All objects of matching types")
	fs.StringVar(&o.goroutine, "goroutine", "", "What goroutines hold, by number or expression")
	fs.StringVar(&o.by, "by", "", "A table instead of sentences")
	fs.IntVar(&o.paths, "paths", 0, "The K best paths instead of one")
	fs.StringVar(&o.without, "without", "", "What goes free without a reference")
	fs.IntVar(&o.n, "n", whyAnswers, "How many answers or rows")
	fs.BoolVar(&o.json, "json", false, "Print the answers for programs")
	fs.StringVar(&o.exe, "exe", "", "The program a core or snapshot is of")
	fs.BoolVar(&o.diff, "diff", false, "Which paths grow from one heap to a later one")
	fs.StringVar(&o.out, "o", "", "Write what is retained as a profile")
	fs.BoolVar(&o.plain, "plain", false, "No progress on the terminal")
	return fs
}

func parseWhy(args []string, e *env) (*whyOptions, error) {
	o := &whyOptions{}
	fs := whyFlags(o)
	rest, err := parseArgs(fs, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(e.stdout, whyHelp)
		return nil, codeError{code: exitOK}
	case err != nil:
		return nil, usagef("why: %w\n\n%s", err, whyHelp)
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if !given["n"] && (o.by != "" || o.goroutine != "" || o.without != "") {
		o.n = whyRows
	}
	if o.diff {
		if err := o.alone("-diff", given, "diff", "n", "json", "exe", "plain"); err != nil {
			return nil, err
		}
		return o, o.takeTwo(rest)
	}
	if len(rest) == 0 {
		return nil, usagef("why: name a process, core file or snapshot\n\n%s", whyHelp)
	}
	o.spec = rest[0]
	for _, s := range rest[1:] {
		addr, err := strconv.ParseUint(s, 0, 64)
		if err != nil || !strings.HasPrefix(s, "0x") {
			return nil, usagef("why: %q is no address: behind the process or file only addresses may follow, such as 0xc000123450", s)
		}
		o.addresses = append(o.addresses, addr)
	}
	return o, o.check(given)
}

// check refuses flags that have no meaning together.
func (o *whyOptions) check(given map[string]bool) error {
	switch {
	case o.n < 1:
		return usagef("why: -n=%d: at least 1", o.n)
	case given["paths"] && o.paths < 1:
		return usagef("why: -paths=%d: at least 1", o.paths)
	}
	for name := range given { // an empty expression would match everything
		switch name {
		case "at", "type", "goroutine", "by", "without", "o":
			if (map[string]string{"at": o.at, "type": o.typ, "goroutine": o.goroutine, "by": o.by, "without": o.without, "o": o.out})[name] == "" {
				return usagef("why: -%s is empty", name)
			}
		}
	}
	v, known := findWhyView(o.by)
	switch {
	case o.by != "" && !known:
		return usagef("why: there is no view %q; choose from %s", o.by, strings.Join(whyViewNames(), ", "))
	case o.without != "":
		if len(o.addresses) > 0 {
			return usagef("why: -without asks of the whole heap; leave the address out")
		}
		return o.alone("-without", given, "without", "n", "json", "exe", "plain")
	case o.out != "":
		return o.alone("-o", given, "o", "at", "type", "goroutine", "exe", "plain")
	case o.by != "" && o.paths > 0:
		return usagef("why: -paths goes with answers about objects, not with the tables of -by")
	case o.by != "" && o.at != "" && v.exact:
		return usagef("why: -by %s counts all objects, and -at knows only those that were sampled; leave one of them out", o.by)
	case v.noGoroutine && o.goroutine != "", v.noObjects && (o.at != "" || o.typ != "" || len(o.addresses) > 0):
		return usagef("why: -by %s %s", o.by, v.refuses)
	case o.by == "" && o.at == "" && o.typ == "" && o.goroutine != "" && len(o.addresses) > 0:
		return usagef("why: -goroutine and an address ask two questions; choose one of them, or a view with -by of what both hold")
	case o.by == "" && o.at == "" && o.typ == "" && o.goroutine != "" && o.paths > 0:
		return usagef("why: -paths leads to objects; name them with -type, -at or an address besides -goroutine")
	}
	return nil
}

// alone refuses all flags but some.
func (o *whyOptions) alone(flag string, given map[string]bool, with ...string) error {
	for _, name := range []string{"at", "type", "goroutine", "by", "paths", "without", "o", "n", "json"} {
		ok := false
		for _, w := range with {
			ok = ok || w == name
		}
		if given[name] && !ok {
			return usagef("why: %s does not go with -%s; it goes with -%s", flag, name, strings.Join(with[1:], ", -"))
		}
	}
	return nil
}

// runWhy is "profound why".
func runWhy(ctx context.Context, args []string, e *env) error {
	o, err := parseWhy(args, e)
	if err != nil {
		return err
	}
	if o.diff {
		return whyDiff(ctx, o, e)
	}
	ask, err := newWhyQuestion(o)
	if err != nil {
		return err
	}
	h, err := analyse(ctx, o.spec, heapOptions{exe: o.exe, plain: o.plain, contents: o.by == "waste", lists: o.by != "" || o.typ != "" || o.out != ""}, e)
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return fmt.Errorf("why: %w", err)
	}
	defer h.close()
	if o.out != "" {
		if err := ask.findObjects(h.Analysis); err != nil {
			return fmt.Errorf("why: %w", err)
		}
		return writeRetained(ctx, h, ask.filter(), o.out, e)
	}
	d, err := await(ctx, func() (*reason.Document, error) { return ask.answer(h.Analysis) })
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return fmt.Errorf("why: %w", err)
	case o.json:
		return reason.WriteJSON(e.stdout, d)
	}
	return reason.Write(e.stdout, d, reasonOptions(e))
}

func reasonOptions(e *env) reason.Options {
	o := reason.Options{}
	if w := e.width(); w > 0 && e.stdoutTTY {
		o.Width = min(max(w, 40), 160)
	}
	if e.colour() {
		o.Bold = func(s string) string { return "\x1b[1m" + s + "\x1b[0m" }
	}
	return o
}
