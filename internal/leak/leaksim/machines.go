package leaksim

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/leak"
)

// Windows of a day are taken from a series every half day, or a little less,
// so that they are as many as in the study the bar is from.
const (
	pointsADay  = 288 // of five minutes
	windowStep  = 133
	machineSize = 64 << 30 // bytes; the series are percentages
)

// Windows is what became of the windows of a series.
type Windows struct{ All, Flagged int }

// Machine judges the memory of a real machine over windows of a day, as the
// resident memory of one process. The file has a head and then lines
// "seconds,percent".
func Machine(path string) (Windows, error) {
	var w Windows
	s, err := readMemory(path)
	for at := 0; at+pointsADay <= len(s); at += windowStep {
		h := leak.NewHistory()
		for _, p := range s[at : at+pointsADay] {
			g := leak.NoGauges()
			g[leak.Resident] = p.percent / 100 * machineSize
			h.Add(leak.Look{At: start().Add(time.Duration(p.seconds * float64(time.Second))), Gauges: g})
		}
		w.All++
		if leak.Judge(h, leak.Options{}).Worst() == leak.Leak {
			w.Flagged++
		}
	}
	return w, err
}

type memoryPoint struct {
	seconds float64 // since the first
	percent float64 // of the machine's memory
}

func readMemory(path string) ([]memoryPoint, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var s []memoryPoint
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		a, b, ok := strings.Cut(lines.Text(), ",")
		at, err1 := strconv.ParseFloat(a, 64)
		level, err2 := strconv.ParseFloat(b, 64)
		if n > 1 && (!ok || err1 != nil || err2 != nil) {
			return nil, fmt.Errorf("%s:%d: %q, want seconds and percent", path, n, lines.Text())
		}
		if n > 1 {
			s = append(s, memoryPoint{at, level})
		}
	}
	return s, lines.Err()
}
