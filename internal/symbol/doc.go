// Package symbol turns addresses of object files into functions, source lines
// and instructions. It knows files and addresses only: joining its answers to
// a profile is the caller's work, and no profile package is imported here.
//
// # Objects
//
// [Open] sniffs ELF, Mach-O (also fat) and PE and returns an [Object]. All
// addresses an Object takes and gives are link-time virtual addresses of the
// file, in bytes; a runtime address becomes one by subtracting [Object.Base]:
//
//	o, err := symbol.Open("/srv/app", symbol.Options{Inlines: true})
//	base, err := o.Base(m.Start, m.Limit, m.Offset, "")
//	for _, f := range o.Frames(runtimeAddr - base) { ... } // innermost first
//
// [Object.Frames] asks, in this order and only as far as needed: the Go
// function table (pclntab, present in stripped Go programs too), DWARF, the
// symbol table. Each is read on first use, and DWARF one compilation unit at
// a time. [Object.Symbols] lists routines, [Object.Disasm] decodes them. A
// [Set] keeps objects open over many lookups.
//
// # Two modes
//
// The zero [Options] answer as `go tool pprof` answers where scripts compare
// text: one frame an address (no inlined callers), C functions under their
// DWARF name, one symbol a name, symbols that end one byte early, no separate
// debug files. Each field of Options turns on one better answer. Where the
// tool has no answer at all (stripped symbol table, stripped PE) or a wrong one
// (stripped cgo program, whose text start it guesses), both modes give ours.
//
// # Finding files
//
// [Locate] finds a binary for a mapping from search directories and a build
// id. Package srcfind below this one finds source files. [DemangleMode]
// makes linkage names readable.
//
// # Where addresses come from: the Go function table
//
//	pclntab: | magic 4 | 0 0 | quantum 1 | ptr size 1 | counts and offsets |
//	         | function names | cutab | file names | pc-value tables | functab |
//	functab: | entry u32 | record offset u32 | ...   (entries ascend; one sentinel)
//	record:  | entry | name | args | defer | pcsp | pcfile | pcln | npcdata | cu |
//	         | start line | id flag . nfuncdata | pcdata... | funcdata... |
//	inline tree (Go 1.20 on), at go:func.* + funcdata[3], 16 bytes an inlined call:
//	         | func id 1 | . . . | name u32 | parent pc u32 | start line u32 |
//
// The base go:func.* is a symbol; a stripped program tells its address in the runtime's
// first moduledata, which is found through its first word, the address of the
// pclntab (see moduledata.go).
package symbol
