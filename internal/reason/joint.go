package reason

import (
	"fmt"
	"strings"

	"github.com/profoundhq/profound/internal/why"
)

// maxTold is how many ways are told where there are more than can be cut.
const maxTold = 3

// waysWord says in how many ways something is held, where these are several.
func waysWord(h *why.Holding) string {
	switch {
	case h.Many:
		return "in many ways, such as "
	case len(h.Joint) > 0:
		return fmt.Sprintf("in %d ways, ", len(h.Joint))
	}
	return ""
}

// jointly says who holds something together, in words that follow "held by";
// typ is the type that is already named.
func jointly(h *why.Holding, typ string) string {
	var ways []string
	for _, w := range h.Joint {
		ways = append(ways, pathTo(w.Path, typ))
	}
	if h.Many {
		return fmt.Sprintf("%s; no few references hold %s", byEach(ways[:min(maxTold, len(ways))]), plural(h.Amount.Objects == 1, "it", "them"))
	}
	return byEach(ways) + "; " + jointFrees(h)
}

// jointFrees says what goes free without all ways.
func jointFrees(h *why.Holding) string {
	var names []string
	for _, w := range h.Joint {
		names = append(names, wayWords(w.Path, w.Cut))
	}
	all := "both"
	if n := len(names); n > 2 {
		all = "all " + [...]string{"three", "four"}[n-3]
	}
	return fmt.Sprintf("without %s (%s) %s go free", all, strings.Join(names, ", "), size(h.Frees.Bytes))
}

// byEach joins what follows "by": "a, by b, and by c".
func byEach(words []string) string {
	last := len(words) - 1
	switch last {
	case 0:
		return words[0]
	case 1:
		return words[0] + ", and by " + words[1]
	}
	return strings.Join(words[:last], ", by ") + ", and by " + words[last]
}

// cutNames are the names of all references that are best removed.
func cutNames(h *why.Holding) string {
	names := []string{CutName(h)}
	for _, w := range h.Joint {
		names = append(names, cutName(w.Path, w.Cut))
	}
	return strings.Join(names, " ")
}
