package main

import (
	"context"

	"github.com/profoundhq/profound/internal/report"
)

// commands lists the commands of ours; anything else is a pprof command line.
func commands() []command {
	return []command{}
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

func shortUsage() string                                            { return "usage: profound ...\n" }
func pprofUsage(kinds []report.Kind) string                         { return "usage" }
func (s *session) serve(ctx context.Context, inv *invocation) error { return usagef("no page yet") }
