package legacy

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/format/lines"
	"github.com/profoundhq/profound/internal/profile"
)

// The lines of a memory map come as in /proc/PID/maps
//
//	00400000-00fcb000 r-xp 00000000 fd:01 1234   /bin/server
//
// or in a short form, the parts from the permissions on optional:
//
//	0x400000-0xfcb000 r-xp /bin/server (@1000) deadbeef
//	  start   limit        file       offset   build id
var (
	addressRange = `^\s*(?:0x)?([[:xdigit:]]+)[\s-]?\s*(?:0x)?([[:xdigit:]]+):?(?:\s+([-rwxp]+))?`
	longMapLine  = regexp.MustCompile(addressRange + `(?:\s+([[:xdigit:]]+))?\s+[[:xdigit:]]+:[[:xdigit:]]+\s+\d+(?:\s+(\S+))?`)
	shortMapLine = regexp.MustCompile(addressRange + `(?:\s+(\S+))?(?:\s+\(@([[:xdigit:]]+)\))?(?:\s+([[:xdigit:]]+))?`)

	// logPrefix is what glog writes before a message: "I0102 ... file.cc:12] ".
	logPrefix = regexp.MustCompile(`^[^\[\]]+:[0-9]+\]\s`)
)

// Bounds on $name substitution in a memory map, which would otherwise let a
// short file grow a line without limit.
const (
	maxMapVariables = 1024
	maxMapValue     = 4 << 10
	maxMapLine      = 16 << 10
	maxMapDollars   = 64
)

// isMapStart knows the line before a memory map.
func isMapStart(line []byte) bool {
	s := string(line)
	return strings.Contains(s, "--- Memory map: ---") || strings.Contains(s, "MAPPED_LIBRARIES:")
}

// readTail skips to the memory map, if the rest of the file has one, and
// reads it. The current line of r counts.
func (t *table) readTail(r *lines.Reader) error {
	for !isMapStart(r.Bytes()) {
		if !r.Next() {
			return r.Err()
		}
	}
	return t.readMaps(r)
}

