package leaksim

import (
	"math"
	"math/rand/v2"
	"strconv"
)

const (
	mb   = 1 << 20
	hour = 3600.0
	day  = 24 * hour
)

// Scenario is a service with a known truth.
type Scenario struct {
	Name string
	Leak bool
	// Slope is the true growth, bytes a second of wall time on average; NaN
	// when it is no one number.
	Slope float64
	// At is the function at which the leak is to be reported.
	At string
	// Settled is when what grows without being a leak has stopped to, in
	// seconds; until then the heap alone cannot tell. +Inf: it never does.
	Settled float64
	// Began is when the leak begins, seconds.
	Began float64
	// Steady leaks grow evenly from the start: their end can be foretold.
	Steady bool
	// Limit is the memory limit, bytes, and Ends when a steady leak reaches
	// it, seconds; set by New.
	Limit, Ends float64
	// Short runs take a minute, looked at every Every seconds.
	Short bool
	Every float64

	restarts float64 // seconds between, 0: never
	cycle    float64 // seconds between collections whose profiles are seen, 0: gc=1
	sites    func(rng *rand.Rand) []*site
	traffic  func(t float64) float64 // of the background, nil: even
}

// New starts a run of the scenario. Runs of one seed are equal.
func (sc *Scenario) New(seed uint64) *Run {
	rng := rand.New(rand.NewPCG(seed, uint64(len(sc.Name))))
	own := *sc
	r := &Run{rng: rng, scenario: &own, step: sc.Every, age: -1}
	background := 150
	if sc.Short {
		background = 40
	}
	for i := range background {
		r.sites = append(r.sites, backgroundSite(rng, i, sc))
	}
	r.background = background
	r.sites = append(r.sites, sc.sites(rng)...)
	if sc.Steady {
		level := 0.0
		for _, s := range r.sites {
			level += s.born
		}
		ends := 4 * day
		if sc.Short {
			ends = 600
		}
		own.Limit = resident(level + ends*sc.Slope)
		own.Ends = ends
	}
	return r
}

// Ends is when a steady leak reaches the limit, seconds after the start.
func (r *Run) Ends() float64 { return r.scenario.Ends }

// backgroundSite is one of the stacks that do not leak: a level between 30 KB
// and 30 MB kept by objects of 16 bytes to 64 KB that live from seconds to
// for ever.
func backgroundSite(rng *rand.Rand, i int, sc *Scenario) *site {
	level := 700e3 * math.Exp(1.3*rng.NormFloat64())
	life := 600 * math.Exp(1.5*rng.NormFloat64())
	if sc.Short {
		level, life = level/8, life/120
	}
	if i%5 == 0 {
		life = math.Inf(1)
	}
	s := &site{
		path: []string{"main.main", "main.serve" + strconv.Itoa(i%7), "main.step" + strconv.Itoa(i%31), "lib.make" + strconv.Itoa(i)},
		size: math.Round(16 * math.Exp2(12*rng.Float64())),
		born: level, life: life,
	}
	s.rate = func(_, t float64) float64 {
		if math.IsInf(life, 1) {
			return 0
		}
		if sc.traffic != nil {
			return level / life * sc.traffic(t)
		}
		return level / life
	}
	return s
}

func constant(v float64) func(age, t float64) float64 {
	return func(float64, float64) float64 { return v }
}

// one is the usual place for what a scenario is about.
func one(s *site) func(*rand.Rand) []*site {
	return func(*rand.Rand) []*site {
		c := *s
		if c.path == nil {
			c.path = []string{"main.main", "main.serve3", "main.keep", "lib.put"}
		}
		if c.size == 0 {
			c.size = 256
		}
		if c.life == 0 {
			c.life = math.Inf(1)
		}
		return []*site{&c}
	}
}

func several(parts ...*site) func(*rand.Rand) []*site {
	return func(rng *rand.Rand) []*site {
		var out []*site
		for _, p := range parts {
			out = append(out, one(p)(rng)...)
		}
		return out
	}
}

// diurnal is traffic with a mean of about one, high at noon and a fourth of
// that at night.
func diurnal(t float64) float64 { return 1 + 0.6*math.Sin(2*math.Pi*(t/day-0.3)) }

