package gotext

import (
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
)

// headerLabels reads the bracket of "goroutine 18 gp=0x.. m=nil [chan
// receive, 5 minutes, locked to thread, synctest bubble 3 labels:{"a":
// "b"}]:".
func (d *dump) headerLabels(header string) []profile.Label {
	text := header[strings.IndexByte(header, '[')+1 : len(header)-len("]:")]
	var labels []profile.Label
	if i := strings.Index(text, " labels:{"); i >= 0 {
		labels = d.printedLabels(text[i+len(" labels:{"):])
		text = text[:i]
	}
	for i, part := range strings.Split(text, ", ") {
		minutes, isWait := strings.CutSuffix(part, " minutes")
		bubble, isBubble := strings.CutPrefix(part, "synctest bubble ")
		switch {
		case i == 0:
			if part != "" {
				labels = append(labels, d.b.StringLabel("state", valid([]byte(part))))
			}
		case part == "locked to thread":
			labels = append(labels, d.b.StringLabel("locked_to_thread", "true"))
		case isWait:
			if n, err := strconv.ParseInt(minutes, 10, 64); err == nil {
				labels = append(labels, d.b.NumLabel("wait", n, "minutes"))
			}
		case isBubble:
			if n, err := strconv.ParseInt(bubble, 10, 64); err == nil {
				labels = append(labels, d.b.NumLabel("synctest_bubble", n, ""))
			}
		}
	}
	return labels
}

// printedLabels reads `"key": "value", "key2": "value2"}`. What cannot be
// read is left out with a warning.
func (d *dump) printedLabels(s string) []profile.Label {
	var labels []profile.Label
	for {
		s = strings.TrimLeft(s, " ,")
		if s == "" || s[0] == '}' {
			return labels
		}
		var kv [2]string
		for i := range kv {
			q, err := strconv.QuotedPrefix(s)
			if err == nil {
				kv[i], err = strconv.Unquote(q)
			}
			if err != nil {
				d.warn("labels of a goroutine cannot be read from %.40q on", s)
				return labels
			}
			s = strings.TrimLeft(s[len(q):], " :")
		}
		if kv[1] != "" {
			labels = append(labels, d.b.StringLabel(valid([]byte(kv[0])), valid([]byte(kv[1]))))
		}
	}
}
