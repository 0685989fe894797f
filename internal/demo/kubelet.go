package demo

import (
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	kubeletPath = "/metrics/cadvisor"
	// lineBytes is about how long a line is; a better guess saves a copy.
	lineBytes = 320
)

// kubelet answers as the kubelet of a node does: the metrics of its containers
// in the Prometheus text format, some lines for each container. The figures
// change from answer to answer, the containers stay.
type kubelet struct {
	series []string // metric and labels of each line, up to the value
	asked  atomic.Int64
}

// newKubelet makes a node whose answers have that many lines.
func newKubelet(lines int) *kubelet {
	metrics := []string{"container_cpu_usage_seconds_total", "container_memory_working_set_bytes",
		"container_network_receive_bytes_total", "container_fs_writes_bytes_total"}
	apps := []string{"checkout", "catalog", "payment", "search", "ledger", "session"}
	k := &kubelet{series: make([]string, lines)}
	for i := range k.series {
		c := i / len(metrics)
		app := apps[c%len(apps)]
		k.series[i] = fmt.Sprintf(`%s{container=%q,id="/kubepods/burstable/pod%08x-6f1c-4e2b-9d0a-%012x/%032x",image="registry.example.com/shop/%s:1.%d.0",namespace="shop",pod="%s-%010x-%05x"} `,
			metrics[i%len(metrics)], app, c*2654435761, c, c, app, c%40, app, c*40503, c)
	}
	return k
}

// ServeHTTP writes one answer.
func (k *kubelet) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	w.Write(k.render(time.Now())) // the client is gone: nobody to tell
}

func (k *kubelet) render(now time.Time) []byte {
	n := k.asked.Add(1)
	millis := now.UnixMilli()
	body := make([]byte, 0, len(k.series)*lineBytes)
	for i, s := range k.series {
		body = append(body, s...)
		body = strconv.AppendInt(body, n*int64(1000+i), 10)
		body = append(body, ' ')
		body = strconv.AppendInt(body, millis, 10)
		body = append(body, '\n')
	}
	return body
}
