// Package format turns bytes of unknown kind into a profile: it takes off
// gzip and zstd wrappers, sniffs the content and calls the decoder whose
// format it is. The decoders are one sub-package a format (pprof, legacy,
// gotext, gotrace, folded, perfscript); the encoders live in the same or in sibling
// packages (folded, speedscope, profjson) and are called directly.
//
// A format is added by writing its sub-package and one row in decoders.
package format

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/profoundhq/profound/internal/format/folded"
	"github.com/profoundhq/profound/internal/format/gotext"
	"github.com/profoundhq/profound/internal/format/gotrace"
	"github.com/profoundhq/profound/internal/format/legacy"
	"github.com/profoundhq/profound/internal/format/lines"
	"github.com/profoundhq/profound/internal/format/perfscript"
	"github.com/profoundhq/profound/internal/format/pprof"
	"github.com/profoundhq/profound/internal/profile"
)

// DefaultMaxBytes is the bound on decompressed input when Options names none.
const DefaultMaxBytes = 4 << 30

// headBytes is how much of the content a sniffer sees.
const headBytes = 64 << 10

// maxWrappers is how deep compressed wrappers may nest. A profile written by
// runtime/pprof is gzip already, and stores and shippers compress once more.
const maxWrappers = 2

// Options bound the work of Decode. The zero value is ready to use.
type Options struct {
	// MaxBytes bounds the decompressed input; 0 is DefaultMaxBytes.
	MaxBytes int64
	// SizeHint is the decompressed size of the input in bytes, 0 if unknown. It
	// only saves memory and copying; a wrong one does no harm.
	SizeHint int64
	// Scratch lends its buffers; nil makes new ones. With Lend it lends the
	// tables of a profile.proto too: the profile is then valid only until the
	// next Decode with the same Scratch.
	Scratch *Scratch
	Lend    bool
	// Discreet keeps the content out of errors: they say that it cannot be
	// read, not what it is.
	Discreet bool
}

// proto is what the decoder of profile.proto needs of it.
func (o Options) proto() pprof.Options {
	po := pprof.Options{MaxBytes: o.MaxBytes, SizeHint: o.SizeHint}
	if o.Lend && o.Scratch != nil {
		po.Storage = &o.Scratch.tables
	}
	return po
}

// Kind names a recognized input format in words, for people and for tests.
type Kind string

// The kinds Decode returns.
const (
	KindProto      Kind = "profile.proto"
	KindCPU        Kind = "legacy cpu"
	KindHeap       Kind = "legacy heap"
	KindGoCount    Kind = "go count"
	KindThread     Kind = "thread"
	KindContention Kind = "contention"
	KindJava       Kind = "java"
	KindGoroutines Kind = "goroutine debug=2"
	KindJemalloc   Kind = "jemalloc heap_v2"
	KindFolded     Kind = "folded"
	KindPerfScript Kind = "perf script"
	KindTrace      Kind = "go trace"
)

var (
	// ErrEmpty is returned for an input without a single byte.
	ErrEmpty = errors.New("empty input file")
	// ErrUnrecognized is wrapped when no decoder knows the content; the text
	// around it says what the input looks like and what to do.
	ErrUnrecognized = errors.New("unrecognized profile format")
	// ErrTooLarge is wrapped when the decompressed input exceeds
	// Options.MaxBytes.
	ErrTooLarge = errors.New("decompressed input is too large")
)

// decoder is one row of the sniffer list.
type decoder struct {
	kind Kind
	// looks decides from the first headBytes of the content, without a byte
	// order mark. It must be sure: there is no second try.
	looks  func(head []byte) bool
	decode func(r io.Reader, opt Options) (*profile.Profile, error)
}

