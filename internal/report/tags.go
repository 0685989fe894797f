package report

import (
	"fmt"
	"io"
	"sort"
	"text/tabwriter"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/unit"
	"github.com/profoundhq/profound/internal/view"
)

// TagKey is a label key with its values, largest first.
type TagKey struct {
	Key    string
	Total  int64
	Values []*view.Tag
}

// Tags is the report of all labels with what was sampled under each.
type Tags struct {
	Keys []TagKey
	r    *Report
}

// NewTags adds values up by label: first by label set, then by label, so that
// no label is looked up once a sample.
func NewTags(r *Report) *Tags {
	v, p := r.View, r.View.Profile
	perSet := make([]int64, p.LabelSets.Len())
	used := make([]bool, p.LabelSets.Len())
	for i, set := range p.Samples.Labels {
		perSet[set] += v.Values[i]
		used[set] = true
	}
	type key struct {
		total  int64
		values map[string]int64
	}
	keys := map[string]*key{}
	for id := range perSet {
		if !used[id] {
			continue
		}
		for _, l := range p.LabelSets.Of(profile.LabelSetID(id)) {
			name := p.Strings[l.Key]
			value := p.Strings[l.Str]
			if l.Str == 0 {
				value = unit.Format(l.Num, v.LabelUnits[name], v.Options.Unit)
			}
			k := keys[name]
			if k == nil {
				k = &key{values: map[string]int64{}}
				keys[name] = k
			}
			k.total += perSet[id]
			k.values[value] += perSet[id]
		}
	}
	t := &Tags{r: r}
	for name, k := range keys {
		tk := TagKey{Key: name, Total: k.total}
		for value, sum := range k.values {
			tk.Values = append(tk.Values, &view.Tag{Name: value, Flat: sum})
		}
		view.SortTags(tk.Values, true)
		t.Keys = append(t.Keys, tk)
	}
	sort.Slice(t.Keys, func(i, j int) bool { return t.Keys[i].Key < t.Keys[j].Key })
	return t
}

// WriteText writes the table, right aligned.
func (t *Tags) WriteText(w io.Writer) error {
	r := t.r
	total := r.View.Total
	tw := tabwriter.NewWriter(w, 0, 0, 1, ' ', tabwriter.AlignRight)
	share := func(v int64) string {
		if total <= 0 {
			return ""
		}
		return " (" + unit.Percentage(v, total) + ")"
	}
	for _, k := range t.Keys {
		fmt.Fprintf(tw, "%s:\t Total %s of %s%s\n", k.Key, r.format(k.Total), r.format(total), share(k.Total))
		for _, v := range k.Values {
			fmt.Fprintf(tw, " \t%s%s:\t %s\n", r.format(v.Flat), share(v.Flat), v.Name)
		}
		fmt.Fprintln(tw)
	}
	return tw.Flush()
}
