package reason

import (
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/textart"
	"github.com/profoundhq/profound/internal/verdict"
	"github.com/profoundhq/profound/internal/why"
)

// Answer is what one view of a heap says: a sentence and a table, with the
// same rows for programs.
type Answer struct {
	// View is its name, such as "root".
	View string
	// Heading says what the table shows, in a sentence.
	Heading string
	// Empty is said instead of a table without rows.
	Empty string
	// Notes follow the table.
	Notes []string

	heads []string // of the columns
	left  int      // columns from this on are texts, those before numbers; the last may be broken
	cells [][]string
	rows  []jsonRow
	frees *jsonAmount // all of it together, where that was asked
}

// add adds a row: its cells, and the same for programs.
func (x *Answer) add(row jsonRow, cells ...string) {
	x.cells, x.rows = append(x.cells, cells), append(x.rows, row)
}

// Rows is how many rows the answer has.
func (x *Answer) Rows() int { return len(x.cells) }

// text prints an answer.
func (x *Answer) text(b *strings.Builder, o Options) {
	paragraph(b, x.Heading, o)
	if len(x.cells) == 0 {
		paragraph(b, x.Empty, o)
	} else {
		b.WriteString("\n" + x.table(o.width()))
	}
	for _, n := range x.Notes {
		b.WriteString("\n")
		paragraph(b, n, o)
	}
	b.WriteString("\n")
}

func paragraph(b *strings.Builder, text string, o Options) {
	if text == "" {
		return
	}
	for _, l := range verdict.Wrap(textart.Clean(text), o.width()) {
		b.WriteString(l + "\n")
	}
}

// table lays out the cells. The last column is broken into lines so that all
// fits the width.
func (x *Answer) table(width int) string {
	t := textart.Table{Header: x.heads}
	used := 0
	for c := range x.heads[:len(x.heads)-1] {
		col := textart.TextWidth(x.heads[c])
		for _, row := range x.cells {
			col = max(col, textart.TextWidth(row[c]))
		}
		used += col + 2
	}
	for c := range x.heads {
		align := textart.AlignRight
		if c >= x.left {
			align = textart.AlignLeft
		}
		t.Align = append(t.Align, align)
	}
	last := len(x.heads) - 1
	for _, row := range x.cells {
		for i, l := range fold(row[last], max(width-used, 24)) {
			cells := make([]string, len(row))
			for c := range row[:last] {
				if i == 0 {
					cells[c] = textart.Clean(row[c])
				}
			}
			cells[last] = l
			t.Rows = append(t.Rows, cells)
		}
	}
	return t.String()
}

// fold breaks each line of a text to a width. Lines that go on keep the blanks
// they begin with, and two more.
func fold(text string, width int) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		indent = indent[:min(len(indent), width/2)]
		room := width - len(indent)
		for i, l := range wrapWords(strings.TrimLeft(line, " "), room) {
			if i > 0 {
				l = "  " + l
			}
			out = append(out, indent+l)
		}
	}
	if out == nil {
		out = []string{""}
	}
	return out
}

// wrapWords breaks a text at blanks, and a word that is too long where it must
// be. Lines after the first leave two columns. What a terminal would obey is
// taken out: names come from the process that is looked at.
func wrapWords(text string, width int) []string {
	text = textart.Clean(text)
	var out []string
	line, room := "", width
	flush := func() {
		out = append(out, line)
		line, room = "", width-2
	}
	for _, word := range glued(strings.Fields(text)) {
		switch {
		case line == "":
		case textart.TextWidth(line)+1+textart.TextWidth(word) <= room:
			line += " " + word
			continue
		default:
			flush()
		}
		for textart.TextWidth(word) > room {
			at := breakAt(word, room)
			line, word = word[:at], word[at:]
			flush()
		}
		line = word
	}
	return append(out, line)
}

// glued joins numbers with their units, and what belongs to an arrow: they stay
// on one line.
func glued(words []string) []string {
	var out []string
	for _, w := range words {
		last := len(out) - 1
		switch {
		case last < 0:
		case slices.Contains([]string{"B", "kB", "MB", "GB", "TB"}, strings.TrimRight(w, ".,;:")),
			out[last] == "<-", out[last] == "<- frees", out[last] == "x":
			out[last] += " " + w
			continue
		}
		out = append(out, w)
	}
	return out
}

// breakAt is where a word is best broken to fit so many columns: behind a dot,
// slash or bracket, if there is one in the second half.
func breakAt(word string, room int) int {
	n, used := 0, 0
	for i, r := range word {
		if used += textart.TextWidth(string(r)); used > room {
			break
		}
		n = i + len(string(r))
	}
	if n == 0 {
		n = len(word)
	}
	if at := strings.LastIndexAny(word[:n], "./]),"); at+1 > n/2 {
		return at + 1
	}
	return n
}

// PathLine writes a whole path on one line, with all types.
func PathLine(path []why.Step) string {
	if len(path) == 0 {
		return "?"
	}
	return pathString(path, true)
}
