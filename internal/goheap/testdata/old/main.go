// Old is built by a version of Go that is too old.
package main

import "os"

func main() { os.Stdin.Read(make([]byte, 1)) }
