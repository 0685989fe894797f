package format

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/profoundhq/profound/internal/format/pprof"
)

// Scratch holds the buffers of a Decode for the next one. It serves one
// Decode at a time; the zero value is ready.
type Scratch struct {
	gzip    *gzip.Reader
	raw     *bufio.Reader // the input as it comes
	content *bufio.Reader // inside the first wrapper
	tables  pprof.Storage
}

// input is the decompressed content and what must be closed after it.
type input struct {
	content *bufio.Reader
	closers []func()
	layers  int // wrappers taken off
	scratch *Scratch
}

func (in *input) close() {
	for _, c := range in.closers {
		c()
	}
}

// drain reads what a decoder left, so that a damaged or over-long tail of a
// compressed input is noticed even where the decoder had read enough.
func (in *input) drain() error {
	_, err := io.Copy(io.Discard, in.content)
	return err
}

// unwrap takes off up to maxWrappers gzip or zstd layers. Every layer is
// bounded by limit, so that a bomb in a bomb stays bounded too.
func unwrap(r io.Reader, opt Options) (*input, error) {
	limit := opt.MaxBytes
	in := &input{scratch: opt.Scratch}
	if in.scratch == nil {
		in.scratch = &Scratch{}
	}
	in.content = buffer(&in.scratch.raw, &bounded{r: r, left: limit, limit: limit}, rawBytes)
	for range maxWrappers + 1 {
		magic, err := in.content.Peek(4)
		if err != nil && err != io.EOF && len(magic) == 0 {
			in.close()
			return nil, err
		}
		layer, err := in.openLayer(magic, limit)
		if err != nil {
			in.close()
			return nil, err
		}
		if layer != nil {
			in.layers++
		} else {
			if in.content.Size() < headBytes {
				in.content = bufio.NewReaderSize(in.content, headBytes)
			}
			return in, nil
		}
		if in.layers > maxWrappers {
			in.close()
			return nil, fmt.Errorf("compressed more than %d times over; decompress it by hand first", maxWrappers)
		}
		var content io.Reader = &bounded{r: layer, left: limit, limit: limit}
		if opt.SizeHint >= aheadLeast {
			ahead := newReadAhead(content)
			in.closers = append([]func(){ahead.close}, in.closers...) // before what it reads from
			content = ahead
		}
		if in.layers == 1 {
			in.content = buffer(&in.scratch.content, content, headBytes)
		} else {
			in.content = bufio.NewReaderSize(content, headBytes)
		}
	}
	return in, nil
}

// rawBytes is the size of one read of the input.
const rawBytes = 16 << 10

// buffer is a reader of r through the lent buffer, which is made on first use.
func buffer(lent **bufio.Reader, r io.Reader, size int) *bufio.Reader {
	if *lent == nil {
		*lent = bufio.NewReaderSize(nil, size)
	}
	(*lent).Reset(r)
	return *lent
}

// gunzip opens a gzip layer, the first with the scratch's reader.
func (in *input) gunzip() (*gzip.Reader, error) {
	if in.layers > 0 {
		return gzip.NewReader(in.content)
	}
	if in.scratch.gzip == nil {
		in.scratch.gzip = new(gzip.Reader)
	}
	return in.scratch.gzip, in.scratch.gzip.Reset(in.content)
}

// openLayer opens the compressed layer that begins with magic; nil when the
// content is not compressed.
func (in *input) openLayer(magic []byte, limit int64) (io.Reader, error) {
	switch {
	case len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b:
		z, err := in.gunzip()
		if err != nil {
			return nil, layerError("gzip", 0, limit, err)
		}
		in.closers = append(in.closers, func() { _ = z.Close() })
		return &layer{name: "gzip", r: z, limit: limit}, nil
	case len(magic) == 4 && magic[0] == 0x28 && magic[1] == 0xb5 && magic[2] == 0x2f && magic[3] == 0xfd:
		z, err := zstd.NewReader(in.content, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecoderMaxMemory(uint64(limit)+1))
		if err != nil {
			return nil, layerError("zstd", 0, limit, err)
		}
		in.closers = append(in.closers, z.Close)
		return &layer{name: "zstd", r: z, limit: limit}, nil
	}
	return nil, nil
}

// maxZstdWindow is the largest history a zstd frame may ask us to keep: what
// `zstd --long` (without a number) writes.
const maxZstdWindow = 128 << 20

// layer names the wrapper and the position in the errors of a decompressor.
type layer struct {
	name string
	r    io.Reader
	n    int64 // decompressed bytes delivered
	// limit is what the error for a too large input names.
	limit int64
}

func (l *layer) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	l.n += int64(n)
	if err != nil && err != io.EOF {
		err = layerError(l.name, l.n, l.limit, err)
	}
	return n, err
}

func tooLarge(limit int64) error {
	return fmt.Errorf("%w: more than %d bytes; raise the limit with -max_size", ErrTooLarge, limit)
}

// layerError says where in the decompressed data, n bytes into it, a wrapper
// is damaged, and what to do.
func layerError(name string, n, limit int64, err error) error {
	switch {
	case errors.Is(err, ErrTooLarge):
		return err
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return tooLarge(limit)
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return fmt.Errorf("zstd data needs more than %d bytes of window; decompress it first with: zstd -d --long=31 FILE", maxZstdWindow)
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return fmt.Errorf("%s data ends early after %d decompressed bytes; the file is truncated: %w", name, n, io.ErrUnexpectedEOF)
	case n > 0 && errors.Is(err, gzip.ErrHeader):
		return fmt.Errorf("%s data is followed by something else after %d decompressed bytes; cut the trailing bytes off: %w", name, n, err)
	}
	return fmt.Errorf("%s data is damaged after %d decompressed bytes; fetch the file again: %w", name, n, err)
}

// bounded fails with ErrTooLarge once more than limit bytes were read.
type bounded struct {
	r           io.Reader
	left, limit int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		b.left = 0
		return n, tooLarge(b.limit)
	}
	b.left -= int64(n)
	return n, err
}
