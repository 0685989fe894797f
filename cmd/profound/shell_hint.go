package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/view"
)

// hint says what to try, to people only, after the error if there is one.
func (sh *shell) hint(format string, args ...any) {
	if sh.person {
		sh.hints = append(sh.hints, "Hint: "+fmt.Sprintf(format, args...))
	}
}

// hintCommand follows a command that does not exist.
func (sh *shell) hintCommand(name string, err error) {
	if !sh.person || !strings.HasPrefix(err.Error(), "unrecognized") {
		return
	}
	if near := closest(name, commandNames(sh.s.kinds, sh.fields, sh.s.profile.TypeNames())); near != "" {
		sh.hint("did you mean %s?", near)
	}
}

// commandNames are all words a line may begin with.
func commandNames(kinds []report.Kind, fields []view.Field, types []string) []string {
	names := []string{"help", "options", "quit", "exit", "undo"}
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	for _, f := range fields {
		names = append(names, f.Name)
		names = append(names, f.Choices...)
	}
	return append(names, types...)
}

// hintReport follows a report without content.
func (sh *shell) hintReport(c reportCommand, empty bool, err error) {
	if !sh.person {
		return
	}
	if err != nil {
		if c.param != "" && (strings.Contains(err.Error(), "no matches") || strings.Contains(err.Error(), "regexp")) {
			if better := sh.betterName(c.param); better != "" {
				sh.hint("%s", better)
			}
		}
		return
	}
	if !empty {
		return
	}
	for _, f := range []struct{ name, expr string }{{"focus", c.options.Focus}, {"show", c.options.Show}, {"show_from", c.options.ShowFrom}} {
		if f.expr == "" {
			continue
		}
		if better := sh.betterName(f.expr); better != "" {
			sh.hint("no function matches %s=%s; %s", f.name, f.expr, better)
			return
		}
	}
	if filtered(c.options) {
		sh.hint("the filters leave nothing; \"o\" shows them, \":\" clears most, \"undo\" takes the last back.")
		return
	}
	if types := sh.typesWithValues(); len(types) > 0 {
		sh.hint("all values are zero here; there are some in %s. Type the name to switch.", strings.Join(types, ", "))
	}
}

func filtered(o view.Options) bool {
	return o.Focus+o.Ignore+o.Hide+o.Show+o.ShowFrom+o.PruneFrom+o.TagFocus+o.TagIgnore != ""
}

// typesWithValues are the sample types of the profile that are not all zero.
func (sh *shell) typesWithValues() []string {
	p := sh.s.profile
	var out []string
	for i, t := range p.TypeNames() {
		for _, v := range p.Samples.Values[i] {
			if v != 0 {
				out = append(out, t)
				break
			}
		}
	}
	return out
}

// betterName tells how an expression that matches no function name could be
// meant, "" when it matches or nothing comes near.
func (sh *shell) betterName(expr string) string {
	p := sh.s.profile
	first := func(match func(string) bool) string {
		for i := 1; i < p.Functions.Len(); i++ {
			if n := p.Str(p.Functions.Name[i]); match(n) {
				return n
			}
		}
		return ""
	}
	re, err := regexp.Compile(expr)
	if err == nil && first(re.MatchString) != "" {
		return ""
	}
	if quoted := regexp.QuoteMeta(expr); quoted != expr {
		if first(func(n string) bool { return strings.Contains(n, expr) }) != "" {
			return "it is a regular expression; for the name itself write " + quoted
		}
	}
	if err != nil {
		return ""
	}
	if re, err := regexp.Compile("(?i)" + expr); err == nil {
		if n := first(re.MatchString); n != "" {
			return fmt.Sprintf("upper and lower case differ; (?i)%s finds %s", expr, n)
		}
	}
	return ""
}

// closest is the candidate that differs from word by the fewest letters, ""
// when none is near.
func closest(word string, candidates []string) string {
	best, least := "", max(1, min(3, len(word)/3))+1
	for _, c := range candidates {
		if d := editDistance(word, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that lead from a to b (optimal string alignment).
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	prev2, prev, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(y)]
}
