package procstat

import (
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// groupFiles are the names of a memory controller's files.
type groupFiles struct {
	max, high, current string
	cache, shared      string // keys of memory.stat: files, and of these what is in no file
}

// unlimited is from where on a limit of cgroup v1 means none: it writes the
// largest multiple of the page size that fits into 63 bits.
const unlimited = 1 << 62

// readGroup finds the group of the process: version 2 (one tree, the line
// "0::/PATH"), else version 1 (a tree for memory, "4:memory:/PATH").
func (r Roots) readGroup(g *Reading, id string) {
	text, err := os.ReadFile(r.proc(id, "cgroup"))
	if err != nil {
		return
	}
	root := r.Cgroup
	if root == "" {
		root = "/sys/fs/cgroup"
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		_, rest, _ := strings.Cut(line, ":")
		controllers, group, _ := strings.Cut(rest, ":")
		switch {
		case controllers == "":
			files := groupFiles{"memory.max", "memory.high", "memory.current", "file", "shmem"}
			climb(g, root, group, files)
			climb(g, filepath.Join(root, "unified"), group, files)
		case hasWord(controllers, "memory"):
			climb(g, filepath.Join(root, "memory"), group, groupFiles{"memory.limit_in_bytes", "", "memory.usage_in_bytes", "total_cache", "total_shmem"})
		}
	}
}

func hasWord(list, word string) bool {
	return strings.Contains(","+list+",", ","+word+",")
}

// climb looks at every group from group up to the root. In a container the
// path may be that outside, of which only the root is seen inside.
func climb(g *Reading, root, group string, files groupFiles) {
	for at := path.Clean("/" + group); ; at = path.Dir(at) {
		dir := filepath.Join(root, filepath.FromSlash(at))
		if limit := limitIn(dir, files.max); limit < g.GroupMax || math.IsNaN(g.GroupMax) && !math.IsNaN(limit) {
			g.GroupMax, g.GroupCurrent, g.GroupCache = limit, limitIn(dir, files.current), cacheIn(dir, files)
		}
		if files.high != "" {
			if limit := limitIn(dir, files.high); limit < g.GroupHigh || math.IsNaN(g.GroupHigh) {
				g.GroupHigh = limit
			}
		}
		if at == "/" {
			return
		}
	}
}

// cacheIn is the memory of a group that is in files and can be dropped; NaN if
// it is not known.
func cacheIn(dir string, files groupFiles) float64 {
	text, err := os.ReadFile(filepath.Join(dir, "memory.stat"))
	if err != nil {
		return math.NaN()
	}
	cache, shared := math.NaN(), 0.0
	for line := range strings.Lines(string(text)) {
		switch key, value, _ := strings.Cut(line, " "); key {
		case files.cache:
			cache = number(value)
		case files.shared:
			shared = number(value)
		}
	}
	return cache - shared
}

// limitIn reads one number of a group; NaN for none ("max").
func limitIn(dir, name string) float64 {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return math.NaN()
	}
	n := number(string(text))
	if n >= unlimited {
		return math.NaN()
	}
	return n
}