// wander is a path of an Ornstein-Uhlenbeck process with mean 0, standard
// deviation 1 and the given memory; with infinite memory, a random walk that
// moves by one standard deviation in a day.
func wander(rng *rand.Rand, memory float64) func(t float64) float64 {
	const dt = 300.0
	x := []float64{0}
	return func(t float64) float64 {
		for i := int(t / dt); len(x) <= i; {
			last := x[len(x)-1]
			if math.IsInf(memory, 1) {
				x = append(x, last+math.Sqrt(dt/day)*rng.NormFloat64())
			} else {
				f := math.Exp(-dt / memory)
				x = append(x, last*f+math.Sqrt(1-f*f)*rng.NormFloat64())
			}
		}
		return x[int(t/dt)]
	}
}

// Scenarios are the long runs: a look every five minutes for two days. The
// first thirteen leak.
func Scenarios() []*Scenario {
	list := append(leaks(), harmless()...)
	for _, s := range list {
		s.Every = 300
	}
	return list
}

func leaks() []*Scenario {
	perHour := func(v float64) float64 { return v * mb / hour }
	steady := func(name string, v float64) *Scenario {
		return &Scenario{Name: name, Leak: true, Slope: perHour(v), At: "lib.put", Steady: true, sites: one(&site{rate: constant(perHour(v))})}
	}
	return []*Scenario{
		steady("0.5 MB/h", 0.5), steady("2 MB/h", 2), steady("8 MB/h", 8), steady("64 MB/h", 64),
		{Name: "per request, diurnal", Leak: true, Slope: perHour(4), At: "lib.put", traffic: diurnal,
			sites: one(&site{rate: func(_, t float64) float64 { return perHour(4) * diurnal(t) }})},
		{Name: "0.02 % of a 5 MB/s stack", Leak: true, Slope: 1000, At: "lib.put", sites: several(
			&site{rate: constant(5e6), life: 20, born: 100e6, size: 1024}, &site{rate: constant(1000), size: 1024})},
		{Name: "200 leaf stacks", Leak: true, Slope: 200 * 40e3 / hour, At: "main.keep", sites: func(rng *rand.Rand) []*site {
			var out []*site
			for i := range 200 {
				out = append(out, one(&site{path: []string{"main.main", "main.serve3", "main.keep", "lib.leaf" + strconv.Itoa(i)}, rate: constant(40e3 / hour)})(rng)...)
			}
			return out
		}},
		{Name: "after a deploy at 5 h", Leak: true, Slope: perHour(8), At: "lib.put", Began: 5 * hour, sites: one(&site{rate: func(_, t float64) float64 {
			if t < 5*hour {
				return 0
			}
			return perHour(8)
		}})},
		{Name: "1 MB objects", Leak: true, Slope: perHour(8), At: "lib.put", Steady: true, sites: one(&site{size: mb, rate: constant(perHour(8))})},
		{Name: "bursts every 5 h", Leak: true, Slope: perHour(6), At: "lib.put", sites: one(&site{rate: func(_, t float64) float64 {
			if math.Mod(t+2*hour, 5*hour) < 900 {
				return 30 * mb / 900.0
			}
			return 0
		}})},
		{Name: "restarts every 12 h", Leak: true, Slope: perHour(8), At: "lib.put", restarts: 12 * hour, sites: one(&site{rate: constant(perHour(8))})},
		{Name: "leak + warm cache", Leak: true, Slope: perHour(4), At: "lib.put", sites: several(
			&site{rate: func(age, _ float64) float64 { return 30 * mb / (2 * hour) * math.Exp(-age/(2*hour)) }},
			&site{rate: constant(perHour(4))})},
		{Name: "append 1.25x", Leak: true, Slope: perHour(8), At: "lib.put", sites: one(&site{born: 16 * mb, size: 1.25, grown: func(age float64) float64 {
			data := 15*mb + perHour(8)*age
			c := 16.0 * mb
			for math.Round(c) < data {
				c *= 1.25
			}
			return math.Round(c)
		}})},
	}
}

