package web

import (
	"context"
	"math"
	"strings"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/unit"
	"github.com/profoundhq/profound/internal/view"
)

func defaultOptions() view.Options { return view.Defaults() }

// shotTotal adds up a value of one profile, in base units.
func shotTotal(shot *Shot, value string) (v float64, unitName string, ok bool) {
	p := shot.Profile
	col, err := p.SampleIndex(value)
	if err != nil || len(p.SampleTypes) == 0 {
		return 0, "", false
	}
	factor, name := unit.Base(p.SampleTypes[col].Unit)
	for _, x := range p.Samples.Values[col] {
		v += float64(x)
	}
	return v * factor, name, true
}

// allocTile is how fast memory is allocated.
func (s *Session) allocTile(ctx context.Context, _ *Query, _ *Kind) (*Tile, error) {
	t := &Tile{ID: "alloc", Label: "Allocation rate", Unit: "bytes", PerSecond: true, Value: math.NaN()}
	if first, last, ok := s.ends(leak.TotalAlloc); ok {
		t.Value = (last.Gauges[leak.TotalAlloc] - first.Gauges[leak.TotalAlloc]) / seconds(first.At, last.At)
	}
	k := s.kindIfAny("heap")
	if k == nil {
		k = s.kindIfAny("allocs")
	}
	if k == nil || len(k.Shots) < 2 {
		return tileIfKnown(t), nil
	}
	first, last := k.Shots[0], k.Shots[len(k.Shots)-1]
	took := seconds(first.Time, last.Time)
	was, _, ok := shotTotal(first, "alloc_space")
	now, _, ok2 := shotTotal(last, "alloc_space")
	if !ok || !ok2 || took <= 0 || first.Time.IsZero() || now <= was || first.Target != last.Target || !sameProgram(first.Profile, last.Profile) {
		return tileIfKnown(t), nil
	}
	if math.IsNaN(t.Value) {
		t.Value = (now - was) / took
	}
	t.Kind = k.Name
	q := &Query{Kind: k.Name, Value: "alloc_space", Options: defaultOptions()}
	q.Base, _ = ParseSpan(first.ID)
	q.Cur, _ = ParseSpan(last.ID)
	d, err := s.Data(ctx, q)
	if err != nil {
		return nil, err
	}
	rows := d.changeRows(newTableRows(d), 1, 1)
	best := -1
	for i := range rows {
		if best < 0 || rows[i].change() > rows[best].change() {
			best = i
		}
	}
	if best >= 0 && rows[best].change() > 0 && rows[best].change() <= now-was {
		t.Below, t.Name = percentOf(rows[best].change(), now-was)+" in", rows[best].name
	}
	return t, nil
}

// sameProgram tells that two profiles are of one program, as far as they tell:
// by build ID, else by the name of the main mapping.
func sameProgram(a, b *profile.Profile) bool {
	var ids, names [2]string
	for i, p := range []*profile.Profile{a, b} {
		if len(p.Mappings) > 1 {
			ids[i], names[i] = p.Mappings[1].BuildID, p.Mappings[1].File
		}
	}
	if ids[0] != "" && ids[1] != "" {
		return ids[0] == ids[1]
	}
	return names[0] == names[1]
}

func tileIfKnown(t *Tile) *Tile {
	if math.IsNaN(t.Value) || math.IsInf(t.Value, 0) || t.Value < 0 {
		return nil
	}
	return t
}

// ends are the first and last moment a gauge is known of one process.
func (s *Session) ends(g leak.Gauge) (first, last Moment, ok bool) {
	for _, m := range s.Moments {
		if !m.Gauges.Has(g) || first.Target != m.Target && !first.At.IsZero() {
			continue
		}
		if first.At.IsZero() || m.Gauges[leak.StartTicks] != first.Gauges[leak.StartTicks] && m.Gauges.Has(leak.StartTicks) {
			first = m // another process has begun
		}
		last = m
	}
	return first, last, last.At.After(first.At)
}

