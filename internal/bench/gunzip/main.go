// Gunzip decompresses files and throws the bytes away: the floor under any
// program that reads gzipped profiles. It is its own small program so that the
// floor is measured the way the programs are, as a whole process.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
)

func main() {
	for _, name := range os.Args[1:] {
		if err := gunzip(name); err != nil {
			fmt.Fprintln(os.Stderr, "gunzip:", err)
			os.Exit(2)
		}
	}
}

func gunzip(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	// WriteTo of this reader skips a copy; io.Copy finds it by itself.
	if _, err := io.Copy(io.Discard, z); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