func harmless() []*Scenario {
	level := func(f func(t float64) float64) *site {
		const life = 600
		return &site{life: life, born: 40 * mb * f(0), rate: func(_, t float64) float64 { return 40 * mb * f(t) / life }}
	}
	pulse := func(at, height float64) func(float64) float64 {
		return func(t float64) float64 {
			if t < at {
				return 1
			}
			return 1 + height
		}
	}
	doubles := func(t float64) float64 { return 1 + min(1, max(0, (t-10*hour)/(4*hour))) }
	return []*Scenario{
		{Name: "stable", sites: one(level(pulse(0, 0)))},
		{Name: "diurnal x4", traffic: diurnal, sites: one(level(diurnal))},
		{Name: "bounded fill 6 h", Settled: 6 * hour, sites: one(&site{rate: constant(60 * mb / (6 * hour)), holds: 60 * mb})},
		{Name: "bounded fill 72 h", Settled: math.Inf(1), sites: one(&site{rate: constant(288 * mb / (72 * hour)), holds: 288 * mb})},
		{Name: "saturating, tau 4 h", Settled: 8 * hour, sites: one(&site{rate: constant(80 * mb / (4 * hour)), life: 4 * hour})},
		{Name: "one step", sites: one(level(pulse(9*hour, 1)))},
		{Name: "two steps", sites: one(level(func(t float64) float64 { return pulse(9*hour, 1)(t) + pulse(20*hour, 1)(t) - 1 }))},
		{Name: "daily batch", sites: one(level(func(t float64) float64 {
			if m := math.Mod(t, day); m > 3*hour && m < 4*hour {
				return 5
			}
			return 1
		}))},
		{Name: "TTL 12 h", Settled: 12 * hour, sites: one(&site{rate: constant(96 * mb / (12 * hour)), ttl: 12 * hour})},
		{Name: "TTL 24 h, diurnal", Settled: 24 * hour, traffic: diurnal, sites: one(&site{ttl: 24 * hour, rate: func(_, t float64) float64 {
			return 96 * mb / (24 * hour) * diurnal(t)
		}})},
		{Name: "slow queue (OU)", sites: func(rng *rand.Rand) []*site {
			w := wander(rng, 3*hour)
			return one(level(func(t float64) float64 { return math.Exp(0.5 * w(t)) }))(rng)
		}},
		{Name: "random walk", sites: func(rng *rand.Rand) []*site {
			w := wander(rng, math.Inf(1))
			return one(level(func(t float64) float64 { return math.Exp(0.3 * w(t)) }))(rng)
		}},
		{Name: "traffic doubles", Settled: 15 * hour, traffic: doubles, sites: one(level(doubles))},
		{Name: "bounded keys, tau 10 h", Settled: 25 * hour, sites: one(&site{rate: func(age, _ float64) float64 {
			return 100 * mb / (10 * hour) * math.Exp(-age/(10*hour))
		}})},
		{Name: "restarts every 8 h", restarts: 8 * hour, Settled: 1.5 * hour, sites: one(&site{rate: constant(40 * mb / hour), life: hour})},
	}
}

// wave is traffic that comes and goes within a short run, ramp traffic that
// triples over it.
func wave(t float64) float64 { return 1 + 0.7*math.Sin(2*math.Pi*t/40) }

func ramp(t float64) float64 { return 1 + t/30 }

// appending is the capacity of a slice to which rate bytes a second are added
// and that is copied to one larger by a factor when it is full.
func appending(from, factor, rate float64) func(age float64) float64 {
	return func(age float64) float64 {
		c := from
		for math.Round(c) < rate*(age+0.5) {
			c *= factor
		}
		return math.Round(c)
	}
}