// readMaps reads memory map lines up to the end of the file. Lines of any
// other kind are skipped, except "name=value", which makes $name stand for
// value in the lines below it.
func (t *table) readMaps(r *lines.Reader) error {
	var maps []profile.Mapping
	vars := mapVariables{}
	for r.Next() {
		if len(r.Bytes()) > maxMapLine {
			continue
		}
		line := r.Text()
		if at := logPrefix.FindStringIndex(line); at != nil {
			line = line[at[1]:]
		}
		line = vars.expand(line)
		m, ok, skip := parseMapLine(line)
		if skip {
			continue
		}
		if ok {
			maps = append(maps, m)
			continue
		}
		if name, value, found := strings.Cut(line, "="); found {
			vars.set(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
	if r.Err() != nil {
		return r.Err()
	}
	t.maps = mainFirst(joinAdjacent(maps))
	return nil
}

// mapVariables are the $name values of a memory map.
type mapVariables struct {
	pairs    []string
	replacer *strings.Replacer
}

func (v *mapVariables) set(name, value string) {
	if len(v.pairs) < 2*maxMapVariables && len(value) <= maxMapValue {
		v.pairs = append(v.pairs, "$"+name, value)
		v.replacer = nil
	}
}

func (v *mapVariables) expand(line string) string {
	if n := strings.Count(line, "$"); len(v.pairs) == 0 || n == 0 || n > maxMapDollars {
		return line
	}
	if v.replacer == nil {
		v.replacer = strings.NewReplacer(v.pairs...)
	}
	return v.replacer.Replace(line)
}

// parseMapLine reads one line. skip is set for a mapping without executable
// code.
func parseMapLine(line string) (m profile.Mapping, ok, skip bool) {
	var start, limit, perm, offset string
	if f := longMapLine.FindStringSubmatch(line); f != nil {
		start, limit, perm, offset, m.File = f[1], f[2], f[3], f[4], f[5]
	} else if f := shortMapLine.FindStringSubmatch(line); f != nil {
		start, limit, perm, m.File, offset, m.BuildID = f[1], f[2], f[3], f[4], f[5], f[6]
	} else {
		return m, false, false
	}
	if perm != "" && !strings.Contains(perm, "x") {
		return m, false, true
	}
	for _, n := range []struct {
		text string
		to   *uint64
	}{{start, &m.Start}, {limit, &m.Limit}, {offset, &m.Offset}} {
		if n.text == "" {
			continue
		}
		v, err := strconv.ParseUint(n.text, 16, 64)
		if err != nil {
			return m, false, false
		}
		*n.to = v
	}
	return m, true, false
}

// joinAdjacent joins neighbours that are one mapping split in two.
func joinAdjacent(maps []profile.Mapping) []profile.Mapping {
	var out []profile.Mapping
	for _, m := range maps {
		if len(out) == 0 || !adjacent(&out[len(out)-1], &m) {
			out = append(out, m)
			continue
		}
		last := &out[len(out)-1]
		last.Limit = m.Limit
		if m.File != "" {
			last.File = m.File
		}
		if m.BuildID != "" {
			last.BuildID = m.BuildID
		}
	}
	return out
}

// adjacent tells whether b continues a: the addresses meet, and name, build
// id and offset agree where both have one.
func adjacent(a, b *profile.Mapping) bool {
	if a.Limit != b.Start {
		return false
	}
	if a.File != "" && b.File != "" && a.File != b.File {
		return false
	}
	if a.BuildID != "" && b.BuildID != "" && a.BuildID != b.BuildID {
		return false
	}
	return a.Offset == 0 || b.Offset == 0 || a.Offset+(a.Limit-a.Start) == b.Offset
}

// sharedLibrary knows libx.so, libx.so.6 and libx.so_1.
var sharedLibrary = regexp.MustCompile(`\.so$|\.so[._][0-9]+`)

// mainFirst swaps the likely main program to the front: the first mapping
// that is neither nameless, nor a shared library, nor like [vdso].
func mainFirst(maps []profile.Mapping) []profile.Mapping {
	for i, m := range maps {
		file := strings.TrimSpace(strings.ReplaceAll(m.File, "(deleted)", ""))
		if file == "" || file[0] == '[' || sharedLibrary.MatchString(file) {
			continue
		}
		maps[0], maps[i] = maps[i], maps[0]
		break
	}
	return maps
}

// maxPlacing bounds the comparisons of one placer to a second or so; it is
// enough for 250,000 locations in a thousand mappings.
const maxPlacing = 1 << 28

// placer finds the mapping of addresses, repairing the mappings on the way.
type placer struct {
	maps    []profile.Mapping
	fake    int // index of the stand-in mapping, -1 while there is none
	budget  int // comparisons left
	warning error
}

// linkAddress is where linkers put a program that is not relocated.
const linkAddress = 0x400000

func newPlacer(maps []profile.Mapping) *placer {
	// A program copied into huge pages shows up as an anonymous mapping
	// before its own.
	if len(maps) > 1 && strings.HasPrefix(maps[0].File, "/anon_hugepage") && maps[0].Limit == maps[1].Start {
		maps = maps[1:]
	}
	// Some handlers report only the code segment of the main program.
	if len(maps) > 0 && maps[0].Start-maps[0].Offset == linkAddress {
		maps[0].Start, maps[0].Offset = linkAddress, 0
	}
	return &placer{maps: maps, fake: -1, budget: maxPlacing}
}

// find is the index of the mapping of addr, -1 for address 0. An address
// outside every mapping goes to a mapping that lacks its first part, if one
// fits, else to a stand-in mapping made for all such addresses.
func (p *placer) find(addr uint64) int {
	if addr == 0 {
		return -1
	}
	if p.budget -= len(p.maps); p.budget < 0 {
		if p.warning == nil {
			p.warning = fmt.Errorf("memory map: %d mappings are too many for this number of locations; some are left without mapping", len(p.maps))
		}
		return p.standIn()
	}
	for i := range p.maps {
		if p.maps[i].Start <= addr && addr < p.maps[i].Limit {
			return i
		}
	}
	for i := range p.maps {
		if m := &p.maps[i]; m.Offset != 0 && m.Start-m.Offset <= addr && addr < m.Start {
			m.Start -= m.Offset
			m.Offset = 0
			return i
		}
	}
	return p.standIn()
}

func (p *placer) standIn() int {
	if p.fake < 0 {
		p.fake = len(p.maps)
		p.maps = append(p.maps, profile.Mapping{Limit: ^uint64(0)})
	}
	return p.fake
}
