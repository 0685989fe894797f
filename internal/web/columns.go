package web

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
)

// columnsType is the media type of Columns; docs/formats/columns.md describes
// the bytes.
const columnsType = "application/vnd.profound.columns"

// columnsMagic begins every encoded Columns.
const columnsMagic = "PFCOLS1\n"

// Columns is an answer made of arrays: what a flame graph or a large table is
// sent as. Columns are added with Add and encoded in that order.
//
//	"PFCOLS1\n"  u32 length  header (JSON, padded)  column  column ...
//	                                                each at a multiple of 8
type Columns struct {
	// Schema names the columns and their version: "flame/1".
	Schema string
	// Meta is what is no column; it is encoded as JSON.
	Meta any

	columns []column
}

// column is one array of the types Add takes.
type column struct {
	name   string
	values any
}

// Add appends a column. values is []uint8, []uint16, []uint32, []int32,
// []float32, []float64 or []string, and is not copied.
func (c *Columns) Add(name string, values any) {
	c.columns = append(c.columns, column{name, values})
}

// columnHeader is the entry of a column in the header.
type columnHeader struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Length int    `json:"length"`
	Offset int    `json:"offset"`
	Bytes  *int   `json:"bytes,omitempty"`
}

type columnsHeader struct {
	Schema  string         `json:"schema"`
	Meta    any            `json:"meta"`
	Columns []columnHeader `json:"columns"`
}

// WriteTo writes the encoded columns.
func (c *Columns) WriteTo(w io.Writer) (int64, error) {
	head := columnsHeader{Schema: c.Schema, Meta: c.Meta, Columns: []columnHeader{}}
	encoded := make([][]byte, len(c.columns))
	offset := 0
	for i, col := range c.columns {
		kind, n, data, text, err := encodeColumn(col.values)
		if err != nil {
			return 0, fmt.Errorf("encode column %s: %w", col.name, err)
		}
		h := columnHeader{Name: col.name, Type: kind, Length: n, Offset: offset}
		if kind == "str" {
			h.Bytes = &text
		}
		head.Columns = append(head.Columns, h)
		encoded[i] = pad8(data, 0)
		offset += len(encoded[i])
	}
	header, err := marshal(head)
	if err != nil {
		return 0, fmt.Errorf("encode header of %s: %w", c.Schema, err)
	}
	for (len(columnsMagic)+4+len(header))%8 != 0 {
		header = append(header, ' ')
	}
	begin := append([]byte(columnsMagic), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(begin[len(columnsMagic):], uint32(len(header)))
	var written int64
	for _, part := range append([][]byte{begin, header}, encoded...) {
		n, err := w.Write(part)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// encodeColumn is the type, the number of entries and the bytes of a column;
// text is how many bytes its strings have.
func encodeColumn(values any) (kind string, n int, data []byte, text int, err error) {
	le := binary.LittleEndian
	switch v := values.(type) {
	case []uint8:
		return "u8", len(v), append([]byte(nil), v...), 0, nil
	case []uint16:
		data = make([]byte, 0, 2*len(v)+8)
		for _, x := range v {
			data = le.AppendUint16(data, x)
		}
		return "u16", len(v), data, 0, nil
	case []uint32:
		data = make([]byte, 0, 4*len(v)+8)
		for _, x := range v {
			data = le.AppendUint32(data, x)
		}
		return "u32", len(v), data, 0, nil
	case []int32:
		data = make([]byte, 0, 4*len(v)+8)
		for _, x := range v {
			data = le.AppendUint32(data, uint32(x))
		}
		return "i32", len(v), data, 0, nil
	case []float32:
		data = make([]byte, 0, 4*len(v)+8)
		for _, x := range v {
			data = le.AppendUint32(data, math.Float32bits(x))
		}
		return "f32", len(v), data, 0, nil
	case []float64:
		data = make([]byte, 0, 8*len(v))
		for _, x := range v {
			data = le.AppendUint64(data, math.Float64bits(x))
		}
		return "f64", len(v), data, 0, nil
	case []string:
		data, text, err = encodeStrings(v)
		return "str", len(v), data, text, err
	}
	return "", 0, nil, 0, fmt.Errorf("values of type %T cannot be a column", values)
}

func encodeStrings(list []string) (data []byte, text int, err error) {
	le := binary.LittleEndian
	data = le.AppendUint32(make([]byte, 0, 4*len(list)+12), 0)
	valid := make([]string, len(list))
	for i, s := range list {
		valid[i] = strings.ToValidUTF8(s, "\uFFFD")
		text += len(valid[i])
		data = le.AppendUint32(data, uint32(text))
	}
	if text > math.MaxUint32 {
		return nil, 0, fmt.Errorf("%d bytes of strings do not fit", text)
	}
	data = pad8(data, text)
	for _, s := range valid {
		data = append(data, s...)
	}
	return data, text, nil
}

// pad8 appends zeros up to a multiple of 8, with room for more bytes.
func pad8(data []byte, room int) []byte {
	if n := -len(data) & 7; n > 0 || room > 0 {
		grown := make([]byte, len(data)+n, len(data)+n+room)
		copy(grown, data)
		return grown
	}
	return data
}

// MarshalJSON is the answer to format=json: the columns as arrays by name.
func (c *Columns) MarshalJSON() ([]byte, error) {
	columns := make(map[string]any, len(c.columns))
	for _, col := range c.columns {
		values := col.values
		if bytes, ok := values.([]uint8); ok { // JSON would be base64
			wide := make([]uint16, len(bytes))
			for i, b := range bytes {
				wide[i] = uint16(b)
			}
			values = wide
		}
		columns[col.name] = values
	}
	return marshal(struct {
		Schema  string         `json:"schema"`
		Meta    any            `json:"meta"`
		Columns map[string]any `json:"columns"`
	}{c.Schema, c.Meta, columns})
}
