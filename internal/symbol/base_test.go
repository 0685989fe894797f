package symbol

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// segments builds an image with these loadable segments (for Base only).
func segments(typ elf.Type, path string, ps ...elf.ProgHeader) *elfImage {
	f := &elf.File{FileHeader: elf.FileHeader{Type: typ}}
	for _, p := range ps {
		p.Type = elf.PT_LOAD
		f.Progs = append(f.Progs, &elf.Prog{ProgHeader: p})
		if p.Flags&elf.PF_X != 0 {
			f.Sections = append(f.Sections, &elf.Section{SectionHeader: elf.SectionHeader{Name: ".text", Addr: p.Vaddr}})
		}
	}
	return &elfImage{f: f, path: path}
}

// TestBaseRules has the cases of google/pprof's elfexec and binutils that
// matter: each is a mapping seen in the wild.
func TestBaseRules(t *testing.T) {
	const rx = elf.PF_R | elf.PF_X
	text := elf.ProgHeader{Vaddr: 0x400000, Filesz: 0x1000, Memsz: 0x1000, Flags: rx}
	pie := []elf.ProgHeader{
		{Off: 0, Vaddr: 0, Filesz: 0x5d0, Memsz: 0x5d0, Flags: elf.PF_R},
		{Off: 0x1000, Vaddr: 0x1000, Filesz: 0x200, Memsz: 0x200, Flags: rx},
		{Off: 0x2dd0, Vaddr: 0x3dd0, Filesz: 0x240, Memsz: 0x248, Flags: elf.PF_R | elf.PF_W},
	}
	kernel := elf.ProgHeader{Off: 0x200000, Vaddr: 0xffffffff80200000, Filesz: 0x1000000, Memsz: 0x1000000, Flags: rx}
	for _, c := range []struct {
		name string
		img  *elfImage
		m    mapping
		want uint64
		bad  bool
	}{
		{"stand-in mapping", segments(elf.ET_DYN, "a", pie...), mapping{}, 0, false},
		{"stand-in mapping, all addresses", segments(elf.ET_DYN, "a", pie...), mapping{limit: ^uint64(0)}, 0, false},
		{"fixed program", segments(elf.ET_EXEC, "a", text), mapping{start: 0x400000, limit: 0x401000}, 0, false},
		{"fixed program, moved", segments(elf.ET_EXEC, "a", text), mapping{start: 0x500000, limit: 0x501000}, 0x100000, false},
		{"pie, text", segments(elf.ET_DYN, "a", pie...), mapping{start: 0x555555555000, limit: 0x555555556000, offset: 0x1000}, 0x555555554000, false},
		{"pie, data", segments(elf.ET_DYN, "a", pie...), mapping{start: 0x555555557000, limit: 0x555555558000, offset: 0x2000}, 0x555555554000, false},
		{"pie, nothing there", segments(elf.ET_DYN, "a", pie...), mapping{start: 0x555555557000, limit: 0x555555558000, offset: 0x9000}, 0, true},
		{"shared object without segments", segments(elf.ET_DYN, "a"), mapping{start: 0x5000, limit: 0x6000, offset: 0x1000}, 0x4000, false},
		{"kernel module", segments(elf.ET_REL, "a.ko"), mapping{start: 0x5000, limit: 0x6000}, 0x5000, false},
		{"kernel module from its middle", segments(elf.ET_REL, "a.ko"), mapping{start: 0x5000, limit: 0x6000, offset: 0x1000}, 0, true},
		{"kernel", segments(elf.ET_EXEC, "a", kernel), mapping{start: 0xffffffff83200000, limit: 0xffffffff84200000}, 0x3000000, false},
		{"kernel, ppc64 offset", segments(elf.ET_EXEC, "a", elf.ProgHeader{Vaddr: 0xc000000000000000, Filesz: 1, Memsz: 1, Flags: rx}), mapping{start: 0xc000000000001000, limit: 0xd000000000000000, offset: 0xc000000000000000}, 0x1000, false},
		{"kernel, start is offset", segments(elf.ET_EXEC, "a", kernel), mapping{start: 0xffffffff80200000, limit: 0xffffffff81200000, offset: 0xffffffff80200000}, 0, false},
		{"kernel remapped to zero", segments(elf.ET_EXEC, "a", kernel), mapping{start: 0, limit: 1 << 63}, 1<<64 - 0xffffffff80200000, false},
		{"type core", segments(elf.ET_CORE, "a", text), mapping{start: 0x400000, limit: 0x401000}, 0, true},
	} {
		got, err := c.img.base(c.m)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("%s: %#x %v, want %#x (error %v)", c.name, got, err, c.want, c.bad)
		}
	}
}

