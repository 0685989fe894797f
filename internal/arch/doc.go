// Package arch holds the rules of the house as tests, and no code: which
// package may import which, what may be read only by the commands, and what
// every file owes its reader. A rule that fails says what to do instead.
//
// The rules are the tables in rules_test.go. A table may be wrong: then change
// it in the same commit as the code, and keep ARCHITECTURE.md true.
package arch