// ShortRuns are runs of a minute.
func ShortRuns() []*Scenario {
	leak := func(name string, rate, every, cycle float64) *Scenario {
		return &Scenario{Name: name, Leak: true, Slope: rate, At: "lib.put", Steady: true, Every: every, cycle: cycle, sites: one(&site{rate: constant(rate), size: 2048})}
	}
	level := func(f func(t float64) float64) func(*rand.Rand) []*site {
		const life = 1.0
		return one(&site{life: life, born: 20 * mb * f(0), rate: func(_, t float64) float64 { return 20 * mb * f(t) / life }})
	}
	list := []*Scenario{
		leak("0.3 MB/s", 0.3*mb, 0.5, 0), leak("1 MB/s", mb, 0.5, 0), leak("1 MB/s, a look a second", mb, 1, 0),
		leak("5 MB/s", 5*mb, 0.5, 0), leak("50 MB/s", 50*mb, 0.5, 0), leak("3 MB/s without gc=1", 3*mb, 0.5, 3),
		{Name: "2 MB/s beside 60 MB/s of churn", Leak: true, Slope: 2 * mb, At: "lib.put", Every: 0.5, sites: several(
			&site{rate: constant(60 * mb), life: 0.1, born: 6 * mb, size: 2048}, &site{rate: constant(2 * mb), size: 2048})},
		{Name: "3 MB/s from 20 s on", Leak: true, Slope: 3 * mb, At: "lib.put", Began: 20, sites: one(&site{rate: func(_, t float64) float64 {
			if t < 20 {
				return 0
			}
			return 3 * mb
		}})},
		{Name: "append 2x, 1 MB/s", Leak: true, Slope: mb, At: "lib.put", sites: one(&site{born: mb, size: 2, grown: appending(mb, 2, mb)})},
		{Name: "append 1.25x, 0.5 MB/s", Leak: true, Slope: 0.5 * mb, At: "lib.put", Every: 1, sites: one(&site{born: mb, size: 1.25, grown: appending(mb, 1.25, mb/2)})},
		{Name: "2 MB/s in a wave", Leak: true, Slope: 2 * mb, At: "lib.put", traffic: wave, sites: one(&site{rate: func(_, t float64) float64 { return 2 * mb * wave(t) }})},
		{Name: "load in a wave", traffic: wave, sites: level(wave)},
		{Name: "load rises for 60 s", Settled: math.Inf(1), traffic: ramp, sites: level(ramp)},
		{Name: "saturating, tau 15 s", Settled: 45, sites: one(&site{rate: constant(3 * mb), life: 15})},
		{Name: "saturating, tau 25 s", Settled: 75, sites: one(&site{rate: constant(3 * mb), life: 25})},
		{Name: "bounded keys, tau 20 s", Settled: 70, sites: one(&site{rate: func(age, _ float64) float64 { return 60 * mb / 20 * math.Exp(-age/20) }})},
		{Name: "TTL 30 s", Settled: 30, sites: one(&site{rate: constant(3 * mb), ttl: 30})},
		{Name: "spikes every 12 s", sites: level(func(t float64) float64 {
			if math.Mod(t, 12) > 10 {
				return 4
			}
			return 1
		})},
		{Name: "fill within 15 s", Settled: 15, sites: one(&site{rate: constant(2 * mb), holds: 30 * mb})},
		{Name: "fill within 30 s", Settled: 30, sites: one(&site{rate: constant(2 * mb), holds: 60 * mb})},
		{Name: "fill within 90 s", Settled: math.Inf(1), sites: one(&site{rate: constant(2 * mb), holds: 180 * mb})},
		{Name: "saturating, tau 8 s", Settled: 25, sites: one(&site{rate: constant(4 * mb), life: 8})},
		{Name: "bounded keys, tau 12 s", Settled: 40, sites: one(&site{rate: func(age, _ float64) float64 { return 40 * mb / 12 * math.Exp(-age/12) }})},
		{Name: "TTL 15 s", Settled: 15, sites: one(&site{rate: constant(3 * mb), ttl: 15})},
		{Name: "batch spike", sites: level(func(t float64) float64 {
			if t > 25 && t < 35 {
				return 3
			}
			return 1
		})},
		{Name: "step", sites: level(func(t float64) float64 {
			if t > 30 {
				return 4
			}
			return 1
		})},
		{Name: "churn", sites: one(&site{rate: constant(200 * mb), life: 0.05, born: 10 * mb})},
		{Name: "stable, without gc=1", cycle: 3, sites: level(func(float64) float64 { return 1 })},
	}
	for _, s := range list {
		s.Short = true
		if s.Every == 0 {
			s.Every = 0.5
		}
	}
	return list
}
