//go:build !go1.24

package main

func cleanup(u *User, keep *hidden) {}

func weakly(u *User) {}
