//go:build linux

package proc

import ("testing";"time";"os";"os/exec";"fmt";"bytes";"syscall")

func TestZZ(t *testing.T) {
	exe := mustExe(t)
	for round := range 150 {
	c := startChild(t, "signals")
	for range 3 {
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=analyser %d %s %s", childEnv, c.pid(), Fork, StepArmed))
	cmd.CombinedOutput()
	start := time.Now()
	used := func() string { b, _ := readProc(c.pid(), "stat"); f := bytes.Fields(b[bytes.LastIndexByte(b, ')'):]); return string(f[12])+" "+string(f[13]) }
	u := used()
	for used() == u && time.Since(start) < 6*time.Second { time.Sleep(10*time.Millisecond) }
	if used() == u {
		t.Logf("round %d stuck", round)
		for _, id := range threadIDs(c.pid()) {
			b, _ := readProc(c.pid(), fmt.Sprintf("task/%d/status", id))
			w, _ := readProc(c.pid(), fmt.Sprintf("task/%d/syscall", id))
			wc, _ := readProc(c.pid(), fmt.Sprintf("task/%d/wchan", id))
			i := bytes.Index(b, []byte("SigQ"))
			j := bytes.Index(b, []byte("State"))
			t.Logf("%d: %s %s %s\n%s", id, b[j:j+15], w, wc, b[i:i+150])
		}
		m, _ := mappings(c.pid())
		for _, x := range m { if x.File == "[vdso]" { t.Logf("vdso %x-%x", x.Start, x.End) } }
		t.Log(relatives(t, c.pid()))
		syscall.Kill(c.pid(), syscall.SIGQUIT)
		c.Wait()
		t.FailNow()
	}
	}
	c.Process.Kill()
	}
}
