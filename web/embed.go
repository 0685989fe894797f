// Package web holds the page: what is built from src by npm run build lies in
// dist and is committed, so that Go alone builds the program. CONTRIBUTING.md
// says how to change it.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// FS is the built page: index.html and what it names.
func FS() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}
