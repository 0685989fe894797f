package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/view"
)

// listRows is how many rows of candidates are shown at once.
const listRows = 10

// completer completes lines of the shell.
type completer struct {
	kinds  []report.Kind
	fields []view.Field
	types  []string
	topics []string
	// functions are names in the order they are listed, heaviest first.
	functions func() []string
	// labels are the label keys.
	labels []string
	// readDir lists a directory.
	readDir func(dir string) ([]os.DirEntry, error)
	out     io.Writer // where candidates are listed
	width   func() int
}

func newCompleter(sh *shell) *completer {
	p := sh.s.profile
	return &completer{
		kinds: sh.s.kinds, fields: sh.fields, types: p.TypeNames(), topics: topicNames(sh.s.kinds),
		functions: heaviest(p, func() string { return sh.options.SampleIndex }),
		labels:    labelKeys(p), readDir: os.ReadDir, out: sh.s.env.stdout, width: sh.s.env.width,
	}
}

// completion is what may stand in place of word.
type completion struct {
	word string
	// match is what the candidates were found by; word without escapes.
	match string
	// texts are the candidates as they are listed.
	texts []string
	// insert turns a candidate into what is typed, nil for as it is.
	insert func(string) string
	// within is set when candidates contain the word anywhere.
	within bool
	// end follows a candidate that is the only one.
	end string
}

// tab serves the Tab key: line with the cursor before rune pos. It extends
// the word as far as all candidates agree, and lists them when that is no
// further.
func (c *completer) tab(line string, pos int) (head string, words []string, tail string) {
	runes := []rune(line)
	left, tail := string(runes[:pos]), string(runes[pos:])
	m := c.complete(left)
	if len(m.texts) == 0 {
		return left, nil, tail
	}
	head = strings.TrimSuffix(left, m.word)
	insert := m.insert
	if insert == nil {
		insert = func(s string) string { return s }
	}
	if len(m.texts) == 1 {
		return head, []string{insert(m.texts[0]) + m.end}, tail
	}
	if common, ok := m.common(); ok && common != cmp.Or(m.match, m.word) && len(insert(common)) > len(m.word) {
		return head, []string{insert(common)}, tail
	}
	c.list(m.texts)
	return head, []string{m.word}, tail
}

// common is the longest text around the match that all candidates share, if
// they were found by that text.
func (m completion) common() (string, bool) {
	if !m.within {
		return commonPrefix(m.texts), true
	}
	var before, after []string
	for _, t := range m.texts {
		i := strings.Index(t, m.match)
		if i < 0 {
			return "", false // found without regard to case, or by a pattern
		}
		before = append(before, reverse(t[:i]))
		after = append(after, t[i+len(m.match):])
	}
	return reverse(commonPrefix(before)) + m.match + commonPrefix(after), true
}

func commonPrefix(list []string) string {
	p := list[0]
	for _, s := range list[1:] {
		for !strings.HasPrefix(s, p) {
			_, size := utf8.DecodeLastRuneInString(p)
			p = p[:len(p)-size]
		}
	}
	return p
}

func reverse(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

// list prints candidates in columns, no more than fit.
func (c *completer) list(texts []string) {
	width := 80
	if w := c.width(); w > 0 {
		width = w
	}
	cell := 0
	for _, t := range texts {
		cell = max(cell, utf8.RuneCountInString(t)+2)
	}
	columns := max(1, width/cell)
	rows := (len(texts) + columns - 1) / columns
	shown := min(rows, listRows)
	var b strings.Builder
	b.WriteByte('\n')
	for r := range shown {
		var line strings.Builder
		for col := 0; col < columns; col++ {
			// Row by row: the first candidates are the likeliest.
			if i := r*columns + col; i < len(texts) {
				fmt.Fprintf(&line, "%-*s", cell, texts[i])
			}
		}
		b.WriteString(clip(strings.TrimRight(line.String(), " "), width-1))
		b.WriteByte('\n')
	}
	if more := len(texts) - shown*columns; more > 0 {
		fmt.Fprintf(&b, "... and %d more\n", more)
	}
	io.WriteString(c.out, b.String())
}

// clip cuts s in the middle to n columns: the end of a function name tells
// most.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n || n < 8 {
		return s
	}
	head := n / 3
	return string(r[:head]) + "…" + string(r[len(r)-(n-head-1):])
}

// complete finds candidates for the last word of left.
func (c *completer) complete(left string) completion {
	if m, ok := c.value(left); ok {
		return m
	}
	start := strings.LastIndexFunc(left, unicode.IsSpace) + 1
	word := left[start:]
	before := strings.Fields(left[:start])
	if len(before) == 0 {
		return c.first(word)
	}
	prev := before[len(before)-1]
	switch {
	case slices.ContainsFunc(before, func(t string) bool { return strings.HasPrefix(t, "|") }):
		return completion{}
	case strings.HasPrefix(word, "|"):
		return completion{word: word[1:], texts: withPrefix([]string{"pager"}, word[1:])}
	case before[0] == "help":
		return completion{word: word, texts: withPrefix(c.topics, word)}
	case prev == ">":
		return c.files(word)
	case strings.HasPrefix(word, ">"):
		return c.files(word[1:])
	}
	name := strings.TrimRight(before[0], "0123456789")
	k := report.KindByName(c.kinds, name)
	switch {
	case k == nil:
		return completion{}
	case word != "" && strings.HasPrefix("-cum", word):
		return completion{word: word, texts: []string{"-cum"}}
	case name == "tags":
		return completion{word: word, texts: withPrefix(c.labels, word)}
	}
	return c.function(strings.TrimPrefix(word, "-"))
}

