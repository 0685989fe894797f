package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"time"

	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/procstat"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/source"
)

// The profiles a look asks for, by their names in net/http/pprof.
const (
	heapProfile      = "heap"
	goroutineProfile = "goroutine"
	leakedProfile    = "goroutineleak"
)

// maxProfile bounds one answer, bytes, if the user does not.
const maxProfile = 256 << 20

// answersALook is how many answers a look waits for at most.
const answersALook = 4

// Look asks for everything once, for as long as that many answers may take to
// begin: one that never ends must not hold up a run. It fails when nothing came
// at all.
func (t *Target) Look(ctx context.Context, ask Ask) (*Seen, error) {
	within, cancel := context.WithTimeout(ctx, t.most)
	defer cancel()
	s, err := t.look(within, ask)
	if err != nil && ctx.Err() == nil && within.Err() != nil {
		return nil, fmt.Errorf("%s did not end its answers within %v; give it more time with -timeout", t.name, t.most)
	}
	return s, err
}

func (t *Target) look(ctx context.Context, ask Ask) (*Seen, error) {
	v := &visit{t: t, ctx: ctx, seen: &Seen{Look: leak.Look{Target: t.name, Gauges: leak.NoGauges()}}}
	v.seen.At = t.opt.Now()
	if t.server != nil {
		at := t.process()
		before := t.opt.Proc.CPU(at.pid)
		if err := v.profiles(ask); err != nil {
			return nil, err
		}
		v.memory(ask)
		if used := t.opt.Proc.CPU(at.pid) - before; used >= 0 && at.sure {
			v.seen.Cost = min(v.seen.Cost, time.Duration(used*float64(time.Second)))
		}
	}
	if err := v.process(); err != nil && t.server == nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	t.mu.Lock()
	keep := t.keep
	t.mu.Unlock()
	if keep != nil {
		if err := keep.look(v); err != nil {
			v.warn(err)
		}
	}
	return v.seen, nil
}

// visit is one look under way.
type visit struct {
	t    *Target
	ctx  context.Context
	seen *Seen
	// raw are the answers that were profiles, as they came.
	raw [kinds][]byte
	// blind is set when nothing is sampled in the heap profile.
	blind bool
}

func (v *visit) warn(err error) { v.seen.Warnings = append(v.seen.Warnings, err) }

// profiles fetches heap, goroutine and goroutineleak. It fails when there is
// neither of the first two.
func (v *visit) profiles(ask Ask) error {
	var first error
	got := 0
	for k, name := range kindNames {
		if !v.t.has(name) || name == leakedProfile && !ask.Leaked {
			continue
		}
		var query url.Values
		if name == heapProfile && ask.GC {
			query = url.Values{"gc": {"1"}}
		}
		p, raw, err := v.fetch(name, query)
		if err != nil {
			if v.ctx.Err() != nil {
				return v.ctx.Err()
			}
			if first == nil {
				first = err
			}
			v.warn(err)
			if !source.Answered(err) {
				break // nobody is there: ask no more
			}
			continue
		}
		got++
		v.raw[k] = raw
		v.take(kind(k), p, ask)
	}
	if got == 0 {
		return first
	}
	return nil
}

// take puts a profile into the look.
func (v *visit) take(k kind, p *profile.Profile, ask Ask) {
	s := v.seen
	switch k {
	case heap:
		s.Heap, s.Fresh = p, ask.GC
		v.blind = p.Period == 0
		s.At = v.t.opt.Now()
		if ask.GC {
			s.Forced++
		}
		v.t.identify(v, p)
	case goroutine:
		s.Goroutine = p
		if s.Heap == nil {
			s.At = v.t.opt.Now()
			v.t.identify(v, p)
		}
		s.Gauges[leak.GoroutineCount] = total(p)
	case leaked:
		s.Leaked = p
		s.Forced++
	}
}

// total adds up the first column.
func total(p *profile.Profile) float64 {
	sum := 0.0
	for _, n := range p.Samples.Values[0] {
		sum += float64(n)
	}
	return sum
}

// fetch is profile with its cost noted.
func (v *visit) fetch(name string, query url.Values) (p *profile.Profile, raw []byte, err error) {
	err = v.timed(func() error {
		p, raw, err = v.t.profile(v.ctx, name, query)
		return err
	})
	return p, raw, err
}

// timed runs ask and adds what it cost the target to the look.
func (v *visit) timed(ask func() error) error {
	begin := v.t.opt.Now()
	err := ask()
	took := v.t.opt.Now().Sub(begin)
	v.t.mu.Lock()
	v.t.quick = min(v.t.quick, took)
	v.seen.Cost += took - v.t.quick
	v.t.mu.Unlock()
	return err
}

