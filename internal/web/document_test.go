package web

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentPolicy: reports that are documents of their own have their styles
// and scripts in a browser, and nothing else: every script in them is one that
// the policy names.
func TestDocumentPolicy(t *testing.T) {
	srv, s := sourceServer(t)
	script := regexp.MustCompile(`(?s)<script>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</script>`)
	for view, scripts := range map[string]int{"report/svg": 1, "report/html": 1, "report/web": 1, "report/weblist?of=newOrder": 0, "graph?as=svg": 1} {
		r := request(t, srv.Handler(), "GET", "/api/"+s.ID+"/"+view)
		body, err := io.ReadAll(r.Body)
		policy := r.Header.Get("Content-Security-Policy")
		if err != nil || r.StatusCode != 200 || !strings.HasPrefix(policy, "default-src 'none'; style-src 'unsafe-inline'") || strings.Contains(policy, "script-src 'unsafe-inline'") {
			t.Errorf("%s: %s, policy %s %v", view, r.Status, policy, err)
		}
		found := script.FindAllSubmatch(body, -1)
		if len(found) != scripts || strings.Contains(string(body), "onclick=") {
			t.Errorf("%s: %d scripts", view, len(found))
		}
		for _, m := range found {
			sum := sha256.Sum256(m[1])
			if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
				t.Errorf("%s: script %s is not in %s", view, want, policy)
			}
		}
	}
	if r := request(t, srv.Handler(), "GET", "/api/"+s.ID+"/report/top"); r.Header.Get("Content-Security-Policy") != policy {
		t.Errorf("top: %v", r.Header)
	}
}
