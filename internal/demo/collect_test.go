package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Snapshot is the service at one moment. The profiles are bytes as the
// service sent them: gzipped profile.proto.
type Snapshot struct {
	At        time.Time // when the heap profile was asked for, clock of this process
	Heap      []byte
	Goroutine []byte
	Stats     Stats
}

// maxProfile bounds one answer, bytes.
const maxProfile = 64 << 20

// Collect takes a snapshot at once and then every so often, the last one not
// before that long has passed. progress, if not nil, sees each as it comes. On
// an error, cancellation included, the snapshots taken so far come with it.
//
// The heap profile is asked for with gc=1, for two reasons. Without it a
// profile shows the heap as of the last finished collection, up to two cycles
// ago, which for a demo of seconds is too long ago; and a young service runs
// its cycles at moments that depend on how much it leaks. The price is one
// collection for each snapshot, milliseconds at this size of heap, and that
// leaks which only finalizers would undo are hidden; the demo has none.
func Collect(ctx context.Context, url string, every, during time.Duration, progress func(Snapshot)) ([]Snapshot, error) {
	if every <= 0 {
		return nil, fmt.Errorf("demo: collect every %v: not a pace", every)
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	end := time.Now().Add(during)
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	var taken []Snapshot
	for {
		s, err := takeSnapshot(ctx, client, url)
		if err != nil {
			return taken, err
		}
		taken = append(taken, s)
		if progress != nil {
			progress(s)
		}
		if !s.At.Before(end) {
			return taken, nil
		}
		select {
		case <-ctx.Done():
			return taken, ctx.Err()
		case <-ticks.C:
		}
	}
}

func takeSnapshot(ctx context.Context, client *http.Client, url string) (s Snapshot, err error) {
	s.At = time.Now()
	if s.Heap, err = get(ctx, client, url+"/debug/pprof/heap?gc=1"); err != nil {
		return s, err
	}
	stats, err := get(ctx, client, url+statsPath)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(stats, &s.Stats); err != nil {
		return s, fmt.Errorf("demo: stats of %s: %w", url, err)
	}
	s.Goroutine, err = get(ctx, client, url+"/debug/pprof/goroutine")
	return s, err
}

func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProfile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("demo: get %s: %w", url, err)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("demo: get %s: %s", url, resp.Status)
	case len(body) > maxProfile:
		return nil, fmt.Errorf("demo: get %s: answer of more than %d bytes", url, maxProfile)
	}
	return body, nil
}