// profile fetches and decodes one profile; raw is as it came.
func (t *Target) profile(ctx context.Context, name string, query url.Values) (p *profile.Profile, raw []byte, err error) {
	limit := t.opt.Source.MaxBytes
	if limit <= 0 {
		limit = maxProfile
	}
	err = t.server.Get(ctx, name, query, 0, func(r io.Reader) error {
		raw, err = readAll(r, limit)
		if err != nil {
			return err
		}
		p, _, err = format.Decode(bytes.NewReader(raw), "", format.Options{MaxBytes: limit})
		if errors.Is(err, format.ErrUnrecognized) || errors.Is(err, format.ErrEmpty) {
			return t.server.NotAProfile(raw)
		}
		if err != nil {
			return err
		}
		if k, ok := kindOf(p); !ok || kindNames[k] != name {
			return fmt.Errorf("the answer is a profile of %q, not of %s", p.TypeNames(), name)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return p, raw, nil
}

// readAll reads at most limit bytes.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, fmt.Errorf("%w: the answer has more than %d bytes; raise the limit with -max_size", format.ErrTooLarge, limit)
	}
	return data, err
}

// identify finds out by the program of a profile whether the process that
// takes connections on the port is the target. It may be a tunnel, such as
// ssh -L or kubectl port-forward, or a parent that holds the socket too.
func (t *Target) identify(v *visit, p *profile.Profile) {
	at := t.process()
	if at.pid == 0 || at.sure || p.NumMappings() == 0 || p.Mappings[1].File == "" {
		return
	}
	program := p.Mappings[1].File
	var others string
	for _, pid := range t.candidates() {
		exe := t.opt.Proc.Executable(pid)
		if exe == "" || filepath.Base(exe) == filepath.Base(program) {
			t.setProcess(pid, true)
			return
		}
		others = fmt.Sprintf("%s (process %d)", exe, pid)
	}
	t.setProcess(0, false)
	if others != "" {
		v.warn(fmt.Errorf("%s is held by %s, and the profiles are of %s: it runs elsewhere, behind a tunnel; its resident memory, descriptors and limits are not known here", t.name, others, program))
	}
}

// process reads /proc, and looks for the process again when it is gone.
func (v *visit) process() error {
	t := v.t
	at := t.process()
	if at.pid == 0 {
		return nil
	}
	r, err := t.opt.Proc.Read(at.pid)
	if errors.Is(err, procstat.ErrGone) && t.server != nil {
		t.findProcess()
		if at = t.process(); at.pid == 0 {
			return nil
		}
		r, err = t.opt.Proc.Read(at.pid)
	}
	if err != nil {
		return err
	}
	v.reading(&r, at)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.life > 0 && (t.life != at.pid || t.started != r.StartTicks) {
		v.warn(fmt.Errorf("the program was started anew at %s, as process %d; what was seen before is of another life", time.Unix(int64(r.Start), 0).Format(time.TimeOnly), at.pid))
	}
	t.started, t.life = r.StartTicks, at.pid
	return nil
}

// reading puts a reading into the gauges.
func (v *visit) reading(r *procstat.Reading, at local) {
	g := &v.seen.Gauges
	for _, set := range [...]struct {
		gauge leak.Gauge
		value float64
	}{
		{leak.StartTime, r.Start}, {leak.StartTicks, r.StartTicks}, {leak.ProcessID, float64(at.pid)},
		{leak.Resident, r.Resident}, {leak.ResidentPeak, r.ResidentPeak}, {leak.ResidentAnon, r.ResidentAnon},
		{leak.Descriptors, r.Descriptors}, {leak.DescriptorLimit, r.DescriptorLimit}, {leak.Threads, r.Threads},
		{leak.GroupMax, r.GroupMax}, {leak.GroupHigh, r.GroupHigh}, {leak.GroupCurrent, r.GroupCurrent}, {leak.GroupCache, r.GroupCache},
		{leak.NodeMemory, r.NodeMemory}, {leak.NodeAvailable, r.NodeAvailable},
	} {
		g[set.gauge] = set.value
	}
	if at.known && !g.Has(leak.GOGC) {
		g[leak.GOGC] = at.collector.GOGC
	}
	if at.known && !g.Has(leak.MemoryLimit) {
		g[leak.MemoryLimit] = at.collector.MemoryLimit
	}
}
