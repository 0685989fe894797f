package main

import (
	"context"

	"github.com/profoundhq/profound/internal/demo"
)

// commands lists the commands of ours; anything else is a pprof command line.
func commands() []command {
	return []command{
		{name: "demo", summary: "Start a leaking service, find the leak, show it", args: "[-leak=KIND] [-for=20s] [-plain]", run: runDemo,
			examples: []string{"profound demo -leak=map -plain"}},
		{name: "leak", summary: "Judge whether a program leaks: what, how surely, since when", args: "[-for=60s] [-json] [-fail-on=leak] TARGET|DIR", run: runLeak,
			examples: []string{"profound leak http://localhost:6060", "profound leak -for=24h -save=run localhost:6060", "profound leak run"}},
		{name: "verify", summary: "Repeat equal rounds of work and judge what a program keeps of them", args: "[-rounds=12] [TARGET] -- COMMAND", run: runVerify,
			examples: []string{"profound verify localhost:6060 -- hey -n 1000 http://localhost:8080/", "profound verify -every=5s -- ./myservice"}},
		{name: "why", summary: "Tell which references keep memory alive", args: "[-type=REGEXP] [-by=VIEW] [-json] PID|CORE|SNAPSHOT [ADDRESS...]", run: runWhy,
			examples: []string{"profound why 4711", "profound why -at 'newOrder$' 4711", "profound why -by waste 4711", "profound why -without main.cache.m app.snapshot", "profound why -diff before.snapshot app.snapshot", "profound why -o retained.pb.gz 4711", "profound why -h"}},
		{name: "snapshot", summary: "Write what profound why needs of a process to a file", args: "[-o FILE] [-contents] PID", run: runSnapshot,
			examples: []string{"profound snapshot -o app.snapshot 4711"}},
		{name: "web", summary: "Open profiles, running programs and heaps in the browser", args: "[-http=HOST:PORT] [-no_browser] [SOURCE...]", run: runWeb,
			examples: []string{"profound web cpu.pb.gz", "profound web run", "profound web -http=:8080 http://localhost:6060"}},
		{name: demoChild, hidden: true, run: func(ctx context.Context, _ []string, e *env) error { return demo.Child(ctx, e.stdin, e.stdout) }},
		{name: "help", summary: "Explain a report, an option or a topic", args: "[TOPIC]", run: helpCommand,
			examples: []string{"profound help", "profound help flat-and-cum", "profound help focus"}},
		{name: "version", summary: "Print version, Go version and platform", run: versionCommand,
			examples: []string{"profound version"}},
		{name: "completion", summary: "Print a completion script for bash, zsh, fish or powershell", args: "bash|zsh|fish|powershell", run: completionCommand,
			examples: []string{"profound completion bash"}},
	}
}

func findCommand(name string) *command {
	list := commands()
	for i := range list {
		if list[i].name == name {
			return &list[i]
		}
	}
	return nil
}
