package unit

import "testing"

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		value    int64
		from, to string
		want     string
	}{
		{0, "bytes", Auto, "0"},
		{1, "bytes", Auto, "1B"},
		{1536, "bytes", Auto, "1.50kB"},
		{-1536, "bytes", Auto, "-1.50kB"},
		{1 << 20, "Bytes", "kb", "1024kB"},
		{10, "milliseconds", Auto, "10ms"},
		{1500, "ms", "s", "1.50s"},
		{1, "nanoseconds", "s", "0"},
		{7, "count", Minimum, "7"},
		{7, "count", "count", "7"},
		{7, "count", "requests", "7requests"},
		{5, "seconds", "mb", "5s"},
		{2, "gcu", Auto, "2GCU"},
		{-1 << 63, "bytes", "b", "-9223372036854775808B"},
	} {
		if got := Format(c.value, c.from, c.to); got != c.want {
			t.Errorf("Format(%d, %q, %q) = %q, want %q", c.value, c.from, c.to, got, c.want)
		}
		f := NewFormatter(c.from, c.to)
		if got, want := f.Format(c.value), Format(c.value, c.from, c.to); got != want {
			t.Errorf("Formatter(%q, %q).Format(%d) = %q, want %q", c.from, c.to, c.value, got, want)
		}
	}
}

func TestPercentage(t *testing.T) {
	for _, c := range []struct {
		v, total int64
		want     string
	}{
		{1, 1, "  100%"}, {9996, 10000, "  100%"}, {5, 10, "50.00%"}, {-5, 10, "50.00%"},
		{1, 1000, "  0.1%"}, {1, 0, "    0%"}, {84, 1000000, "0.0084%"},
	} {
		if got := Percentage(c.v, c.total); got != c.want {
			t.Errorf("Percentage(%d, %d) = %q, want %q", c.v, c.total, got, c.want)
		}
	}
}
