package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"time"
)

// answer is what "profound leak -json" prints, as far as it is judged.
type answer struct {
	Schema   string    `json:"schema"`
	Verdict  string    `json:"verdict"`
	Findings []finding `json:"findings"`
	Totals   []finding `json:"totals"`
	Warnings []string  `json:"warnings"`
}

// finding is one finding of an answer; of a total the path is empty.
type finding struct {
	Class    string   `json:"class"`
	Resource string   `json:"resource"`
	Sentence string   `json:"sentence"`
	Blame    *frame   `json:"blame"`
	Path     []frame  `json:"path"`
	Origin   []frame  `json:"origin"`
	Below    []branch `json:"below"`
	Slope    interval `json:"slope"`
	Samples  int      `json:"samples"`
	Cause    int      `json:"cause"`
}

type frame struct {
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int64  `json:"line"`
}

type branch struct {
	Path  []frame `json:"path"`
	Share number  `json:"share"`
}

type interval struct {
	Value number `json:"value"`
	Low   number `json:"low"`
	High  number `json:"high"`
}

// known tells that there is an interval.
func (i interval) known() bool { return !math.IsNaN(float64(i.Low)) && !math.IsNaN(float64(i.High)) }

// covers tells whether v lies in the interval.
func (i interval) covers(v float64) bool { return float64(i.Low) <= v && v <= float64(i.High) }

// number is NaN where JSON says null.
type number float64

// UnmarshalJSON reads a number or null.
func (n *number) UnmarshalJSON(data []byte) error {
	*n = number(math.NaN())
	if string(data) == "null" {
		return nil
	}
	return json.Unmarshal(data, (*float64)(n))
}

// answerTimeout is how long the program may take beyond the time it watches.
const answerTimeout = 90 * time.Second

// ask runs "profound leak", keeps what it prints in the file keep ("" does
// not), and decodes it. The program has during and the time for clues and
// judging.
func ask(ctx context.Context, profound string, during time.Duration, keep string, args ...string) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, during+answerTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, profound, append([]string{"leak", "-plain", "-json"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("profound leak: %w: %s", err, lastLines(stderr.Bytes(), 3))
	}
	if keep != "" {
		if err := os.WriteFile(keep, stdout.Bytes(), 0o644); err != nil {
			return nil, err
		}
	}
	return parseAnswer(stdout.Bytes())
}

func parseAnswer(data []byte) (*answer, error) {
	a := &answer{}
	if err := json.Unmarshal(data, a); err != nil {
		return nil, fmt.Errorf("decode the answer of profound leak: %w", err)
	}
	if a.Schema != "leak/1" {
		return nil, errors.New("the answer of profound leak has the schema " + a.Schema + ", want leak/1")
	}
	return a, nil
}

// lastLines is the end of what a program said.
func lastLines(text []byte, n int) []byte {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-n):], []byte(" / "))
}
