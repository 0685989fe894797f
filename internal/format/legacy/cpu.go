package legacy

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/profoundhq/profound/internal/format/lines"
	"github.com/profoundhq/profound/internal/profile"
)

// A binary CPU profile is a sequence of machine words, 4 or 8 bytes in either
// byte order, then text:
//
//	0 3 LANG PERIOD 0          header; LANG 0 C++, 1 Java; PERIOD in µs
//	COUNT N PC1 ... PCN        a stack, leaf first; repeated
//	0 1 0                      end of the stacks
//	/proc/self/maps, or for Java "0xADDR function (file:line)" lines
const (
	cpuWords   = 5
	cpuVersion = 3
	langCPU    = 0
	langJava   = 1
)

// words reads machine words of one size and order.
type words struct {
	size  int
	order binary.ByteOrder
}

func (w words) at(b []byte, i int) uint64 {
	b = b[i*w.size:]
	if w.size == 4 {
		return uint64(w.order.Uint32(b))
	}
	return w.order.Uint64(b)
}

// cpuHeader finds the word size and order in which head is a CPU profile.
func cpuHeader(head []byte) (w words, lang int, periodMicros uint64, ok bool) {
	for _, w := range []words{{4, binary.LittleEndian}, {4, binary.BigEndian}, {8, binary.LittleEndian}, {8, binary.BigEndian}} {
		if len(head) < cpuWords*w.size {
			continue
		}
		lang, period := w.at(head, 2), w.at(head, 3)
		if w.at(head, 0) == 0 && w.at(head, 1) == cpuVersion && lang <= langJava && period > 0 && w.at(head, 4) == 0 {
			return w, int(lang), period, true
		}
	}
	return w, 0, 0, false
}

// LooksCPU knows a binary CPU profile of gperftools, early Go or the Java
// agent.
func LooksCPU(head []byte) bool {
	_, _, _, ok := cpuHeader(head)
	return ok
}

// DecodeCPU reads a binary CPU profile.
func DecodeCPU(r io.Reader) (*profile.Profile, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(cpuWords * 8)
	if err != nil && err != io.EOF {
		return nil, err
	}
	w, lang, period, ok := cpuHeader(head)
	if !ok {
		return nil, errors.New("byte 0: want the header words 0 3 LANG PERIOD 0")
	}
	t := newTable(nanos("cpu"), int64(period)*1000, count("samples"), nanos("cpu"))
	stacks := cpuStacks{t: t, br: br, w: w, adj: adjustCallers}
	if lang == langJava {
		stacks.adj = adjustNone
	}
	if _, err := br.Discard(cpuWords * w.size); err != nil {
		return nil, err
	}
	stacks.off = int64(cpuWords * w.size)
	if err := stacks.read(); err != nil {
		return nil, err
	}
	text := lines.NewReader(br)
	if lang == langJava {
		if err := t.readJavaLocations(text); err != nil {
			return nil, err
		}
		return t.finish(false)
	}
	t.dropHandlerFrames()
	if err := t.readMaps(text); err != nil {
		return nil, err
	}
	return t.finish(true)
}

// cpuStacks reads the stacks of a binary CPU profile into t.
type cpuStacks struct {
	t   *table
	br  *bufio.Reader
	w   words
	adj adjust
	off int64 // bytes read
}

// read reads up to the end marker or, when there is none, to the end of the
// input.
func (s *cpuStacks) read() error {
	var buf [16]byte
	var addrs []uint64
	for {
		at := s.off
		head := buf[:2*s.w.size]
		switch n, err := io.ReadFull(s.br, head); {
		case err == io.EOF:
			return nil
		case err == io.ErrUnexpectedEOF:
			return fmt.Errorf("byte %d: the file ends inside a stack header, %d bytes of %d; it is truncated", at, n, len(head))
		case err != nil:
			return err
		}
		s.off += int64(len(head))
		n, depth := s.w.at(head, 0), s.w.at(head, 1)
		addrs = addrs[:0]
		for i := uint64(0); i < depth; i++ {
			word := buf[:s.w.size]
			if _, err := io.ReadFull(s.br, word); err != nil {
				if err == io.EOF || err == io.ErrUnexpectedEOF {
					return fmt.Errorf("byte %d: the stack claims %d frames, the file ends after %d; it is truncated or damaged", at, depth, i)
				}
				return err
			}
			s.off += int64(len(word))
			addrs = append(addrs, s.w.at(word, 0))
		}
		if n == 0 && depth == 1 && addrs[0] == 0 {
			return nil
		}
		s.t.add(addrs, s.adj, int64(n), int64(n)*s.t.p.Period)
	}
}

// dropHandlerFrames removes up to two frames behind the leaf that all samples
// share, one in 32 excepted: they belong to the signal handler that took the
// sample. The leaf itself comes from the signal context and is right.
func (t *table) dropHandlerFrames() {
	exceptions := len(t.rows) / 32
	for range 2 {
		counts := make(map[loc]int)
		for i := range t.rows {
			if s := t.stack(&t.rows[i]); len(s) > 1 {
				counts[s[1]]++
			}
		}
		handler := loc(-1)
		for l, n := range counts {
			if n >= len(t.rows)-exceptions && (handler < 0 || n > counts[handler]) {
				handler = l
			}
		}
		for i := range t.rows {
			if s := t.stack(&t.rows[i]); len(s) > 1 && s[1] == handler {
				t.dropSecond(&t.rows[i])
			}
		}
	}
}
