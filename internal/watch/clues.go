package watch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/source"
)

const (
	traceSeconds = 3
	maxClue      = 64 << 20
)

// Clues asks for what explains growth: what goroutines wait for and who
// started them, and a short execution trace. Both cost the target more than a
// look. The warnings are what could not be had.
func (t *Target) Clues(ctx context.Context, o ClueOptions) (leak.Clues, []error) {
	var c leak.Clues
	if t.server == nil {
		return c, nil
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = maxClue
	}
	if o.Trace == 0 {
		o.Trace = traceSeconds * time.Second
	}
	var warnings []error
	var raw clueBytes
	warn := func(err error) {
		if err != nil && ctx.Err() == nil {
			warnings = append(warnings, err)
		}
	}
	if t.has(goroutineProfile) {
		var err error
		c.Waiting, raw.waiting, err = t.clue(ctx, goroutineProfile, url.Values{"debug": {"2"}}, 0, o)
		warn(err)
		if err != nil && !source.Answered(err) {
			return c, warnings // nobody is there
		}
	}
	if o.Trace > 0 {
		var err error
		seconds := strconv.FormatFloat(o.Trace.Seconds(), 'f', -1, 64)
		c.Trace, raw.trace, err = t.clue(ctx, "trace", url.Values{"seconds": {seconds}}, o.Trace, o)
		warn(err)
	}
	t.mu.Lock()
	keep := t.keep
	t.mu.Unlock()
	if keep != nil {
		warn(keep.clues(t.opt.Now(), o.Trace, &raw))
	}
	return c, warnings
}

// clueBytes are the answers as they came.
type clueBytes struct{ waiting, trace []byte }

// clue fetches and decodes one answer. One that is too large is cut off:
// what was read of it is of use all the same.
func (t *Target) clue(ctx context.Context, name string, query url.Values, wait time.Duration, o ClueOptions) (p *profile.Profile, raw []byte, err error) {
	err = t.server.Get(ctx, name, query, wait, func(r io.Reader) error {
		raw, err = io.ReadAll(io.LimitReader(r, o.MaxBytes))
		if err != nil {
			return err
		}
		p, _, err = format.Decode(bytes.NewReader(raw), "", format.Options{MaxBytes: o.MaxBytes})
		if errors.Is(err, format.ErrUnrecognized) || errors.Is(err, format.ErrEmpty) {
			return t.server.NotAProfile(raw)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return p, raw, nil
}
