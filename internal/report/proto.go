package report

import (
	"bufio"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/profoundhq/profound/internal/format/pprof"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/unit"
	"github.com/profoundhq/profound/internal/view"
)

// Proto is a profile as gzipped profile.proto.
type Proto struct {
	Profile *profile.Profile
}

// NewProto is the filtered profile, its values divided as the view says.
func NewProto(r *Report) *Proto {
	p := r.View.Profile
	if ratio := r.ratio(); ratio > 0 && ratio != 1 {
		c := p.ShallowCopy()
		c.Samples.Values = nil
		for _, col := range p.Samples.Values {
			out := make([]int64, len(col))
			for i, v := range col {
				out[i] = int64(float64(v) * ratio)
			}
			c.Samples.Values = append(c.Samples.Values, out)
		}
		p = c
	}
	return &Proto{p}
}

// NewTopProto is a profile of the nodes of top: a location and a sample each,
// with the values cum and flat in the unit of the report.
func NewTopProto(r *Report) (*Proto, error) {
	t := r.View.Trim(view.ForText)
	r.selectUnit(t.Graph, false)
	b := profile.NewBuilder(profile.ValueType{Type: "cum", Unit: r.outUnit}, profile.ValueType{Type: "flat", Unit: r.outUnit})
	h, src := b.Header(), r.View.Profile
	h.TimeNanos, h.DurationNanos, h.PeriodType, h.Period = src.TimeNanos, src.DurationNanos, src.PeriodType, src.Period
	for _, i := range t.Order {
		n := &t.Nodes[i]
		fn := b.Function(n.Name, "", n.File, int64(n.StartLine))
		loc := b.AddLocation(0, n.Address, false, profile.Line{Function: fn, Line: int64(n.Line), Column: int64(n.Column)})
		flat, _ := unit.Scale(n.FlatValue(), r.View.Unit, r.outUnit)
		cum, _ := unit.Scale(n.CumValue(), r.View.Unit, r.outUnit)
		b.Sample([]profile.LocationID{loc}, []int64{int64(cum), int64(flat)})
	}
	p, err := b.Profile()
	if err != nil {
		return nil, err
	}
	return &Proto{p}, nil
}

// gzipLevel trades a tenth of size for most of the time of the default.
const gzipLevel = 1

// WriteText writes the compressed message.
func (p *Proto) WriteText(w io.Writer) error { return WriteProfile(w, p.Profile) }

// WriteProfile writes a profile as gzipped profile.proto.
func WriteProfile(w io.Writer, p *profile.Profile) error {
	out := bufio.NewWriterSize(w, 64<<10) // the compressor writes in small pieces
	zw, err := gzip.NewWriterLevel(out, gzipLevel)
	if err != nil {
		return err
	}
	if err := pprof.Encode(zw, p); err != nil {
		return err
	}
	if err := zw.Close(); err != nil {
		return err
	}
	return out.Flush()
}
