package reason

import (
	"fmt"
	"io"
	"strings"

	"github.com/profoundhq/profound/internal/retain"
	"github.com/profoundhq/profound/internal/why"
)

// Document is everything one question is answered with. What is nil is left
// out.
type Document struct {
	Question *Question
	// Findings says that Holdings were asked for; there may be none.
	Findings bool
	Holdings []why.Holding
	// Paths are, by holding, paths to its example; nil if not asked for.
	Paths []Paths
	// Retained is what goes without the whole selection.
	Retained *retain.Amount
	Answers  []*Answer
	Objects  []*why.Object
}

// Paths are paths to one object; All says that there are no others.
type Paths struct {
	List [][]why.Step
	All  bool
}

// Write prints a document as text.
func Write(w io.Writer, d *Document, o Options) error {
	var b strings.Builder
	b.WriteString(Summary(d.Question.A) + "\n\n")
	if d.Findings {
		d.findings(&b, o)
	}
	for _, x := range d.Answers {
		x.text(&b, o)
	}
	for _, x := range d.Objects {
		object(&b, x, d.Question.N, o)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (d *Document) findings(b *strings.Builder, o Options) {
	q := d.Question
	if !q.S.Whole {
		paragraph(b, d.selection(), o)
		b.WriteString("\n")
	}
	for i := range d.Holdings {
		finding(b, &d.Holdings[i], o)
		if d.Paths != nil && len(d.Paths[i].List) > 0 {
			b.WriteString(pathList(d.Paths[i].List, d.Paths[i].All, o))
		}
		b.WriteString("\n")
	}
	switch rest := d.rest(); {
	case len(d.Holdings) == 0:
		b.WriteString("Nothing holds as much as one hundredth of the heap. Try -by root.\n")
	case rest.Objects > 0:
		paragraph(b, fmt.Sprintf("The rest, %s, is held in other ways; -n shows more.", Amount(rest)), o)
	}
}

// selection says what was asked for.
func (d *Document) selection() string {
	q := d.Question
	what := strings.ToUpper(q.What[:1]) + q.What[1:]
	if q.S.Estimated() {
		return fmt.Sprintf("%s: about %s are alive, by %s.", what, Amount(q.A.Amount(q.S)), samples(len(q.S.Samples)))
	}
	s := fmt.Sprintf("%s: %s are alive", what, Amount(q.A.Amount(q.S)))
	if d.Retained != nil {
		s += "; without all of them " + Amount(*d.Retained) + " go free"
	}
	return s + "."
}

func samples(n int) string {
	if n == 1 {
		return "1 sample"
	}
	return Count(uint64(n)) + " samples"
}

// rest is what of a selection no holding tells.
func (d *Document) rest() retain.Amount {
	if d.Question.S.Whole {
		return retain.Amount{}
	}
	rest := d.Question.A.Amount(d.Question.S)
	for i := range d.Holdings {
		x := &d.Holdings[i].Amount
		rest.Bytes -= min(rest.Bytes, x.Bytes)
		rest.Objects -= min(rest.Objects, x.Objects)
	}
	if rest.Bytes == 0 { // what rounding has left
		rest.Objects = 0
	}
	return rest
}
