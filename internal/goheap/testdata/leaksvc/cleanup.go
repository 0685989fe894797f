//go:build go1.24

package main

import (
	"runtime"
	"weak"
)

var weaks []weak.Pointer[User]

func cleanup(u *User, keep *hidden) {
	runtime.AddCleanup(u, func(h *hidden) { sink += len(h.buf) }, keep)
}

func weakly(u *User) { weaks = append(weaks, weak.Make(u)) }
