package goheap

import (
	"fmt"
	"reflect"
	"strings"
)

// Short is the name with the last part of each package path only, as Go's %T
// prints it: "map[string]*shop.Order".
func (t *Type) Short() string { return shortName(t.String()) }

// String is the name for people: parts of a map have the name of the map.
func (t *Type) String() string {
	switch {
	case t.shown == "":
		return t.Name
	case t.Role == RoleTable || t.Role == RoleGroup:
		return t.shown + " (buckets)"
	}
	return t.shown
}

// shortName cuts the paths of packages off the identifiers in a type's or
// function's name.
func shortName(s string) string {
	if !strings.Contains(s, "/") {
		return s
	}
	var b strings.Builder
	start := 0 // of the identifier
	for i := 0; i <= len(s); i++ {
		if i < len(s) && !strings.ContainsRune("*[](){}<>,; \t", rune(s[i])) {
			continue
		}
		word := s[start:i]
		b.WriteString(word[strings.LastIndexByte(word, '/')+1:])
		if i < len(s) {
			b.WriteByte(s[i])
		}
		start = i + 1
	}
	return b.String()
}

// packageOf gives the package of a qualified name such as
// "net/http.Header" or "main.(*T).run", "" if there is none.
func packageOf(name string) string {
	if i := strings.IndexAny(name, "[("); i >= 0 {
		name = name[:i]
		name = strings.TrimSuffix(name, ".")
		if !strings.ContainsRune(name[strings.LastIndexByte(name, '/')+1:], '.') {
			return name
		}
	}
	slash := strings.LastIndexByte(name, '/') + 1
	dot := strings.IndexByte(name[slash:], '.')
	if dot <= 0 {
		return ""
	}
	return name[:slash+dot]
}

// fieldPath writes the way inside a value of type t to the byte at off:
// ".heap[2].timer". With general, indexes are left out.
func fieldPath(t *Type, off int64, general bool) string {
	var b strings.Builder
	for depth := 0; t != nil && depth < 32; depth++ {
		if t.Role == RoleGroup {
			return b.String() + groupPath(t, off)
		}
		switch t.Kind {
		case reflect.Struct:
			f := t.fieldAt(off)
			if f == nil {
				fmt.Fprintf(&b, "+%d", off)
				return b.String()
			}
			if _, at := atomicPointer(t); at == f.Offset && strings.Contains(t.Name, "atomic.Pointer[") {
				return b.String() // the only thing in it
			}
			b.WriteString("." + f.Name)
			t, off = f.Type, off-f.Offset
		case reflect.Array:
			if t.Elem == nil || t.Elem.Size == 0 {
				return b.String()
			}
			if general {
				b.WriteString("[]")
			} else {
				fmt.Fprintf(&b, "[%d]", off/t.Elem.Size)
			}
			off, t = off%t.Elem.Size, t.Elem
		default:
			return b.String()
		}
	}
	return b.String()
}

// groupPath tells keys from elements in a group of a map: "[key]", "[elem]",
// with the way inside them.
func groupPath(t *Type, off int64) string {
	for depth := 0; t != nil && depth < 4; depth++ {
		switch t.Kind {
		case reflect.Struct:
			f := t.fieldAt(off)
			if f == nil {
				return "[elem]"
			}
			off -= f.Offset
			switch f.Name {
			case "key":
				return "[key]" + fieldPath(f.Type, off, true)
			case "elem":
				return "[elem]" + fieldPath(f.Type, off, true)
			case "keys", "values", "elems":
				what := map[bool]string{true: "[key]", false: "[elem]"}[f.Name == "keys"]
				if f.Type.Kind == reflect.Array && f.Type.Elem != nil && f.Type.Elem.Size > 0 {
					return what + fieldPath(f.Type.Elem, off%f.Type.Elem.Size, true)
				}
				return what
			case "overflow":
				return ".overflow"
			}
			t = f.Type
		case reflect.Array:
			if t.Elem == nil || t.Elem.Size == 0 {
				return "[elem]"
			}
			off, t = off%t.Elem.Size, t.Elem
		default:
			return "[elem]"
		}
	}
	return "[elem]"
}

// fieldAt is the last field that begins at or before off and reaches it.
func (t *Type) fieldAt(off int64) *Field {
	var hit *Field
	for i := range t.Fields {
		f := &t.Fields[i]
		if off >= f.Offset && (off < f.Offset+f.Type.Size || f.Type.Size == 0 && off == f.Offset && hit == nil) {
			hit = f
		}
	}
	return hit
}
