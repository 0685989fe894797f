package leak

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMachines judges the memory of real machines over windows of a day, as
// the resident memory of a process on a machine of 64 GB: at most one in two
// hundred may be called a leak. Nobody knows which of them leak.
func TestMachines(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared, "series", "alibaba5m", "*.csv"))
	if len(files) == 0 {
		t.Skip("no series beside the repository")
	}
	const window, step = 288, 138
	windows, flagged := 0, 0
	for _, name := range files {
		sec, percent := readSeries(t, name)
		for i := 0; i+window <= len(sec); i += step {
			h := NewHistory()
			for k := i; k < i+window; k++ {
				g := NoGauges()
				g[Resident] = percent[k] / 100 * (64 << 30)
				h.Add(Look{At: day().Add(time.Duration(sec[k] * float64(time.Second))), Gauges: g})
			}
			windows++
			if v := Judge(h, Options{}); v.Worst() == Leak {
				flagged++
				t.Logf("%s from point %d: %s", filepath.Base(name), i, describe(v))
			}
		}
	}
	t.Logf("%d of %d windows flagged", flagged, windows)
	if 200*flagged > windows {
		t.Errorf("%d of %d windows flagged", flagged, windows)
	}
}

// readSeries reads seconds and percent.
func readSeries(t *testing.T, name string) (sec, percent []float64) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		a, b, _ := strings.Cut(lines.Text(), ",")
		x, err1 := strconv.ParseFloat(a, 64)
		y, err2 := strconv.ParseFloat(b, 64)
		if err1 == nil && err2 == nil {
			sec, percent = append(sec, x), append(percent, y)
		}
	}
	return sec, percent
}