// decoders is the sniffer list: the first row whose looks says yes decodes.
// Folded stacks have no header and so come after the texts that have one;
// profile.proto has no magic either and takes what is neither text nor a
// foreign file.
func decoders() []decoder {
	text := func(decode func(io.Reader) (*profile.Profile, error)) func(io.Reader, Options) (*profile.Profile, error) {
		return func(r io.Reader, opt Options) (*profile.Profile, error) { return decode(newGuard(r, opt.MaxBytes)) }
	}
	return []decoder{
		{KindTrace, gotrace.Looks, text(gotrace.Decode)},
		{KindCPU, legacy.LooksCPU, text(legacy.DecodeCPU)},
		{KindJemalloc, legacy.LooksJemalloc, text(legacy.DecodeJemalloc)},
		{KindHeap, legacy.LooksHeap, text(legacy.DecodeHeap)},
		{KindGoCount, legacy.LooksCount, text(legacy.DecodeCount)},
		{KindThread, legacy.LooksThread, text(legacy.DecodeThread)},
		{KindJava, legacy.LooksJava, text(legacy.DecodeJava)},
		{KindContention, legacy.LooksContention, text(legacy.DecodeContention)},
		{KindGoroutines, gotext.Looks, text(gotext.Decode)},
		{KindPerfScript, perfscript.Looks, text(perfscript.Decode)},
		{KindFolded, folded.Looks, text(folded.Decode)},
		{KindProto, looksProto, decodeProto},
	}
}

// looksProto knows profile.proto by what it is not, because nearly any bytes
// can begin a message.
func looksProto(head []byte) bool {
	return pprof.Looks(head) && !isText(head) && whichForeign(head) == nil
}

func decodeProto(r io.Reader, opt Options) (*profile.Profile, error) {
	p, err := pprof.Decode(r, opt.proto())
	return p, limitError(err, opt)
}

// limitError makes the decoder's limit this package's.
func limitError(err error, opt Options) error {
	if errors.Is(err, pprof.ErrTooLarge) {
		return tooLarge(opt.MaxBytes)
	}
	return err
}

// Decode sniffs r (gzip and zstd wrappers, nested up to 2 deep, then the
// content) and decodes it. profile.proto is decoded as a stream; of the text
// formats only a line at a time is held besides the result. name stands
// before every error text; "" leaves it out.
func Decode(r io.Reader, name string, opt Options) (*profile.Profile, Kind, error) {
	if opt.MaxBytes <= 0 {
		opt.MaxBytes = DefaultMaxBytes
	}
	p, kind, err := decode(r, opt)
	if err == nil {
		return p, kind, nil
	}
	if opt.Discreet {
		err = discreet(err)
	}
	if kind != "" && kind != KindProto { // its errors name it
		err = fmt.Errorf("%s: %w", kind, err)
	}
	if name != "" {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return nil, kind, err
}

// discreet is an error of a decoder without what it may quote of the content.
func discreet(err error) error {
	switch {
	case errors.Is(err, ErrEmpty), errors.Is(err, ErrTooLarge), errors.Is(err, ErrUnrecognized):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("it ends early, or is no profile (the command line says more): %w", io.ErrUnexpectedEOF)
	}
	return errors.New("it is damaged, or no profile (the command line says more)")
}

func decode(r io.Reader, opt Options) (*profile.Profile, Kind, error) {
	in, err := unwrap(r, opt)
	if err != nil {
		return nil, "", err
	}
	defer in.close()
	head, whole, err := peek(in.content)
	if err != nil {
		return nil, "", err
	}
	if len(head) == 0 {
		return nil, "", ErrEmpty
	}
	if whole && looksProto(head) {
		// All of a small profile is in the buffer: decode it there.
		p, err := pprof.DecodeBytes(head, opt.proto())
		return p, KindProto, limitError(err, opt)
	}
	content := head
	if bytes.HasPrefix(head, utf8BOM) {
		if _, err := in.content.Discard(len(utf8BOM)); err != nil {
			return nil, "", err
		}
		content = head[len(utf8BOM):]
	}
	for _, d := range decoders() {
		if !d.looks(content) {
			continue
		}
		p, err := d.decode(in.content, opt)
		if err == nil {
			err = in.drain()
		}
		if err != nil {
			return nil, d.kind, err
		}
		return p, d.kind, nil
	}
	return nil, "", unrecognized(content, opt.Discreet)
}

// peek is the first headBytes of r, or all of it when whole is set. An error
// of the input behind readable bytes is left to the decoder, which meets it
// with a position.
func peek(r *bufio.Reader) (head []byte, whole bool, err error) {
	head, err = r.Peek(r.Size())
	if err != nil && err != io.EOF && len(head) == 0 {
		return nil, false, err
	}
	return head, err == io.EOF, nil
}

// utf8BOM is the byte order mark some Windows tools put before UTF-8 text.
var utf8BOM = []byte(lines.BOM)
