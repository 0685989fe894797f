package web

import (
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/render"
)

// amounts are values by function.
type amounts map[string]float64

// top is the largest, the first by name of several.
func (a amounts) top() (name string, v float64) {
	for n, x := range a {
		if x > v || x == v && x > 0 && n < name {
			name, v = n, x
		}
	}
	return name, v
}

// within is the part of own in one package.
func (a amounts) within(pkg string) amounts {
	part := amounts{}
	for name, v := range a {
		if v != 0 && origin.Package(name) == pkg {
			part[name] = v
		}
	}
	return part
}

// contribution splits the current samples among functions, in base units.
type contribution struct {
	total float64
	// own counts each sample for the innermost function of the program on its
	// stack, nobody what has none, by its innermost function in alone; leaf
	// counts all for the innermost function.
	own    amounts
	nobody float64
	alone  amounts
	leaf   amounts
	// variance is that of own, or of leaf where own has nothing; empty when
	// unknown.
	variance amounts
}

// of is what counts for a function.
func (c *contribution) of(name string) float64 { return c.own[name] + c.alone[name] }

// packages is own by package.
func (c *contribution) packages() amounts {
	sum := amounts{}
	for name, v := range c.own {
		if pkg := origin.Package(name); pkg != "" {
			sum[pkg] += v
		}
	}
	return sum
}

// contributors splits what a query selects, without the base.
func contributors(d *Data) *contribution { return contributorsOf(d, false) }

// contributorsOf splits the current samples, or those of the base.
func contributorsOf(d *Data, base bool) *contribution {
	p := d.Filtered
	c := &contribution{own: amounts{}, alone: amounts{}, leaf: amounts{}, variance: amounts{}}
	col, err := p.SampleIndex(d.View.Options.SampleIndex)
	if err != nil {
		return c
	}
	factor, _ := d.scale()
	marked := p.HasStringLabel(profile.BaseLabel, "true")
	owners, leaves := ownFunctions(p, d.Names), leafFunctions(p)
	variance := variances(p, col)
	for i, id := range p.Samples.Stack {
		if marked[p.Samples.Labels[i]] != base {
			continue
		}
		v := float64(p.Samples.Values[col][i]) * factor
		if base {
			v = -v // it is subtracted
		}
		c.total += v
		who := owners[id]
		if who == "" {
			c.nobody += v
			who = leaves[id]
			c.alone[who] += v
		} else {
			c.own[who] += v
		}
		c.leaf[leaves[id]] += v
		if variance != nil {
			c.variance[who] += variance(i) * factor * factor
		}
	}
	return c
}

// ownFunctions is the innermost function of the program's own of every stack,
// "" where there is none.
func ownFunctions(p *profile.Profile, names *Names) []string {
	own := make([]bool, p.Functions.Len())
	for i := range own {
		own[i] = i > 0 && names.Of(p.FunctionName(profile.FunctionID(i))).Category == render.CategoryOwn
	}
	list := make([]string, p.Stacks.Len())
	for i := range list {
		list[i] = innermostOwn(p, p.Stacks.Of(profile.StackID(i)), own)
	}
	return list
}

func innermostOwn(p *profile.Profile, stack []profile.LocationID, own []bool) string {
	for _, loc := range stack {
		for _, ln := range p.Locations.LinesOf(loc) {
			if own[ln.Function] {
				return p.FunctionName(ln.Function)
			}
		}
	}
	return ""
}
