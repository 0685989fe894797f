package web

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/view"
)

// reportView is every report of the command line, for scripts.
func reportView() View {
	return View{
		Name: "report",
		Help: "A report of the command line ({kind} is top, tree, peek, list, dot, svg, proto ...) as it prints it, or its JSON with format=json",
		Params: []Param{
			{"of", "REGEXP", "Which functions, for peek, list, disasm and weblist; without it those of sel"},
		},
		Answer: answerReport,
	}
}

func answerReport(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	kinds := report.Kinds()
	k := report.KindByName(kinds, q.Own("/kind"))
	if k == nil {
		names := make([]string, len(kinds))
		for i := range kinds {
			names[i] = kinds[i].Name
		}
		return nil, notFound("There are: "+joinWords(names)+".", "there is no report %q", q.Own("/kind"))
	}
	q = s.asNamed(q)
	d, err := s.Data(ctx, q)
	if err != nil {
		return nil, err
	}
	r, err := s.report(d, q, k)
	if err != nil {
		return nil, err
	}
	res, err := k.Compute(r)
	if err != nil {
		return nil, noReport(k, err)
	}
	if q.JSON {
		return &Answer{JSON: res.JSON()}, nil
	}
	var b bytes.Buffer
	if err := res.WriteText(&b); err != nil {
		return nil, err
	}
	a := &Answer{Body: b.Bytes(), Type: reportType(k.Ext), Fresh: k.Param} // files change
	if a.Body == nil {
		a.Body = []byte{}
	}
	if k.Ext != "" && k.Ext != "html" && k.Ext != "svg" {
		a.FileName = s.Title + "." + k.Ext
	}
	return a, nil
}

// noReport says why there is no report: nothing matches, or, of machine code,
// the binary is not here.
func noReport(k *report.Kind, err error) error {
	switch cause := errors.Unwrap(err); {
	case k.Param && cause != nil:
		return notFound("Name the binary that was profiled before the profile, or the folder it lies in with PPROF_BINARY_PATH.", "there is no machine code: %v", cause)
	case k.Param:
		return notFound("Ask for another function with of=REGEXP.", "%v", err)
	}
	return notFound("", "%v", err)
}

// report makes the report of the filtered profile with the settings the kind
// demands, as the command line does.
func (s *Session) report(d *Data, q *Query, k *report.Kind) (*report.Report, error) {
	o := q.options()
	o.SampleIndex = d.View.Options.SampleIndex
	v, err := view.Prepare(d.Filtered, k.Options(o), func(string) {})
	if err != nil {
		return nil, badRequest("", "%v", err)
	}
	v.Total, v.Filters = d.View.Total, d.Filters
	if len(d.Base) > 0 && !q.unmarked {
		v.Total = d.BaseTotal // as pprof with -diff_base: shares are of the base
	}
	v.ObjNames = k.Name == "callgrind" || k.Name == "kcachegrind"
	r := report.New(v)
	r.Objects, r.Sources = s.Code.Objects, s.Code.Sources
	if k.Ext != "" {
		r.Categories = report.NewCategories(d.Filtered)
	}
	if k.Param {
		of := q.Own("of")
		if of == "" && q.Sel.Sort == 'f' {
			of = exactly(q.Sel.Name)
		}
		if of == "" {
			of = "."
		}
		if r.Symbol, err = regexp.Compile(of); err != nil {
			return nil, badRequest("", "of=%s is no regular expression: %v", of, err)
		}
	}
	return r, nil
}

// asNamed makes reports take a base off as the flag says that named it: -base
// or -diff_base. A base chosen on the page is as with -diff_base.
func (s *Session) asNamed(q *Query) *Query {
	base := q.Base
	if k, err := s.Kind(q.Kind); err == nil && base.IsDefault() {
		base = k.Base
	}
	c := *q
	c.unmarked = s.subtract && base.Role == 'b'
	return &c
}

func reportType(ext string) string {
	switch ext {
	case "":
		return "text/plain; charset=utf-8"
	case "html":
		return "text/html; charset=utf-8"
	case "svg":
		return "image/svg+xml"
	case "png", "gif":
		return "image/" + ext
	case "pdf":
		return "application/pdf"
	case "ps":
		return "application/postscript"
	case "pb.gz":
		return profileType
	}
	if strings.HasSuffix(ext, "json") {
		return "application/json"
	}
	return "application/octet-stream"
}

// profileType is the media type of profile.proto.
const profileType = "application/vnd.google.protobuf+gzip"

// downloadView is the profile as it was loaded, put together and unfiltered,
// as pprof's download is; report/proto is the filtered one.
func downloadView() View {
	return View{Name: "download", Help: "The chosen profiles put together, unfiltered, as profile.proto", Answer: answerDownload}
}

func answerDownload(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	m, err := s.merged(ctx, s.asNamed(q))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := report.WriteProfile(&b, m.profile); err != nil {
		return nil, err
	}
	return &Answer{Body: b.Bytes(), Type: profileType, FileName: "profile.pb.gz"}, nil
}

// commandView is "copy as command".
func commandView() View {
	return View{
		Name: "command", Help: "The command line that shows the same (schema command/1)",
		Params: []Param{{"report", "top", "Which report the command prints; without it, it opens the page"}},
		Answer: answerCommand,
	}
}

// Command is the answer of commandView.
type Command struct {
	Schema  string   `json:"schema"`
	Command string   `json:"command"`
	Args    []string `json:"args"`
	// Without are the transforms a command line cannot make.
	Without []string `json:"without"`
	// Note says what is to be done before the command can be run, "" if
	// nothing.
	Note string `json:"note,omitempty"`
}

func answerCommand(_ context.Context, s *Session, q *Query) (*Answer, error) {
	k, err := s.Kind(q.Kind)
	if err != nil {
		return nil, err
	}
	cur, err := k.Select(q.Cur, k.Cur)
	if err != nil {
		return nil, err
	}
	base, err := k.Select(q.Base, k.Base)
	if err != nil {
		return nil, err
	}
	c := &Command{Schema: "command/1", Args: []string{"profound"}, Without: []string{}}
	unsaved := slices.ContainsFunc(slices.Concat(cur, base), func(shot *Shot) bool { return shot.unsaved })
	if name := q.Own("report"); name == "" || unsaved {
		c.Args = append(c.Args, "-http=localhost:0")
	} else {
		c.Args = append(c.Args, "-"+name)
	}
	flags, rest := q.Flags()
	c.Args = append(c.Args, flags...)
	for _, t := range rest {
		c.Without = append(c.Without, t.String())
	}
	flag := "-diff_base="
	if s.asNamed(q).unmarked {
		flag = "-base="
	}
	if unsaved { // what it was taken of is asked again
		base, cur = nil, nil
		c.Args = append(c.Args, s.Sources...)
	}
	for _, shot := range base {
		c.Args = append(c.Args, flag+shot.Name)
	}
	for _, shot := range cur {
		c.Args = append(c.Args, shot.Name)
	}
	if s.sent {
		c.Note = "The file was sent to this page: save it under its name first, from /api/" + s.ID + "/download"
	}
	words := make([]string, len(c.Args))
	for i, a := range c.Args {
		words[i] = shellWord(a)
	}
	c.Command = strings.Join(words, " ")
	return &Answer{JSON: c}, nil
}

// shellWord quotes a word for a POSIX shell where it needs it.
func shellWord(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,@%+", r))
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
