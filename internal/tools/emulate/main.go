// Emulate runs the tests of internal/proc and internal/goheap on linux/arm64,
// in a machine that qemu emulates, with a real kernel:
//
//	go run ./internal/tools/emulate -kernel vmlinuz [-run REGEXP] [-args "kernel parameters"]
//
// It needs qemu-system-aarch64 (Debian: qemu-system-arm) and a kernel for arm64
// with a serial console and an initial RAM disk (Debian: the file vmlinuz of
// linux-image-cloud-arm64). The machine has no disk and no network: the tests
// and the programs they look at are built here and are all there is in it. It
// takes a quarter of an hour, as every instruction is emulated.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "emulate:", err)
		os.Exit(1)
	}
}

// passed is what the first process of the machine prints at the end when all
// tests did.
const passed = "emulate: all passed"

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("emulate", flag.ContinueOnError)
	kernel := flags.String("kernel", "", "the kernel: a `file`")
	tests := flags.String("run", ".", "run only tests that match the `regexp`")
	params := flags.String("args", "", "more kernel `parameters`")
	qemu := flags.String("qemu", "qemu-system-aarch64", "the emulator")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *kernel == "" {
		return errors.New("-kernel is needed; on Debian: dpkg --add-architecture arm64, apt-get update, apt-get download linux-image-cloud-arm64 and what it depends on, dpkg -x")
	}
	dir, err := os.MkdirTemp("", "emulate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	disk := filepath.Join(dir, "disk")
	if err := makeDisk(ctx, dir, disk, *tests); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, *qemu, "-M", "virt", "-cpu", "max", "-smp", "2", "-m", "3072", "-nographic", "-no-reboot", "-nic", "none",
		"-kernel", *kernel, "-initrd", disk, "-append", "console=ttyAMA0 panic=-1 quiet "+*params)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	ok := false
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		ok = ok || strings.Contains(lines.Text(), passed)
		fmt.Fprintln(stdout, strings.TrimRight(lines.Text(), "\r"))
	}
	if err := errors.Join(lines.Err(), cmd.Wait()); err != nil {
		return err
	}
	if !ok {
		return errors.New("not all tests passed")
	}
	return nil
}

// makeDisk builds the programs and packs them into an initial RAM disk.
func makeDisk(ctx context.Context, dir, disk, tests string) error {
	type program struct {
		name, in string
		args     []string
	}
	goheap := filepath.Join("internal", "goheap")
	files := []file{{"script", 0o644, []byte("/proc.test -cycles=5 -test.v -test.timeout=30m -test.run=" + tests + "\n" +
		"/goheap.test -programs=/ -test.v -test.timeout=30m -test.run=" + tests + "\n")}}
	for _, p := range []program{
		{"init", ".", []string{"build", "-o", "", "./internal/tools/emulate/init"}},
		{"proc.test", ".", []string{"test", "-c", "-o", "", "./internal/proc"}},
		{"goheap.test", ".", []string{"test", "-c", "-o", "", "./internal/goheap"}},
		{"leaksvc", filepath.Join(goheap, "testdata", "leaksvc"), []string{"build", "-o", "", "."}},
		{"small", filepath.Join(goheap, "testdata", "small"), []string{"build", "-o", "", "."}},
	} {
		exe := filepath.Join(dir, p.name)
		for i := range p.args {
			if p.args[i] == "" {
				p.args[i] = exe
			}
		}
		cmd := exec.CommandContext(ctx, "go", p.args...)
		cmd.Dir = p.in
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64", "GOFLAGS=", "GOWORK=off")
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", p.name, err, text)
		}
		b, err := os.ReadFile(exe)
		if err != nil {
			return err
		}
		files = append(files, file{p.name, 0o755, b})
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := errors.Join(pack(z, files), z.Close()); err != nil {
		return err
	}
	return os.WriteFile(disk, b.Bytes(), 0o600)
}

// file is one of the RAM disk.
type file struct {
	name string
	mode uint32
	data []byte
}

// pack writes files as a cpio archive of the newc kind, the kernel's format for
// RAM disks (Documentation/driver-api/early-userspace/buffer-format.rst).
func pack(w io.Writer, files []file) error {
	const directory, regular, device = 0o40000, 0o100000, 0o20000
	n := 0
	entry := func(name string, mode uint32, major, minor int, data []byte) error {
		n++
		var b bytes.Buffer
		fmt.Fprintf(&b, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
			n, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name)+1, 0, name)
		pad := func() {
			for b.Len()%4 != 0 {
				b.WriteByte(0)
			}
		}
		pad()
		b.Write(data)
		pad()
		_, err := w.Write(b.Bytes())
		return err
	}
	var errs []error
	for _, dir := range [...]string{"proc", "sys", "dev", "tmp", "var", "var/tmp"} {
		errs = append(errs, entry(dir, directory|0o1777, 0, 0, nil))
	}
	errs = append(errs, entry("dev/console", device|0o600, 5, 1, nil))
	for _, f := range files {
		errs = append(errs, entry(f.name, regular|f.mode, 0, 0, f.data))
	}
	return errors.Join(append(errs, entry("TRAILER!!!", 0, 0, 0, nil))...)
}
