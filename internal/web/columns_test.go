package web

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// goldenColumns has every type, empty columns, lengths that need padding, and
// strings of all sorts.
func goldenColumns() *Columns {
	c := &Columns{Schema: "golden/1", Meta: map[string]any{"title": "every type <b>\u2028</b>", "total": 9007199254740991}}
	c.Add("u8", []uint8{0, 1, 255})
	c.Add("u16", []uint16{0, 1, 65535})
	c.Add("u32", []uint32{0, 1, 4294967295})
	c.Add("i32", []int32{-2147483648, -1, 2147483647})
	c.Add("f32", []float32{0, -1.5, 0.25, 16777216, 1e10})
	c.Add("f64", []float64{0, -1.5, 9007199254740991, 1e-300})
	c.Add("str", []string{"", "main.main", "größer", "世界 🎉", "a\x00b", "<script>"})
	c.Add("empty", []float64{})
	c.Add("none", []string{})
	c.Add("one", []string{"x"})
	c.Add("last", []uint8{7})
	return c
}

// TestColumnsGolden writes the file that the page's decoder is tested with.
func TestColumnsGolden(t *testing.T) {
	c := goldenColumns()
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	text, err := c.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", " "); err != nil {
		t.Fatal(err)
	}
	indented.WriteByte('\n')
	for name, got := range map[string][]byte{"columns.pfcols": b.Bytes(), "columns.json": indented.Bytes()} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what is encoded now; if that is right, go test -run ColumnsGolden -update", path)
		}
	}
}

// decoded is what decodeColumns reads: numbers as float64, strings as they are.
type decoded struct {
	schema  string
	meta    map[string]any
	numbers map[string][]float64
	strings map[string][]string
}

// decodeColumns reads what docs/formats/columns.md describes, by the letter.
func decodeColumns(t testing.TB, data []byte) *decoded {
	t.Helper()
	le := binary.LittleEndian
	if string(data[:8]) != "PFCOLS1\n" {
		t.Fatalf("begins with %q", data[:8])
	}
	n := int(le.Uint32(data[8:]))
	var head struct {
		Schema  string
		Meta    map[string]any
		Columns []struct {
			Name, Type     string
			Length, Offset int
			Bytes          int
		}
	}
	if err := json.Unmarshal(data[12:12+n], &head); err != nil {
		t.Fatal(err)
	}
	body := data[12+n:]
	if (12+n)%8 != 0 {
		t.Fatalf("data begins at %d", 12+n)
	}
	d := &decoded{head.Schema, head.Meta, map[string][]float64{}, map[string][]string{}}
	for _, c := range head.Columns {
		if c.Offset%8 != 0 {
			t.Errorf("column %s begins at %d", c.Name, c.Offset)
		}
		at := body[c.Offset:]
		nums := make([]float64, c.Length)
		for i := range nums {
			switch c.Type {
			case "u8":
				nums[i] = float64(at[i])
			case "u16":
				nums[i] = float64(le.Uint16(at[2*i:]))
			case "u32":
				nums[i] = float64(le.Uint32(at[4*i:]))
			case "i32":
				nums[i] = float64(int32(le.Uint32(at[4*i:])))
			case "f32":
				nums[i] = float64(math.Float32frombits(le.Uint32(at[4*i:])))
			case "f64":
				nums[i] = math.Float64frombits(le.Uint64(at[8*i:]))
			case "str":
				text := at[(4*(c.Length+1)+7)/8*8:][:c.Bytes]
				d.strings[c.Name] = append(d.strings[c.Name], string(text[le.Uint32(at[4*i:]):le.Uint32(at[4*i+4:])]))
			default:
				t.Fatalf("column %s has type %s", c.Name, c.Type)
			}
		}
		if c.Type == "str" {
			if c.Length == 0 {
				d.strings[c.Name] = []string{}
			}
			continue
		}
		d.numbers[c.Name] = nums
	}
	return d
}

func TestColumnsRoundTrip(t *testing.T) {
	var b bytes.Buffer
	c := goldenColumns()
	n, err := c.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("wrote %d of %d: %v", n, b.Len(), err)
	}
	d := decodeColumns(t, b.Bytes())
	text, err := c.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Columns map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for name, raw := range want.Columns {
		var nums []float64
		var strs []string
		if json.Unmarshal(raw, &nums) == nil && d.numbers[name] != nil {
			for i := range nums { // JSON prints the shortest float32
				if name == "f32" {
					nums[i] = float64(float32(nums[i]))
				}
			}
			if !slices.Equal(nums, d.numbers[name]) {
				t.Errorf("%s: %v, want %v", name, d.numbers[name], nums)
			}
			continue
		}
		if err := json.Unmarshal(raw, &strs); err != nil || !slices.Equal(strs, d.strings[name]) {
			t.Errorf("%s: %q, want %q (%v)", name, d.strings[name], strs, err)
		}
	}
}

func TestColumnsRefuse(t *testing.T) {
	c := &Columns{Schema: "x/1"}
	c.Add("bad", []int64{1})
	if _, err := c.WriteTo(&bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "column bad") {
		t.Errorf("int64: %v", err)
	}
}

func TestColumnsInvalidText(t *testing.T) {
	c := &Columns{Schema: "x/1"}
	c.Add("s", []string{"a\xff\xfeb", "ok"})
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if got := decodeColumns(t, b.Bytes()).strings["s"]; !slices.Equal(got, []string{"a\uFFFDb", "ok"}) {
		t.Errorf("%q", got)
	}
}
