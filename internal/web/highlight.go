package web

import (
	"bytes"
	"go/scanner"
	"go/token"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// What marks of source text stand for.
const (
	markKeyword = 1 + iota
	markString
	markNumber
	markComment
	markDeclared // the name behind func
)

// highlight finds what is coloured in each line: three numbers a mark, where it
// begins and ends in UTF-16 units, and what it is. Only Go is read; other
// languages have no marks, nil.
func highlight(path string, lines []string) [][]int {
	if filepath.Ext(path) != ".go" {
		return nil
	}
	m := &marker{lines: lines, marks: make([][]int, len(lines))}
	for i := range m.marks {
		m.marks[i] = []int{}
	}
	src := []byte(strings.Join(lines, "\n"))
	file := token.NewFileSet().AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, scanner.ScanComments)
	behindFunc := 0 // depth of the receiver's parentheses plus one
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return m.marks
		}
		from := file.Offset(pos)
		to := from + spanOf(src[from:], text)
		switch {
		case tok == token.LPAREN && behindFunc > 0:
			behindFunc++
		case tok == token.RPAREN && behindFunc > 1:
			behindFunc--
		case tok == token.IDENT && behindFunc == 1:
			m.mark(from, to, markDeclared)
			behindFunc = 0
		case tok == token.LBRACE:
			behindFunc = 0
		}
		switch {
		case tok.IsKeyword():
			m.mark(from, to, markKeyword)
			if tok == token.FUNC {
				behindFunc = 1
			}
		case tok == token.STRING || tok == token.CHAR:
			m.mark(from, to, markString)
		case tok == token.INT || tok == token.FLOAT || tok == token.IMAG:
			m.mark(from, to, markNumber)
		case tok == token.COMMENT:
			m.mark(from, to, markComment)
		}
	}
}

// spanOf returns how many of the first bytes of src a token takes. The scanner
// takes carriage returns out of raw strings and comments, so that their text may
// be shorter than they are: these are followed to their closing mark.
func spanOf(src []byte, text string) int {
	for _, m := range []struct{ open, close string }{{"`", "`"}, {"/*", "*/"}, {"//", "\n"}} {
		if !strings.HasPrefix(text, m.open) {
			continue
		}
		inside := src[len(m.open):]
		if i := bytes.Index(inside, []byte(m.close)); i >= 0 {
			return len(m.open) + i + len(m.close)
		}
		return len(src) // open to the end of the file
	}
	return len(text)
}

// marker cuts marks at the ends of lines. They come in order.
type marker struct {
	lines []string
	marks [][]int
	line  int // where the last mark began
	start int // offset of that line
}

func (m *marker) mark(from, to, what int) {
	for m.line < len(m.lines) && from > m.start+len(m.lines[m.line]) {
		m.start += len(m.lines[m.line]) + 1
		m.line++
	}
	line, start := m.line, m.start
	for line < len(m.lines) && start < to {
		text := m.lines[line]
		a, b := max(0, from-start), min(len(text), to-start)
		if a < b {
			m.marks[line] = append(m.marks[line], utf16Len(text[:a]), utf16Len(text[:b]), what)
		}
		start += len(text) + 1
		line++
	}
}

// utf16Len is how long JavaScript takes a text to be.
func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff && r <= utf8.MaxRune {
			n++
		}
	}
	return n
}
