package folded

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
)

// Encode writes the values of one sample type of p as folded stacks, one line
// for each distinct stack of function names, sorted by stack. Stacks whose
// values add up to 0 are left out. A ';' inside a name (Go type arguments
// have them) becomes ':', a line end a blank; a frame without a function is
// its address in hex. Labels, files and lines do not fit the format and are
// dropped.
func Encode(w io.Writer, p *profile.Profile, sampleIndex int) error {
	if sampleIndex < 0 || sampleIndex >= len(p.SampleTypes) {
		return fmt.Errorf("encode folded: sample type %d of %d", sampleIndex, len(p.SampleTypes))
	}
	// Sum by stack id first: that needs no text.
	sums := make([]int64, p.Stacks.Len())
	for i, v := range p.Samples.Values[sampleIndex] {
		sums[p.Samples.Stack[i]] += v
	}
	names := frameNames(p)
	byText := map[string]int64{}
	var line []byte
	for id, sum := range sums {
		if sum == 0 {
			continue
		}
		line = appendStack(line[:0], p, names, profile.StackID(id))
		byText[string(line)] += sum
	}
	stacks := make([]string, 0, len(byText))
	for s, sum := range byText {
		if sum != 0 && s != "" {
			stacks = append(stacks, s)
		}
	}
	slices.Sort(stacks)
	bw := bufio.NewWriter(w)
	for _, s := range stacks {
		line = line[:0]
		if s[0] == '#' {
			// An empty frame before it keeps the line from being a comment.
			line = append(line, ';')
		}
		line = append(line, s...)
		line = append(line, ' ')
		line = strconv.AppendInt(line, byText[s], 10)
		line = append(line, '\n')
		if _, err := bw.Write(line); err != nil {
			return fmt.Errorf("encode folded: %w", err)
		}
	}
	if err := bw.Flush(); err != nil {
		return fmt.Errorf("encode folded: %w", err)
	}
	return nil
}

// frameNames is the text of every function, by id.
func frameNames(p *profile.Profile) []string {
	clean := strings.NewReplacer(";", ":", "\n", " ", "\r", " ")
	names := make([]string, p.Functions.Len())
	for id := range names {
		name := p.FunctionName(profile.FunctionID(id))
		if name == "" {
			name = p.Str(p.Functions.SystemName[id])
		}
		names[id] = strings.TrimSpace(clean.Replace(name))
	}
	return names
}

// appendStack appends the frames of a stack, root first.
func appendStack(line []byte, p *profile.Profile, names []string, id profile.StackID) []byte {
	frames := p.Stacks.Of(id)
	sep := func() {
		if len(line) > 0 {
			line = append(line, ';')
		}
	}
	for i := len(frames) - 1; i >= 0; i-- {
		l := frames[i]
		ls := p.Locations.LinesOf(l)
		if len(ls) == 0 {
			sep()
			line = append(line, "0x"...)
			line = strconv.AppendUint(line, p.Locations.Address[l], 16)
		}
		for j := len(ls) - 1; j >= 0; j-- {
			sep()
			name := names[ls[j].Function]
			if name == "" {
				name = "0x" + strconv.FormatUint(p.Locations.Address[l], 16)
			}
			line = append(line, name...)
		}
	}
	return line
}