// collectorTile is what the garbage collector takes of the CPU: in a CPU
// profile by its stacks, else what the runtime says of itself.
func (s *Session) collectorTile(_ context.Context, _ *Query, _ *Kind) (*Tile, error) {
	t := &Tile{ID: "gc", Label: "GC share of CPU", Unit: "share", Value: math.NaN()}
	if k := s.kindIfAny("cpu"); k != nil && isGo(k.Shots[len(k.Shots)-1].Profile) {
		mark, assist, total := collectorShare(k.Shots[len(k.Shots)-1].Profile, k.Value)
		if total > 0 {
			t.Value, t.Kind = (mark+assist)/total, "cpu"
			t.Below = "of the CPU profile; assist " + percentOf(assist, total)
			return t, nil
		}
	}
	if _, last, ok := s.ends(leak.GCCPUFraction); ok {
		t.Value = last.Gauges[leak.GCCPUFraction]
		t.Below = "since the start of the process"
		if first, last, ok := s.ends(leak.NumGC); ok {
			n := last.Gauges[leak.NumGC] - first.Gauges[leak.NumGC]
			t.Below += "; " + quantity(n, "count") + " cycles seen"
		}
	}
	return tileIfKnown(t), nil
}

// isGo tells a profile of a Go program by the runtime's functions.
func isGo(p *profile.Profile) bool {
	for i := 1; i < p.Functions.Len(); i++ {
		if strings.HasPrefix(p.FunctionName(profile.FunctionID(i)), "runtime.") {
			return true
		}
	}
	return false
}

// collectorShare adds up samples of the collector's own goroutines, and those
// of allocations that had to help it.
func collectorShare(p *profile.Profile, value string) (mark, assist, total float64) {
	col, err := p.SampleIndex(value)
	if err != nil {
		return 0, 0, 0
	}
	work := make([]byte, p.Functions.Len())
	for i := 1; i < len(work); i++ {
		switch p.FunctionName(profile.FunctionID(i)) {
		case "runtime.gcBgMarkWorker", "runtime.bgsweep", "runtime.bgscavenge", "runtime.gcStart", "runtime.gcMarkTermination", "runtime.gcMarkDone":
			work[i] = 1
		case "runtime.gcAssistAlloc", "runtime.deductSweepCredit", "runtime.deductAssistCredit":
			work[i] = 2
		}
	}
	at := make([]byte, p.Locations.Len())
	for loc := range at {
		for _, ln := range p.Locations.LinesOf(profile.LocationID(loc)) {
			at[loc] = max(at[loc], work[ln.Function])
		}
	}
	kinds := make([]byte, p.Stacks.Len())
	profile.InParts(len(kinds), profile.Parts(len(kinds)), func(_, from, to int) {
		for i := from; i < to; i++ {
			for _, loc := range p.Stacks.Of(profile.StackID(i)) {
				kinds[i] = max(kinds[i], at[loc])
			}
		}
	})
	for i, id := range p.Samples.Stack {
		v := float64(p.Samples.Values[col][i])
		total += v
		switch kinds[id] {
		case 1:
			mark += v
		case 2:
			assist += v
		}
	}
	return mark, assist, total
}

// lockTile is how long goroutines waited for locks.
func (s *Session) lockTile(ctx context.Context, _ *Query, shown *Kind) (*Tile, error) {
	k := s.kindIfAny("mutex")
	label := "Lock wait"
	if k == nil {
		if k = s.kindIfAny("block"); k == nil {
			return nil, nil
		}
		label = "Blocked"
	}
	if shown.Name == k.Name {
		return nil, nil
	}
	t := k.totalTile(k.Name, label)
	if t == nil || t.Value == 0 {
		return t, nil
	}
	name, v, err := s.topOwn(ctx, &Query{Kind: k.Name, Options: defaultOptions()})
	if err == nil && name != "" {
		t.Below, t.Name = percentOf(v, t.Value)+" in", name
	}
	return t, err
}

// processorTile is what the program takes of the CPU.
func (s *Session) processorTile(ctx context.Context, _ *Query, shown *Kind) (*Tile, error) {
	k := s.kindIfAny("cpu")
	if k == nil || shown.Name == "cpu" {
		return nil, nil
	}
	t := k.totalTile("cpu", "CPU time")
	if t == nil || t.Value == 0 {
		return t, nil
	}
	t.From = nil
	t.Value = 0
	for _, shot := range k.Shots {
		v, _, _ := shotTotal(shot, k.Value)
		t.Value += v
	}
	name, v, err := s.topOwn(ctx, &Query{Kind: "cpu", Options: defaultOptions()})
	if err == nil && name != "" {
		t.Below, t.Name = percentOf(v, t.Value)+" in", name
	}
	return t, err
}
