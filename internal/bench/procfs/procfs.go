// Package procfs tells the benchmarks what the system knows of processes: single
// values of /proc, and the peak of one that has ended. They do not use what they
// measure for that.
package procfs

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// Field is the value of the first "name: value" line of a file, "" if none.
func Field(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Bytes is a Field such as "123 kB" in bytes, 0 if it is none.
func Bytes(file, name string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(Field(file, name), " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}
