package leaktest

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"testing"
	"time"

	format "github.com/profoundhq/profound/internal/format/pprof"
	"github.com/profoundhq/profound/internal/profile"
)

// labelKey is the profiler label by which the goroutines of a test are known:
// they inherit it from the one that started them. Its value is the test.
const labelKey = "leaktest"

// mark puts the label on the goroutine of the test. It stays: the goroutine
// ends with the test.
func mark(t testing.TB) {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(labelKey, t.Name())))
}

// poll calls done with pauses that grow from microseconds to a tenth of the
// whole until it is true or the pauses add up to most.
func poll(most time.Duration, done func() bool) bool {
	pause, waited := 20*time.Microsecond, time.Duration(0)
	for {
		runtime.Gosched()
		if done() {
			return true
		}
		if waited >= most {
			return false
		}
		time.Sleep(pause)
		waited += pause
		pause = min(2*pause, max(most/10, time.Millisecond))
	}
}

// collector takes the garbage away.
type collector struct {
	// stuck is how many finalizers were waiting when they were last given up.
	stuck uint64
}

// finalizersWait is how long finalizers may take after a round.
const finalizersWait = 100 * time.Millisecond

// collect runs two collections: what finalizers, cleanups and pools held
// during the first is gone after the second.
func (c *collector) collect() {
	runtime.GC()
	if !poll(finalizersWait, func() bool { return waitingFinalizers() <= c.stuck }) {
		c.stuck = waitingFinalizers()
	}
	runtime.GC()
}

// waitingFinalizers counts finalizers and cleanups that are due.
func waitingFinalizers() uint64 {
	s := []metrics.Sample{
		{Name: "/gc/finalizers/queued:finalizers"}, {Name: "/gc/finalizers/executed:finalizers"},
		{Name: "/gc/cleanups/queued:cleanups"}, {Name: "/gc/cleanups/executed:cleanups"},
	}
	metrics.Read(s)
	waiting := uint64(0)
	for i := 0; i < len(s); i += 2 {
		if s[i].Value.Kind() != metrics.KindUint64 || s[i+1].Value.Kind() != metrics.KindUint64 {
			continue // this runtime does not tell
		}
		queued, executed := s[i].Value.Uint64(), s[i+1].Value.Uint64()
		if queued > executed {
			waiting += queued - executed
		}
	}
	return waiting
}

// liveBytes is the exact size of the heap's objects; right after a collection
// these are the live ones.
func liveBytes() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// rawProfile is the runtime's profile called name as it writes it, nil if
// this runtime has none.
func rawProfile(name string) ([]byte, error) {
	p := pprof.Lookup(name)
	if p == nil {
		return nil, nil
	}
	var b bytes.Buffer
	if err := p.WriteTo(&b, 0); err != nil {
		return nil, fmt.Errorf("take profile %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// decode reads what rawProfile returned.
func decode(raw []byte) (*profile.Profile, error) {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("decode own profile: %w", err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("decode own profile: %w", err)
	}
	p, err := format.DecodeBytes(data, format.Options{})
	if err != nil {
		return nil, fmt.Errorf("decode own profile: %w", err)
	}
	return p, nil
}

// descriptorsDir lists the descriptors of this process where the system has
// it (Linux).
const descriptorsDir = "/proc/self/fd"

// descriptors tells for each open descriptor what it is; nil if the system
// does not say.
func descriptors() map[string]string {
	entries, err := os.ReadDir(descriptorsDir)
	if err != nil {
		return nil
	}
	open := make(map[string]string, len(entries))
	for _, e := range entries {
		// The descriptor the listing itself was read from is gone by now.
		if target, err := os.Readlink(descriptorsDir + "/" + e.Name()); err == nil {
			open[e.Name()] = target
		}
	}
	return open
}

// countOf is the number of descriptors, NaN when unknown.
func countOf(open map[string]string) float64 {
	if open == nil {
		return math.NaN()
	}
	return float64(len(open))
}
