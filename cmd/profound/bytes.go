package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/profoundhq/profound/internal/unit"
)

// parseBytes reads a size such as 512mb, 4gb or 1048576.
func parseBytes(s string) (int64, error) {
	i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsDigit(r) && r != '.' })
	num, u := s, "b"
	if i >= 0 {
		num, u = s[:i], s[i:]
	}
	v, err := strconv.ParseFloat(num, 64)
	factor, base := unit.Base(u)
	if err != nil || base != "bytes" || v*factor < 1 || v*factor > 1<<60 {
		return 0, fmt.Errorf("%q is no size; write it like 512mb or 4gb", s)
	}
	return int64(v * factor), nil
}
