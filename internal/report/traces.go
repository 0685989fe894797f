package report

import (
	"bufio"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/unit"
)

// Traces is every sample with its labels and stack.
type Traces struct {
	r *Report
}

// NewTraces prepares the report; samples are read while it is written.
func NewTraces(r *Report) *Traces { return &Traces{r} }

// WriteText writes the samples in the order of the profile.
func (t *Traces) WriteText(out io.Writer) error {
	const separator = "-----------+-------------------------------------------------------"
	r, v := t.r, t.r.View
	p := v.Profile
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, strings.Join(r.ProfileLabels(), "\n"))
	paint := newPainter(r)
	for i, id := range p.Samples.Stack {
		st := v.StackFrames(id)
		if len(st.Frames) == 0 {
			continue
		}
		fmt.Fprintln(w, separator)
		r.writeLabels(w, p.LabelSets.Of(p.Samples.Labels[i]))
		value := r.format(v.SampleValue(i))
		for j, f := range st.Frames {
			inline := ""
			if st.Inline[j] {
				inline = " (inline)"
			}
			fmt.Fprintf(w, "%10s   %s%s\n", value, paint.name(f.String()), inline)
			value = ""
		}
	}
	fmt.Fprintln(w, separator)
	return w.Flush()
}

// writeLabels writes a line for each key: string labels, then numeric ones.
func (r *Report) writeLabels(w io.Writer, set []profile.Label) {
	p := r.View.Profile
	for _, numeric := range []bool{false, true} {
		var lines []string
		eachKey(set, numeric, func(key profile.StringID, labels []profile.Label) {
			values := make([]string, len(labels))
			for i, l := range labels {
				values[i] = p.Strings[l.Str]
				if numeric {
					values[i] = unit.Label(l.Num, r.View.LabelUnits[p.Strings[key]])
				}
			}
			lines = append(lines, fmt.Sprintf("%10s:  %s\n", p.Strings[key], strings.Join(values, " ")))
		})
		sort.Strings(lines)
		for _, l := range lines {
			io.WriteString(w, l)
		}
	}
}

// eachKey calls f with the labels of each key of one kind; a set is sorted by
// kind and key.
func eachKey(set []profile.Label, numeric bool, f func(profile.StringID, []profile.Label)) {
	for i := 0; i < len(set); {
		j := i + 1
		for j < len(set) && set[j].Key == set[i].Key && (set[j].Str == 0) == (set[i].Str == 0) {
			j++
		}
		if (set[i].Str == 0) == numeric {
			f(set[i].Key, set[i:j])
		}
		i = j
	}
}
