package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/report"
)

func scripts() map[string]string {
	d := newCompletionData(report.Kinds())
	return map[string]string{"bash": bashScript(d), "zsh": zshScript(d), "fish": fishScript(d), "powershell": powershellScript(d)}
}

// TestScriptsComplete: every flag and every command is in every script.
func TestScriptsComplete(t *testing.T) {
	d := newCompletionData(report.Kinds())
	for shell, script := range scripts() {
		for _, f := range d.flags {
			pattern := `[-]` + f.name + `\b`
			if shell == "fish" {
				pattern = `-o ` + f.name + `\b`
			}
			if !regexp.MustCompile(pattern).MatchString(script) {
				t.Errorf("%s: no -%s", shell, f.name)
			}
			for _, v := range f.values {
				if !strings.Contains(script, v) {
					t.Errorf("%s: -%s without %s", shell, f.name, v)
				}
			}
		}
		for _, f := range d.why {
			if !regexp.MustCompile(`(-|-o )`+f.name+`\b`).MatchString(script) || f.name == "by" && !strings.Contains(script, "queues") {
				t.Errorf("%s: why without -%s", shell, f.name)
			}
		}
		for _, c := range d.commands {
			if !strings.Contains(script, c.name) {
				t.Errorf("%s: no command %s", shell, c.name)
			}
		}
	}
}

// TestScriptsParse asks each shell that is here to read its script.
func TestScriptsParse(t *testing.T) {
	for shell, args := range map[string][]string{"bash": {"-n"}, "zsh": {"-n"}, "fish": {"--no-execute"}} {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skip(err)
			}
			file := writeFile(t, t.TempDir(), "script", scripts()[shell])
			if out, err := exec.Command(path, append(args, file)...).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestBashCompletion(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	writeFile(t, dir, "heap.pb.gz", "")
	script := writeFile(t, dir, "script.bash", scripts()["bash"])
	tests := []struct {
		words []string
		want  []string
	}{
		{[]string{"profound", "-foc"}, []string{"-focus="}},
		{[]string{"profound", "--foc"}, []string{"--focus="}},
		{[]string{"profound", "-top", "-cu"}, []string{"-cum"}},
		{[]string{"profound", "-color", "="}, []string{"always", "auto", "never"}},
		{[]string{"profound", "-color", "=", "al"}, []string{"always"}},
		{[]string{"profound", "-base", "=", "hea"}, []string{"heap.pb.gz"}},
		{[]string{"profound", "hea"}, []string{"heap.pb.gz"}},
		{[]string{"profound", "vers"}, []string{"version"}},
		{[]string{"profound", "-top", "vers"}, nil},
		{[]string{"profound", "help", "flat-"}, []string{"flat-and-cum"}},
		{[]string{"profound", "completion", "po"}, []string{"powershell"}},
		{[]string{"profound", "why", "-goro"}, []string{"-goroutine="}},
		{[]string{"profound", "why", "--goro"}, []string{"--goroutine="}},
		{[]string{"profound", "why", "-by", "=", "dro"}, []string{"drops"}},
		{[]string{"profound", "why", "-exe", "=", "hea"}, []string{"heap.pb.gz"}},
	}
	for _, tc := range tests {
		cmd := exec.Command(bash, "--norc", "-c", `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _profound; printf '%s\n' "${COMPREPLY[@]}"`)
		cmd.Args = append(append(cmd.Args, script), tc.words...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Fields(string(out))
		slices.Sort(got)
		if !slices.Equal(got, tc.want) {
			t.Errorf("%q: %q, want %q", tc.words, got, tc.want)
		}
	}
}

func TestFishCompletion(t *testing.T) {
	fish, err := exec.LookPath("fish")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	script := writeFile(t, dir, "script.fish", scripts()["fish"])
	for line, want := range map[string]string{
		"profound -foc":             "-focus",
		"profound help flat-":       "flat-and-cum",
		"profound vers":             "version",
		"profound -top -color alwa": "always",
	} {
		cmd := exec.Command(fish, "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", script, line)
		cmd.Dir = dir
		cmd.Env = []string{"HOME=" + dir, "PATH=" + filepath.Dir(fish)}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\t"); got != want {
			t.Errorf("%q: %q, want %q", line, out, want)
		}
	}
}
