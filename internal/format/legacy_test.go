package format_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	oracle "github.com/google/pprof/profile"

	"github.com/profoundhq/profound/internal/format"
)

// cpuProfile writes a binary CPU profile of words in one size and order.
func cpuProfile(size int, order binary.ByteOrder, tail string, words ...uint64) []byte {
	var b []byte
	for _, w := range words {
		var buf [8]byte
		if size == 4 {
			order.PutUint32(buf[:], uint32(w))
		} else {
			order.PutUint64(buf[:], w)
		}
		b = append(b, buf[:size]...)
	}
	return append(b, tail...)
}

// cppWords has 40 stacks that share the frame behind the leaf but for one, as
// a signal handler makes them, and a duplicated leaf.
func cppWords() []uint64 {
	words := []uint64{0, 3, 0, 10000, 0}
	for i := range uint64(40) {
		handler := uint64(0x400900)
		if i == 7 {
			handler = 0x400910
		}
		words = append(words, i+1, 4, 0x400100+i*16, handler, 0x400101+i*16, 0x7f0000001000)
	}
	words = append(words, 3, 1, 0x400200)
	return append(words, 0, 1, 0)
}

const procMaps = `00400000-00600000 r-xp 00000000 fd:01 1234   /bin/server
00600000-00700000 rw-p 00200000 fd:01 1234   /bin/server
7f0000000000-7f0000002000 r-xp 00001000 fd:01 99 /lib/libc-2.31.so
7fff0000-7fff1000 r-xp 00000000 00:00 0 [vdso]
`

// briefMaps exercises the short form: variables, log prefixes, split and
// offset mappings, build ids, lines that are none.
const briefMaps = `--- Memory map: ---
  build=/srv/$unknown/bin
I0102 03:04:05.678 12 maps.cc:77] 7f0000001000-7f0000002000: /lib/libm.so.6 (@1000) abcdef01
  0x40000000-0x40001000: [vdso]
  base = prog
  400000-401000: $build/$base (deleted)
  401000-402000: $build/$base
  500000-501000 r-xp
  noise without an equals sign?
  1 2
`

// le is the byte order of nearly all machines.
var le = binary.LittleEndian

const stackLines = " @ 0x400101 0x400201 0x7f0000001801 0x12\n"

