package main

import (
	"flag"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/procstat"
	"github.com/profoundhq/profound/internal/source"
	"github.com/profoundhq/profound/internal/watch"
)

// targetFlags are how a command that watches programs speaks to them: the
// same flags as those of reports.
type targetFlags struct {
	headers   list
	tokenFile string
	tls       source.TLSOptions
	timeout   int
	maxSize   bytesFlag
	gc        string
	plain     bool
	ascii     bool
	json      bool
	failOn    string
	save      string
}

// targetFlagsHelp explains what declare declares, for the help of commands.
const targetFlagsHelp = `  -gc WHEN          make the target collect its garbage before each heap
                    profile: auto, always, never (default auto: in runs of
                    up to ten minutes, while it costs the target little)
  -save DIR         keep the profiles here; "profound leak DIR" reads them
  -fail-on CLASS    exit with code 3 on a finding: leak, growing (or leak)
  -json             print the verdict for programs
  -plain            lines instead of the live view, no colours
  -ascii            draw with ASCII characters only
  -header 'N: V'    send this header; may be repeated
  -bearer_token_file FILE, -tls_ca FILE, -tls_cert FILE, -tls_key FILE
  -timeout SECONDS  give up on one answer after this long
  -max_size SIZE    refuse profiles that take more memory than this
`

func (t *targetFlags) declare(fs *flag.FlagSet) {
	fs.Var(&t.headers, "header", "")
	fs.StringVar(&t.tokenFile, "bearer_token_file", "", "")
	fs.StringVar(&t.tls.CA, "tls_ca", "", "")
	fs.StringVar(&t.tls.Cert, "tls_cert", "", "")
	fs.StringVar(&t.tls.Key, "tls_key", "", "")
	fs.IntVar(&t.timeout, "timeout", 0, "")
	fs.Var(&t.maxSize, "max_size", "")
	fs.StringVar(&t.gc, "gc", "auto", "")
	fs.BoolVar(&t.plain, "plain", false, "")
	fs.BoolVar(&t.ascii, "ascii", false, "")
	fs.BoolVar(&t.json, "json", false, "")
	fs.StringVar(&t.failOn, "fail-on", "", "")
	fs.StringVar(&t.save, "save", "", "")
}

// check refuses values that no flag type can refuse.
func (t *targetFlags) check() error {
	if _, err := t.policy(); err != nil {
		return err
	}
	switch t.failOn {
	case "", "leak", "growing":
	default:
		return fmt.Errorf("-fail-on=%s: choose leak or growing", t.failOn)
	}
	return nil
}

func (t *targetFlags) policy() (watch.GCPolicy, error) {
	switch t.gc {
	case "auto":
		return watch.GCAuto, nil
	case "always":
		return watch.GCAlways, nil
	case "never":
		return watch.GCNever, nil
	}
	return 0, fmt.Errorf("-gc=%s: choose auto, always or never", t.gc)
}

// watchOptions are what package watch needs of the flags and the world.
func (t *targetFlags) watchOptions(e *env) watch.Options {
	return watch.Options{
		Source: source.Options{
			Timeout: t.timeout, MaxBytes: int64(t.maxSize),
			Headers: t.headers, BearerTokenFile: t.tokenFile, TLS: t.tls,
			Proxy: http.ProxyFromEnvironment, Stdin: e.stdin, Messages: e.say, Now: e.now,
		},
		Proc: procstat.Roots{},
		Now:  e.now,
	}
}

// duration is a flag such as 90s, 2h30m, 3d, or a number of seconds.
type duration time.Duration

func (d *duration) String() string { return time.Duration(*d).String() }

// Set reads a length of time.
func (d *duration) Set(s string) error {
	v, err := parseDuration(s)
	*d = duration(v)
	return err
}

func parseDuration(s string) (time.Duration, error) {
	days := time.Duration(0)
	rest := s
	if n, after, ok := strings.Cut(s, "d"); ok {
		f, err := time.ParseDuration(n + "h")
		if err != nil || f <= 0 {
			return 0, fmt.Errorf("%q is no length of time; write it like 90s, 2h30m or 3d", s)
		}
		if days, rest = 24*f, after; rest == "" {
			return days, nil
		}
	}
	v, err := time.ParseDuration(rest)
	if err != nil {
		v, err = time.ParseDuration(rest + "s")
	}
	if err != nil || v < 0 {
		return 0, fmt.Errorf("%q is no length of time; write it like 90s, 2h30m or 3d", s)
	}
	return days + v, nil
}
