// Package web is the server of the page: sessions of profiles, the questions
// the page asks about them, and the guards around both.
//
//	sources ─► Input ─► Session ──────► Data ─────────────► View ────► Answer
//	 (cmd)              shots by kind    of a Query: merged,  one file   JSON, columns
//	                    and time         compared, filtered,  a view     or bytes
//	                                     aggregated; kept
//
// The page itself is static (folder web); it reads its address and asks the
// API. Everything an address says behind the question mark is a Query: which
// profiles (kind, value, cur, base), which transforms (x, in their order), what
// is selected (sel) and searched (q), pprof's other options, and what belongs
// to one view. One table (queryParams) parses it, prints it, and documents it
// on the page /api. Equal states have equal addresses.
//
// Session.Data turns a query into a view.View. Each stage is kept by its key
// and thrown away by its size: profiles put together, the profile after each
// transform, the prepared view. So a click decodes and merges nothing, adding a
// chip makes one step, and taking it away makes none. What Data returns is
// the caller's own; what it points to is shared and never written. What a click
// costs on a million samples is measured by BenchmarkClicks, and in a browser by
// make bench.
//
// A server is for one person at one machine. It listens on a loopback unless
// told otherwise, answers only requests made for its own name by its own page
// (guard.go), asks for a token when the network can reach it, opens nothing for
// other users of the machine, and changes nothing by GET. Names in profiles are data everywhere: they become JSON,
// never markup.
//
// # How to add a view
//
// First, write internal/web/NAME.go with a constructor and an answer:
//
//	// goroutinesView groups goroutines by what they wait for.
//	func goroutinesView() View {
//		return View{
//			Name:   "goroutines", // GET /api/{session}/goroutines
//			Help:   "Goroutines by state (schema goroutines/1)",
//			Params: []Param{{"by", "state | place", "What makes a group"}},
//			Answer: answerGoroutines,
//		}
//	}
//
//	func answerGoroutines(ctx context.Context, s *Session, q *Query) (*Answer, error) {
//		by, err := q.OwnChoice("by", "state", "place") // the first is the default
//		...
//		d, err := s.Data(ctx, q) // filtered, aggregated, kept
//		...
//		return &Answer{JSON: Goroutines{Schema: "goroutines/1", Head: d.Head(), ...}}, nil
//	}
//
// Second, add its row to views in api.go. Route, parameters, errors, ETag,
// gzip, format=json and the page /api follow from the row.
//
// Third, test it beside an oracle: the report of package report, or a plain
// loop over the samples of the same profile. fixture_test.go has sessions and
// functions to ask them.
//
// Fourth, if there is not always something to show, say when in viewsOf
// (about.go).
//
// What there is to use: s.Kinds, s.Kind(name) and Kind.Select for profiles;
// s.Verdict and s.Moments for what grew; s.Heap(ctx, func(*Heap) error) for
// objects; s.Code for sources and machine code; d.View for everything of
// package view; d.View.Sandwich for one function; d.Names for whose code a name
// is and where it lies; s.one(ctx, q, shot, ...) for the same question about
// one profile. Values leave in base units: multiply with d.scale. Many numbers
// leave as Columns (docs/formats/columns.md gets a row for the schema), a few as
// JSON with camelCase keys whose first is "schema". Errors are badRequest and
// notFound with a hint what to do; any other error is a 500 with its text.
// What is not about one session (home, open, upload) is a row of endpoints().
package web