func legacySamples() map[string][]byte {
	java := "\n 0x0000003 com.example.A (A.java:03)\n 0x0000004 com.example.B (B.java:-1)\n 0x5 nat (/usr/lib/libjvm.so)\n0x6 generated stub/JIT\n 0x7 GC\n 0x8 com.example.A (Other.java:9)\n 0x99 unused (U.java:1)\n"
	texts := map[string]string{
		"heap v2":            "heap profile:    144:  8498176 [   144:  8498176] @ heapz_v2/524288\n  1:  9216 [ 1: 9216]" + stackLines + " 0: 0 [ 0: 0] @ 0x1\n" + briefMaps,
		"heap v2 alloc":      "heap profile: 1: 9 [ 10: 90] @ heap_v2/1000\n 1: 9 [10: 90]" + stackLines + "# comment\n\n -1: -900 [ 3: 3]" + stackLines + "MAPPED_LIBRARIES:\n" + procMaps,
		"heap no rate":       "heap profile: 1: 9 [ 10: 90] @ heapz_v2\n 1: 9 [10: 90]" + stackLines,
		"heapprofile":        "heap profile: 1: 9 [ 10: 90] @ heapprofile\n 1: 9 [10: 90]" + stackLines + briefMaps,
		"go heap":            "heap profile: 2: 9 [0: 0] @ heap/1048576\n 2: 4096 [0: 0]" + stackLines + "junk prefix 3: 300 [4: 400] @ 0x400101 (rest)\n",
		"growth":             "heap profile: 2: 9 [2: 9] @ growthz\n 2: 4096 [2: 4096]" + stackLines,
		"growth short":       "heap profile: 2: 9 [2: 9] @ growth\n 2: 4096 [2: 4096]" + stackLines,
		"fragmentation":      "heap profile: 2: 9 [2: 9] @ fragmentationz\n 2: 4096 [2: 4096]" + stackLines,
		"count":              "\n# comment\ngoroutine profile: total 3\n2 @ 0x400101 0x400201\n\n1 @ 0x400201 0x1\n# note\n--- Memory map: ---\n" + procMaps,
		"count zero":         "threadcreate profile: total 0\n",
		"count top address":  "custom/x profile: total 1\n1 @ 0x0 0xffffffffffffffff\n",
		"thread":             "--- threadz 1 ---\n\n--- Thread 7eff (name: main/25) stack: ---\n  PC:  0x00400101: helper(arg*)\n  0x00400102 0x400102: main\n--- Thread 7f (name: t/3) stack: ---\n  [same as previous thread]\n--- Thread 7f (name: t/4) stack: ---\n 0x400101 0x400102 0x400900\n" + briefMaps,
		"thread no header":   "# c\n--- Thread 7eff (name: main/25) stack: ---\n 0x400101\n---- no stack trace for thread 3\n" + briefMaps,
		"contentionz":        "--- contentionz 1 ---\ncycles/second = 3201000000\nsampling period = 100\nms since reset = 16502830\ndiscarded samples = 0\n  19490304       27" + stackLines + "   768        1 @ 0x400101\n" + briefMaps,
		"contention go":      "--- contention:\ncycles/second=1000000000\n12 3" + stackLines,
		"mutex go":           "--- mutex:\ncycles/second=2596119848\nsampling period=5\n1293052023 159" + stackLines + "123 @ 0x400201\n",
		"contention hex":     "--- contentionz 1 ---\nsampling period = 0x10\n 768 1" + stackLines,
		"java heap":          "--- heapz 1 ---\nformat = java\nresolution = bytes\n  1024 2 @ 0x3 0x00000004 0x9\n  600000 1 @ 0x5 0x6 0x7 0x8\n" + java,
		"java contention":    "--- contentionz 1 ---\nformat = java\nresolution = microseconds\nsampling period = 100\nms since reset = 6019923\n   1     1 @ 0x00000003 0x00000004\n  14  2 @ 0x5 0x5\n" + java,
		"java no sampling":   "--- contentionz 1 ---\nformat = java\nresolution = nanoseconds\n\n   1     1 @ 0x00000003\n" + java,
		"huge page mapping":  "heap profile: 1: 9 [ 1: 9] @ heapz_v2/1\n 1: 9 [ 1: 9]" + stackLines + "--- Memory map: ---\n300000-400000: /anon_hugepage (deleted)\n400000-500000: /bin/x\n",
		"start with offset":  "heap profile: 1: 9 [ 1: 9] @ heapz_v2/1\n 1: 9 [ 1: 9]" + stackLines + "--- Memory map: ---\n400100-500000: /bin/x (@100)\n7f0000001900-7f0000002000: /lib/y.so (@1000)\n",
		"overlapping maps":   "heap profile: 1: 9 [ 1: 9] @ heapz_v2/1\n 1: 9 [ 1: 9]" + stackLines + "--- Memory map: ---\n0-500000: /lib/a.so\n400000-500000: /bin/x\n400000-500000: /bin/z\n",
		"reused variables":   "heap profile: 1: 9 [ 1: 9] @ heapz_v2/1\n 1: 9 [ 1: 9]" + stackLines + "--- Memory map: ---\na=/x\nb=$a/y\na=/z\n400000-500000: $b$a\n",
		"windows line ends":  "goroutine profile: total 3\r\n2 @ 0x400101 0x400201\r\n\r\n",
		"no newline at end":  "goroutine profile: total 3\n2 @ 0x400101 0x400201",
		"deleted and nought": "heap profile: 0: 0 [ 0: 0] @ heapz_v2/1\n 1: 9 [ 1: 9]" + stackLines + "--- Memory map: ---\n1000-2000:\n2000-3000: (deleted)\n400000-500000: /bin/x (deleted)\n",
	}
	out := map[string][]byte{}
	for name, text := range texts {
		out[name] = []byte(text)
	}
	for _, size := range []int{4, 8} {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			out[fmt.Sprintf("cpu %d %v", size*8, order)] = cpuProfile(size, order, procMaps, cppWords()...)
			out[fmt.Sprintf("cpu java %d %v", size*8, order)] = cpuProfile(size, order, java,
				0, 3, 1, 10000, 0, 5, 2, 3, 4, 1, 3, 5, 6, 9, 0, 1, 0)
		}
	}
	out["cpu no end mark"] = cpuProfile(8, binary.LittleEndian, "", 0, 3, 0, 100, 0, 1, 2, 0x10, 0x20)
	return out
}

func TestLegacyAgainstOracle(t *testing.T) {
	kinds := map[string]format.Kind{
		"heap": format.KindHeap, "heapprofile": format.KindHeap, "growth": format.KindHeap, "fragmentation": format.KindHeap, "go": format.KindHeap,
		"count": format.KindGoCount, "windows": format.KindGoCount, "no": format.KindGoCount, "thread": format.KindThread,
		"contentionz": format.KindContention, "contention": format.KindContention, "mutex": format.KindContention,
		"java": format.KindJava, "cpu": format.KindCPU,
	}
	for name, data := range legacySamples() {
		t.Run(name, func(t *testing.T) {
			kind, ok := kinds[strings.Fields(name)[0]]
			if !ok {
				kind = format.KindHeap
			}
			compareWithOracle(t, data, kind, false)
		})
	}
}

// FuzzLegacyAgainstOracle checks that whatever both accept, both read alike.
func FuzzLegacyAgainstOracle(f *testing.F) {
	for _, data := range legacySamples() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, kind, err := format.Decode(bytes.NewReader(data), "", format.Options{MaxBytes: 1 << 20})
		if err != nil {
			return
		}
		switch kind {
		case format.KindProto, format.KindFolded, format.KindPerfScript, format.KindGoroutines, format.KindJemalloc:
			return
		}
		o, err := oracle.ParseData(data)
		if err != nil || kind == format.KindJava && !bytes.HasSuffix(data, []byte("\n")) {
			// pprof passes over a last line without line end in Java texts.
			return
		}
		if _, err := oracle.ParseUncompressed(data); err == nil {
			return // pprof tries profile.proto first, which has a few words in common
		}
		q := toOracle(p)
		if kind != format.KindJava && kind != format.KindCPU {
			dropSymbols(q)
		}
		// Names that are no UTF-8 are repaired here and kept by pprof.
		valid := func(q *oracle.Profile) string { return strings.ToValidUTF8(q.String(), "?") }
		if got, want := strings.ReplaceAll(valid(q), "\uFFFD", "?"), strings.ReplaceAll(valid(o), "\uFFFD", "?"); got != want {
			t.Errorf("differs from pprof at %s", firstDifference(got, want))
		}
	})
}
