package goheap

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/proc"
)

// The parts of Delve's API we use (service/api/types.go).
type (
	delveVar struct {
		Name, Type, Unreadable string
		Addr, Base             uint64
		Kind                   reflect.Kind
		Children               []delveVar
	}
	delveFrame struct {
		Locals, Arguments []delveVar
	}
	delveLoad struct {
		FollowPointers                                                    bool
		MaxVariableRecurse, MaxStringLen, MaxArrayValues, MaxStructFields int
	}
)

// pointers adds the pointers that are part of a variable.
func (v *delveVar) pointers(out map[uint64]bool) {
	switch v.Kind {
	case reflect.Pointer, reflect.Interface:
		for i := range v.Children {
			out[v.Children[i].Addr] = true
			if v.Kind == reflect.Interface {
				v.Children[i].pointers(out)
			}
		}
	case reflect.String, reflect.Slice, reflect.Map, reflect.Chan:
		out[v.Base] = true
	case reflect.Struct, reflect.Array:
		for i := range v.Children {
			v.Children[i].pointers(out)
		}
	}
}

// delve opens a core file with Delve; the test is skipped without it.
func delve(t *testing.T, exe, core string) *rpc.Client {
	dlv, err := exec.LookPath("dlv")
	if err != nil {
		t.Skip("Delve is not here: go install github.com/go-delve/delve/cmd/dlv@latest")
	}
	cmd := exec.Command(dlv, "core", exe, core, "--headless", "--listen=127.0.0.1:0", "--check-go-version=false")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, addr, ok := strings.Cut(lines.Text(), "listening at: "); ok {
			conn, err := net.Dial("tcp", strings.TrimSpace(addr))
			if err != nil {
				t.Fatal(err)
			}
			return jsonrpc.NewClient(conn)
		}
		t.Log(lines.Text())
	}
	t.Fatal("Delve does not listen")
	return nil
}

// TestDelve compares the names of variables, and the pointers found in them,
// with what Delve says of the same core file. Delve shows variables that are
// dead too, so it may have more.
func TestDelve(t *testing.T) {
	gcore, err := exec.LookPath("gcore")
	if err != nil {
		t.Skip("gcore of gdb is not here")
	}
	exe := leaksvc(t)
	name := filepath.Join(t.TempDir(), "core")
	pid := run(t, exe)
	if out, err := exec.Command(gcore, "-o", name, strconv.Itoa(pid)).CombinedOutput(); err != nil {
		t.Skipf("gcore: %v\n%s", err, out)
	}
	name += fmt.Sprint(".", pid)
	img, err := proc.OpenCore(name, proc.CoreOptions{Exe: exe})
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	h, err := Read(openExe(t, exe, nil), img, Options{})
	if err != nil {
		t.Fatal(err)
	}
	client := delve(t, exe, name)
	defer client.Close()
	compareGlobals(t, h, client)
	compareLocals(t, h, client)
}

var delveConfig = delveLoad{MaxVariableRecurse: 3, MaxArrayValues: 100, MaxStructFields: -1}

func compareGlobals(t *testing.T, h *Heap, client *rpc.Client) {
	var vars struct{ Variables []delveVar }
	if err := client.Call("RPCServer.ListPackageVars", map[string]any{"Filter": "", "Cfg": delveConfig}, &vars); err != nil {
		t.Fatal(err)
	}
	byAddr := map[uint64]*delveVar{}
	for i := range vars.Variables {
		byAddr[vars.Variables[i].Addr] = &vars.Variables[i]
	}
	ours := map[uint64]*root{}
	same, other := 0, 0
	for i := range h.list {
		r := &h.list[i]
		if r.kind != KindGlobal && r.kind != KindRuntime || r.addr == 0 {
			continue
		}
		ours[r.addr] = r
		switch v := byAddr[r.addr]; {
		case v == nil: // static data, which has no entry of its own
		case shortName(v.Name) == r.name && r.typ != nil:
			same++
		default:
			other++
			t.Errorf("variable %s at %#x: Delve calls it %s", r.name, r.addr, v.Name)
		}
	}
	found, lost := 0, 0
	for _, v := range vars.Variables {
		ptrs := map[uint64]bool{}
		v.pointers(ptrs)
		for p := range ptrs {
			slot, s := h.find(p)
			if s == nil || !h.allocated(slot) {
				continue
			}
			if r := ours[v.Addr]; r != nil && r.leadsTo(p) {
				found++
			} else {
				lost++
				t.Logf("variable %s %s: Delve has the pointer %#x", v.Name, v.Type, p)
			}
		}
	}
	t.Logf("globals: %d variables have the name that Delve has, %d another; of %d pointers into the heap %d were not found", same, other, found+lost, lost)
	if same < 50 || lost*100 > found {
		t.Error("too few")
	}
}

func (r *root) leadsTo(p uint64) bool {
	for _, ref := range r.refs {
		if ref.addr == p {
			return true
		}
	}
	return false
}

func compareLocals(t *testing.T, h *Heap, client *rpc.Client) {
	named, agreed, unknown, temporary, more := 0, 0, 0, 0, 0
	for i := range h.Goroutines {
		q := &h.Goroutines[i]
		var stack struct{ Locations []delveFrame }
		if err := client.Call("RPCServer.Stacktrace", map[string]any{"Id": q.ID, "Depth": 100, "Full": true, "Cfg": delveConfig}, &stack); err != nil {
			t.Fatalf("goroutine %d: %v", q.ID, err)
		}
		vars := map[string]map[uint64]bool{}
		for _, f := range stack.Locations {
			for _, v := range append(f.Locals, f.Arguments...) {
				key := strings.TrimPrefix(v.Name, "&") // escaped
				if vars[key] == nil {
					vars[key] = map[uint64]bool{}
				}
				if v.Addr != 0 && key != v.Name {
					vars[key][v.Addr] = true
				}
				v.pointers(vars[key])
			}
		}
		all := map[uint64]bool{}
		for _, ptrs := range vars {
			maps.Copy(all, ptrs)
		}
		for j := range h.list {
			r := &h.list[j]
			if r.kind == KindLocal && int(r.goroutine)-1 == i && strings.HasSuffix(r.name, " (temporary)") {
				for _, ref := range r.refs {
					if temporary++; all[ref.addr] {
						more++
					}
				}
			}
			if r.kind != KindLocal || r.typ == nil || int(r.goroutine)-1 != i || r.name == "runtime.g" {
				continue
			}
			name := r.name[strings.LastIndexByte(r.name, '.')+1:]
			for _, ref := range r.refs {
				switch {
				case vars[name] == nil:
					unknown++
					t.Logf("goroutine %d: %s: Delve has no such variable", q.ID, r.name)
				case vars[name][ref.addr]:
					named, agreed = named+1, agreed+1
				default:
					named++
					t.Logf("goroutine %d: %s %s: Delve does not have the pointer %#x there", q.ID, r.name, r.typ.Name, ref.addr)
				}
			}
		}
	}
	t.Logf("locals: of %d pointers in variables that Delve knows too, %d are the same; %d are in others; of %d without a variable Delve has %d in one", named, agreed, unknown, temporary, more)
	if named < 100 || agreed*100 < named*97 {
		t.Error("too few")
	}
}