func withPrefix(list []string, prefix string) []string {
	var out []string
	for _, s := range list {
		if strings.HasPrefix(s, prefix) {
			out = append(out, s)
		}
	}
	return out
}

// first completes the first word: commands, options, sample types.
func (c *completer) first(word string) completion {
	m := completion{word: word}
	for _, k := range c.kinds {
		m.texts = append(m.texts, k.Name)
	}
	m.texts = append(m.texts, "help", "options", "quit", "exit", "undo")
	for _, f := range c.fields {
		if f.IsBool(f.Name) {
			m.texts = append(m.texts, f.Name)
		} else {
			m.texts = append(m.texts, f.Name+"=")
		}
		m.texts = append(m.texts, f.Choices...)
	}
	m.texts = append(m.texts, c.types...)
	if word != "" {
		for _, t := range c.types {
			m.texts = append(m.texts, "total_"+t, "mean_"+t)
		}
	}
	m.texts = withPrefix(m.texts, word)
	slices.Sort(m.texts)
	m.texts = slices.Compact(m.texts)
	if len(m.texts) == 1 {
		name := m.texts[0]
		if k := report.KindByName(c.kinds, name); k != nil && k.Param || name == "help" {
			m.end = " "
		}
	}
	return m
}

// value completes the value of an assignment; ok tells whether left is one.
func (c *completer) value(left string) (m completion, ok bool) {
	name, value, assigned := strings.Cut(left, "=")
	name = strings.TrimSpace(name)
	f, known := view.FieldByName(c.fields, name)
	if !assigned || !known {
		return m, false
	}
	value = strings.TrimLeft(value, " \t")
	words := func(list []string) (completion, bool) {
		return completion{word: value, texts: withPrefix(list, value)}, true
	}
	switch {
	case f.IsBool(name):
		return words([]string{"true", "false"})
	case f.Choices != nil:
		return words(f.Choices)
	}
	switch name {
	case "sample_index":
		return words(c.types)
	case "unit":
		return words([]string{"minimum", "auto", "bytes", "kb", "mb", "gb", "ns", "us", "ms", "seconds"})
	case "focus", "ignore", "hide", "show", "show_from", "prune_from":
		return c.function(value), true
	case "tagroot", "tagleaf":
		value = value[strings.LastIndexByte(value, ',')+1:]
		return words(c.labels)
	case "tagfocus", "tagignore":
		if !strings.Contains(value, "=") {
			m = completion{word: value, texts: withPrefix(c.labels, value), end: "="}
		}
		return m, true
	case "tagshow", "taghide":
		return words(c.labels)
	case "output", "source_path", "trim_path":
		return c.files(value), true
	}
	return m, true
}

// function completes the last alternative of a regular expression by names
// that contain it. What is inserted is escaped: it matches that name.
func (c *completer) function(expr string) completion {
	word := expr[strings.LastIndexByte(expr, '|')+1:]
	m := completion{word: word, match: unescape(word), insert: escape, within: true}
	names := c.functions()
	find := func(match func(string) bool) {
		if len(m.texts) > 0 {
			return
		}
		for _, n := range names {
			if match(n) {
				m.texts = append(m.texts, n)
			}
		}
	}
	find(func(n string) bool { return strings.Contains(n, m.match) })
	lower := strings.ToLower(m.match)
	find(func(n string) bool { return strings.Contains(strings.ToLower(n), lower) })
	if re, err := regexp.Compile(word); err == nil {
		find(re.MatchString)
	}
	return m
}

// escape writes a name so that it matches itself and is one word.
func escape(name string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(name), " ", `\s`)
}

// unescape takes the backslashes of escape away.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if s[i] == 's' {
				b.WriteByte(' ')
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// files completes a file name.
func (c *completer) files(word string) completion {
	dir, base := filepath.Split(word)
	from := dir
	if from == "" {
		from = "."
	}
	m := completion{word: word}
	entries, err := c.readDir(from)
	if err != nil {
		return m
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, base) || base == "" && name[0] == '.' || strings.ContainsFunc(name, unicode.IsSpace) {
			continue
		}
		if e.IsDir() {
			name += string(filepath.Separator)
		}
		m.texts = append(m.texts, dir+name)
	}
	return m
}

// heaviest makes a function that lists function names by cumulative value,
// the largest first; index names the value. The list is made at the first
// call and again when the index changes.
func heaviest(p *profile.Profile, index func() string) func() []string {
	var names []string
	last, made := "", false
	return func() []string {
		name := index()
		if made && name == last {
			return names
		}
		last, made = name, true
		i, err := p.SampleIndex(name)
		if err != nil {
			return names
		}
		names = namesByWeight(p, p.Samples.Values[i])
		return names
	}
}

func namesByWeight(p *profile.Profile, values []int64) []string {
	perStack := make([]int64, p.Stacks.Len())
	for i, s := range p.Samples.Stack {
		perStack[s] += max(values[i], -values[i])
	}
	weight := make(map[string]int64)
	seen := make([]int, p.Functions.Len()) // stack number + 1
	for s, w := range perStack {
		for _, loc := range p.Stacks.Of(profile.StackID(s)) {
			for _, l := range p.Locations.LinesOf(loc) {
				if name := p.FunctionName(l.Function); name != "" && seen[l.Function] != s+1 {
					seen[l.Function] = s + 1
					weight[name] += w
				}
			}
		}
	}
	names := make([]string, 0, len(weight))
	for n := range weight {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(weight[b], weight[a]), cmp.Compare(a, b))
	})
	return names
}

func labelKeys(p *profile.Profile) []string {
	var keys []string
	for _, l := range p.LabelSets.Labels {
		if k := p.Str(l.Key); !strings.ContainsFunc(k, unicode.IsSpace) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
