package report

import (
	"bufio"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/profile"
)

// Raw is the text dump of a whole profile.
type Raw struct {
	p *profile.Profile
}

// NewRaw prepares the dump.
func NewRaw(r *Report) *Raw { return &Raw{r.View.Profile} }

// WriteText writes header, samples, locations and mappings.
func (d *Raw) WriteText(out io.Writer) error {
	p := d.p
	w := bufio.NewWriterSize(out, 64<<10)
	for _, c := range p.Comments {
		fmt.Fprintln(w, "Comment: "+c)
	}
	if p.DocURL != "" {
		fmt.Fprintf(w, "Doc: %s\n", p.DocURL)
	}
	fmt.Fprintf(w, "PeriodType: %s %s\n", p.PeriodType.Type, p.PeriodType.Unit)
	fmt.Fprintf(w, "Period: %d\n", p.Period)
	if p.TimeNanos != 0 {
		fmt.Fprintf(w, "Time: %v\n", time.Unix(0, p.TimeNanos))
	}
	if p.DurationNanos != 0 {
		fmt.Fprintf(w, "Duration: %.4v\n", time.Duration(p.DurationNanos))
	}
	fmt.Fprintln(w, "Samples:")
	var types []string
	for _, t := range p.SampleTypes {
		s := t.Type + "/" + t.Unit
		if t.Type == p.DefaultSampleType {
			s += "[dflt]"
		}
		types = append(types, s)
	}
	fmt.Fprintln(w, strings.TrimSpace(strings.Join(types, " ")))
	var buf []byte
	for i := range p.Samples.Len() {
		buf = d.appendSample(buf[:0], i)
		w.Write(buf)
	}
	fmt.Fprintln(w, "Locations")
	for id := 1; id < p.Locations.Len(); id++ {
		d.writeLocation(w, profile.LocationID(id))
	}
	fmt.Fprintln(w, "Mappings")
	for _, m := range p.Mappings[1:] {
		flags := ""
		for _, f := range []struct {
			on   bool
			name string
		}{{m.HasFunctions, "[FN]"}, {m.HasFilenames, "[FL]"}, {m.HasLineNumbers, "[LN]"}, {m.HasInlineFrames, "[IN]"}} {
			if f.on {
				flags += f.name
			}
		}
		fmt.Fprintf(w, "%d: %#x/%#x/%#x %s %s %s\n", m.ID, m.Start, m.Limit, m.Offset, m.File, m.BuildID, flags)
	}
	return w.Flush()
}

const rawLabelIndent = "                "

func (d *Raw) appendSample(b []byte, i int) []byte {
	p := d.p
	var num [24]byte
	for _, col := range p.Samples.Values {
		b = append(b, ' ')
		s := strconv.AppendInt(num[:0], col[i], 10)
		for n := len(s); n < 10; n++ {
			b = append(b, ' ')
		}
		b = append(b, s...)
	}
	b = append(b, ": "...)
	for _, f := range p.Stacks.Of(p.Samples.Stack[i]) {
		b = strconv.AppendUint(b, p.Locations.Number(f), 10)
		b = append(b, ' ')
	}
	b = append(b, '\n')
	set := p.LabelSets.Of(p.Samples.Labels[i])
	for _, numeric := range []bool{false, true} {
		if s := d.labels(set, numeric); s != "" {
			b = append(b, rawLabelIndent...)
			b = append(b, s...)
			b = append(b, '\n')
		}
	}
	return b
}

// labels prints one kind of labels: key:[value value] key:[12 bytes].
func (d *Raw) labels(set []profile.Label, numeric bool) string {
	p := d.p
	var out []string
	eachKey(set, numeric, func(key profile.StringID, labels []profile.Label) {
		withUnit := false
		for _, l := range labels {
			withUnit = withUnit || l.Unit != 0
		}
		values := make([]string, len(labels))
		for i, l := range labels {
			switch {
			case !numeric:
				values[i] = p.Strings[l.Str]
			case withUnit:
				values[i] = strconv.FormatInt(l.Num, 10) + " " + p.Strings[l.Unit]
			default:
				values[i] = strconv.FormatInt(l.Num, 10)
			}
		}
		out = append(out, p.Strings[key]+":["+strings.Join(values, " ")+"]")
	})
	sort.Strings(out)
	return strings.Join(out, " ")
}

func (d *Raw) writeLocation(w io.Writer, id profile.LocationID) {
	p := d.p
	head := fmt.Sprintf("%6d: %#x ", p.Locations.Number(id), p.Locations.Address[id])
	if m := p.Locations.Mapping[id]; m != 0 {
		head += fmt.Sprintf("M=%d ", p.Mappings[m].ID)
	}
	if p.Locations.IsFolded(id) {
		head += "[F] "
	}
	lines := p.Locations.LinesOf(id)
	if len(lines) == 0 {
		fmt.Fprintln(w, head)
	}
	for _, ln := range lines {
		name, system := p.FunctionName(ln.Function), p.Strings[p.Functions.SystemName[ln.Function]]
		fmt.Fprintf(w, "%s%s %s:%d:%d s=%d", head, name, p.FunctionFile(ln.Function), ln.Line, ln.Column, p.Functions.StartLine[ln.Function])
		if name != system {
			fmt.Fprintf(w, "(%s)", system)
		}
		fmt.Fprintln(w)
		head = "             "
	}
}
