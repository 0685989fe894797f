package report

import (
	"io"

	"github.com/profoundhq/profound/internal/format/folded"
	"github.com/profoundhq/profound/internal/format/speedscope"
)

// Export is the filtered profile in a format of other tools.
type Export struct {
	wholeProfile
	write func(io.Writer) error
}

// WriteText writes the file.
func (e *Export) WriteText(w io.Writer) error { return e.write(w) }

// JSON is the whole profile in the schema "profile/1".
func (e *Export) JSON() any { return e.wholeProfile }

// NewFolded is one line a stack: frames root first, joined by semicolons, and
// the value of the view's sample type.
func NewFolded(r *Report) (*Export, error) {
	p := r.View.Profile
	i, err := p.SampleIndex(r.View.Options.SampleIndex)
	if err != nil {
		return nil, err
	}
	return &Export{wholeProfile{p}, func(w io.Writer) error { return folded.Encode(w, p, i) }}, nil
}

// NewSpeedscope is the JSON that https://www.speedscope.app reads.
func NewSpeedscope(r *Report) (*Export, error) {
	p := r.View.Profile
	return &Export{wholeProfile{p}, func(w io.Writer) error { return speedscope.Encode(w, p) }}, nil
}
