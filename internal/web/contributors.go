package web

import (
	"math"

	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/render"
)

// amounts are values by function.
type amounts map[string]float64

// top is the largest, of a difference that with the largest change either way;
// the first by name of several.
func (a amounts) top() (name string, v float64) {
	for n, x := range a {
		if more := math.Abs(x) - math.Abs(v); more > 0 || more == 0 && x != 0 && n < name {
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
	// up is what the samples above zero add to total, down what those below
	// take off: only a profile that is a difference has these.
	total, up, down float64
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
func contributors(d *Data) *contribution {
	now, _ := d.contributors()
	return now
}

// contributors splits the current samples, and those of the base, once for all
// who ask the same Data.
func (d *Data) contributors() (now, was *contribution) {
	if d.now == nil {
		d.now, d.was = d.contribute()
	}
	return d.now, d.was
}

func (d *Data) contribute() (now, was *contribution) {
	p, who := d.Filtered, d.stackNames()
	col, err := p.SampleIndex(d.View.Options.SampleIndex)
	if err != nil {
		return (&namedSums{}).contribution(who), (&namedSums{}).contribution(who)
	}
	sums := [2]*namedSums{newNamedSums(len(who.names)), newNamedSums(len(who.names))}
	factor, _ := d.scale()
	marked := p.HasStringLabel(profile.BaseLabel, "true")
	variance := variances(p, col)
	for i, id := range p.Samples.Stack {
		s, v := sums[0], float64(p.Samples.Values[col][i])*factor
		if marked[p.Samples.Labels[i]] {
			s, v = sums[1], -v // it is subtracted
		}
		leaf, name := who.leaf[id], who.own[id]
		s.total, s.up, s.down = s.total+v, s.up+max(0, v), s.down+max(0, -v)
		if name == 0 {
			s.nobody += v
			name = leaf
			s.alone.add(name, v)
		} else {
			s.own.add(name, v)
		}
		s.leaf.add(leaf, v)
		if variance != nil {
			s.variance.add(name, variance(i)*factor*factor)
		}
	}
	return sums[0].contribution(who), sums[1].contribution(who)
}

// namedSums is a contribution by numbers of names.
type namedSums struct {
	total, up, down, nobody    float64
	own, alone, leaf, variance numberedAmounts
}

// numberedAmounts are amounts by number of a name; met tells which there are.
type numberedAmounts struct {
	v   []float64
	met []bool
}

func newNamedSums(names int) *namedSums {
	s := &namedSums{}
	for _, a := range []*numberedAmounts{&s.own, &s.alone, &s.leaf, &s.variance} {
		a.v, a.met = make([]float64, names), make([]bool, names)
	}
	return s
}

func (a *numberedAmounts) add(name int32, v float64) {
	a.v[name] += v
	a.met[name] = true
}

func (a *numberedAmounts) named(names []string) amounts {
	out := amounts{}
	for n, met := range a.met {
		if met {
			out[names[n]] = a.v[n]
		}
	}
	return out
}

func (s *namedSums) contribution(who *stackNames) *contribution {
	return &contribution{
		total: s.total, up: s.up, down: s.down, nobody: s.nobody, own: s.own.named(who.names), alone: s.alone.named(who.names),
		leaf: s.leaf.named(who.names), variance: s.variance.named(who.names),
	}
}

// stackNames tells for every stack, as a number into names, its innermost
// function and its innermost function of the program's own; 0 is none, and
// functions without a name.
type stackNames struct {
	names     []string
	leaf, own []int32
}

// stackNames looks at the stacks once for all who ask the same Data.
func (d *Data) stackNames() *stackNames {
	if d.who == nil {
		d.who = newStackNames(d.Filtered, d.Names)
	}
	return d.who
}

func newStackNames(p *profile.Profile, names *Names) *stackNames {
	s := &stackNames{names: []string{""}, leaf: make([]int32, p.Stacks.Len()), own: make([]int32, p.Stacks.Len())}
	ids := make(map[string]int32, p.Functions.Len())
	ids[""] = 0
	number, own := make([]int32, p.Functions.Len()), make([]bool, p.Functions.Len())
	for i := range number {
		name := p.FunctionName(profile.FunctionID(i))
		id, known := ids[name]
		if !known {
			id = int32(len(s.names))
			ids[name] = id
			s.names = append(s.names, name)
		}
		number[i], own[i] = id, i > 0 && names.Of(name).Category == render.CategoryOwn
	}
	first, firstOwn := make([]int32, p.Locations.Len()), make([]int32, p.Locations.Len()) // of a location
	const none = -1                                                                       // of its own
	for loc := range first {
		firstOwn[loc] = none
		for i, ln := range p.Locations.LinesOf(profile.LocationID(loc)) {
			if i == 0 {
				first[loc] = number[ln.Function]
			}
			if own[ln.Function] {
				firstOwn[loc] = number[ln.Function]
				break
			}
		}
	}
	n := p.Stacks.Len()
	profile.InParts(n, profile.Parts(n), func(_, from, to int) {
		for id := from; id < to; id++ {
			for i, loc := range p.Stacks.Of(profile.StackID(id)) {
				if i == 0 {
					s.leaf[id] = first[loc]
				}
				if firstOwn[loc] != none {
					s.own[id] = firstOwn[loc]
					break
				}
			}
		}
	})
	return s
}