// TestBaseSharedPage decides between two segments on one page by a sample
// address.
func TestBaseSharedPage(t *testing.T) {
	img := segments(elf.ET_DYN, "a",
		elf.ProgHeader{Off: 0, Vaddr: 0, Filesz: 0x800, Memsz: 0x800, Flags: elf.PF_R | elf.PF_X},
		elf.ProgHeader{Off: 0x800, Vaddr: 0x10800, Filesz: 0x100, Memsz: 0x100, Flags: elf.PF_R | elf.PF_W})
	m := mapping{start: 0x7000000, limit: 0x7001000}
	for addr, want := range map[uint64]uint64{0: 0x7000000, 0x7000100: 0x7000000, 0x7000810: 0x6ff0000} {
		m.addr = addr
		if got, err := img.base(m); err != nil || got != want {
			t.Errorf("sample at %#x: %#x %v, want %#x", addr, got, err, want)
		}
	}
	m.addr = 0x7000fff
	if _, err := img.base(m); err == nil {
		t.Error("an address in no segment has a base")
	}
}

// TestBaseSelf computes the base of this running test by its own maps file:
// with it the address of a function is found by name.
func TestBaseSelf(t *testing.T) {
	needLinux(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	pc, _, _, _ := runtime.Caller(0)
	o := open(t, exe, Options{Inlines: true})
	for _, l := range strings.Split(string(maps), "\n") {
		f := strings.Fields(l)
		if len(f) < 6 || f[5] != exe || f[1] != "r-xp" {
			continue
		}
		var start, limit uint64
		if _, err := fmt.Sscanf(f[0], "%x-%x", &start, &limit); err != nil {
			t.Fatal(err)
		}
		offset, err := strconv.ParseUint(f[2], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		base, err := o.Base(start, limit, offset, "")
		if err != nil {
			t.Fatal(err)
		}
		if tool := o.ToolBase(start); tool != base {
			t.Errorf("tool's base %#x, ours %#x", tool, base)
		}
		fs := o.Frames(uint64(pc) - base)
		if len(fs) == 0 || !strings.HasSuffix(fs[0].Func, ".TestBaseSelf") {
			t.Errorf("frames %+v", fs)
		}
		return
	}
	t.Error("no mapping of the test itself")
}

func TestBaseOther(t *testing.T) {
	mac := open(t, program(t, "darwin-arm64"), Options{})
	if b, err := mac.Base(0x100500000, 0x100600000, 0, ""); err != nil || b != 0x500000 {
		t.Errorf("Mach-O: %#x %v", b, err)
	}
	if _, err := mac.Base(0x1000, 0x2000, 0, ""); err == nil {
		t.Error("Mach-O mapped below its __TEXT has a base")
	}
	win := open(t, program(t, "windows-amd64"), Options{})
	if b, err := win.Base(0x7ff600000000, 0x7ff600100000, 0, ""); err != nil || b != 0x7ff600000000-0x140000000 {
		t.Errorf("PE: %#x %v", b, err)
	}
}

func TestBuildID(t *testing.T) {
	for name, test := range map[string]func(id string) bool{
		"default":          func(id string) bool { return len(id) == 40 },
		"stripped":         func(id string) bool { return len(id) == 40 },
		"darwin-arm64":     func(id string) bool { return len(id) == 32 },
		"windows-amd64":    func(id string) bool { return strings.Count(id, "/") == 3 },
		"windows-stripped": func(id string) bool { return strings.Count(id, "/") == 3 },
	} {
		o := open(t, program(t, name), Options{})
		if id := o.BuildID(); !test(id) {
			t.Errorf("%s: %q", name, id)
		}
	}
	// runtime/pprof of the program itself writes the same.
	needLinux(t)
	path := program(t, "default")
	prof := filepath.Join(t.TempDir(), "cpu.pprof")
	output(t, path, prof)
	if raw, id := output(t, "go", "tool", "pprof", "-raw", prof), open(t, path, Options{}).BuildID(); !strings.Contains(raw, " "+id+" ") {
		t.Errorf("build id %s is not in\n%s", id, raw[strings.Index(raw, "Mappings"):])
	}
}
