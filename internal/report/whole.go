package report

import (
	"bytes"
	"encoding/json"

	"github.com/profoundhq/profound/internal/format/profjson"
	"github.com/profoundhq/profound/internal/profile"
)

// wholeProfile encodes a profile in the schema "profile/1".
type wholeProfile struct{ p *profile.Profile }

// MarshalJSON implements json.Marshaler.
func (w wholeProfile) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := profjson.Encode(&b, w.p)
	return b.Bytes(), err
}

var _ json.Marshaler = wholeProfile{}

// JSON is the whole profile in the schema "profile/1".
func (d *Raw) JSON() any { return wholeProfile{d.p} }

// JSON is the whole profile in the schema "profile/1".
func (p *Proto) JSON() any { return wholeProfile{p.Profile} }
