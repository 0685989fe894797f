package leaktest

import (
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// goroutine is one goroutine as runtime.Stack describes it.
type goroutine struct {
	id int64
	// state is what it does or waits for, as "chan receive"; waited is for how
	// many minutes, 0 below one.
	state  string
	waited int
	calls  []call // leaf first
	// created is where it was started, creator the goroutine that did, 0 if
	// unknown.
	created call
	creator int64
}

// call is a function and the line it is at: file.go:12.
type call struct{ function, place string }

// goexit is below the entry function of a goroutine that has not run yet, and
// shown only then.
const goexit = "runtime.goexit"

// entry is the function the goroutine began with.
func (g *goroutine) entry() string {
	for _, c := range slices.Backward(g.calls) {
		if c.function != goexit {
			return c.function
		}
	}
	return ""
}

// key names the stack without what the runtime's own frames are, so that a
// stack of a dump and one of a profile compare.
func (g *goroutine) key() string {
	var k stackKey
	for _, c := range g.calls {
		k.add(c.function)
	}
	return k.String()
}

// stackKey builds the key of a stack, leaf first.
type stackKey struct{ strings.Builder }

func (k *stackKey) add(function string) {
	if strings.HasPrefix(function, "runtime.") || strings.HasPrefix(function, "internal/runtime/") {
		return
	}
	// Type arguments are written in full in one place and as [...] in the other.
	if head, _, ok := strings.Cut(function, "["); ok {
		function = head
	}
	k.WriteString(function)
	k.WriteByte('\n')
}

// maxDump bounds the text of all stacks, in bytes.
const maxDump = 64 << 20

// dumpAll lists all goroutines, the caller's first.
func dumpAll() []goroutine {
	buf := make([]byte, 64<<10)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) || len(buf) >= maxDump {
			return parseDump(string(buf[:n]))
		}
		buf = make([]byte, 2*len(buf))
	}
}

// parseDump reads the text of runtime.Stack. What does not look like a
// goroutine is passed over.
//
//	goroutine 18 [chan receive, 5 minutes, locked to thread]:
//	main.worker(0xc000012345)
//		/src/main.go:33 +0x14
//	created by main.start in goroutine 1
//		/src/main.go:90 +0x29f
func parseDump(text string) []goroutine {
	var all []goroutine
	for block := range strings.SplitSeq(text, "\n\n") {
		lines := strings.Split(strings.Trim(block, "\n"), "\n")
		g, ok := parseHeader(lines[0])
		if !ok {
			continue
		}
		for i := 1; i < len(lines); i++ {
			if strings.HasPrefix(lines[i], "\t") {
				continue // the place of the call before
			}
			at := call{}
			if i+1 < len(lines) {
				at.place = placeOf(lines[i+1])
			}
			if by, ok := strings.CutPrefix(lines[i], "created by "); ok {
				name, id, _ := strings.Cut(by, " in goroutine ")
				at.function = name
				g.created = at
				g.creator, _ = strconv.ParseInt(id, 10, 64)
				break
			}
			if end := strings.LastIndexByte(lines[i], '('); end > 0 && at.place != "" {
				at.function = lines[i][:end]
				g.calls = append(g.calls, at)
			}
		}
		all = append(all, g)
	}
	return all
}

// parseHeader reads "goroutine 18 [chan receive, 5 minutes]:".
func parseHeader(line string) (g goroutine, ok bool) {
	rest, ok := strings.CutPrefix(line, "goroutine ")
	if !ok {
		return g, false
	}
	head, rest, ok := strings.Cut(rest, " [")
	if !ok {
		return g, false
	}
	number, _, _ := strings.Cut(head, " ")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return g, false
	}
	status, _, ok := strings.Cut(rest, "]")
	if !ok {
		return g, false
	}
	g.id = id
	for i, part := range strings.Split(status, ", ") {
		if i == 0 {
			g.state = part
		} else if n, ok := strings.CutSuffix(part, " minutes"); ok {
			g.waited, _ = strconv.Atoi(n)
		}
	}
	return g, true
}

// placeOf reads "\t/src/main.go:33 +0x14".
func placeOf(line string) string {
	rest, ok := strings.CutPrefix(line, "\t")
	if !ok {
		return ""
	}
	if i := strings.LastIndex(rest, " +0x"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}
