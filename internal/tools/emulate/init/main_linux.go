// Init is the first process of the machine that internal/tools/emulate starts.
// It runs the commands of the file /script, and switches the machine off.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"unsafe"
)

func main() {
	err := run()
	if err != nil {
		fmt.Println("emulate:", err)
	} else {
		fmt.Println("emulate: all passed")
	}
	syscall.Sync()
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}

func run() error {
	for _, m := range [...][2]string{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}, {"tmpfs", "/var/tmp"}} {
		if err := syscall.Mount(m[0], m[1], m[0], 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m[1], err)
		}
	}
	if err := loopback(); err != nil {
		return fmt.Errorf("start the loopback device: %w", err)
	}
	script, err := os.ReadFile("/script")
	if err != nil {
		return err
	}
	var first error
	for line := range strings.Lines(string(script)) {
		f := strings.Fields(line)
		fmt.Println("emulate:", strings.Join(f, " "))
		cmd := exec.Command(f[0], f[1:]...)
		cmd.Dir, cmd.Env = "/tmp", []string{"PATH=/", "HOME=/tmp"}
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil && first == nil {
			first = fmt.Errorf("%s: %w", f[0], err)
		}
	}
	return first
}

// loopback makes 127.0.0.1 work.
func loopback() error {
	s, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(s)
	var request struct { // struct ifreq
		name  [16]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:], "lo")
	request.flags = syscall.IFF_UP
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(s), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); e != 0 {
		return e
	}
	return nil
}
