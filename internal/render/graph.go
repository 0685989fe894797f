package render

import (
	"fmt"
	"math"
)

// Graph is what Layout places. It is plain data; Layout does not change it.
type Graph struct {
	Title  string   // one line over the picture; may be empty
	Legend []string // lines under the title: where the values come from, what was left out
	Nodes  []Node
	Edges  []Edge
}

// Node is one box. A small satellite box is just a Node with small lines and an edge to it.
type Node struct {
	ID       string   // stable name, used for the element's id in SVG; empty: "n<index>"
	Lines    []Line   // text from top to bottom
	Tooltip  string   // full text shown on hover; empty: none
	Category Category // colour of the box's left edge; CategoryNone draws none
	Heat     float64  // share of the whole, 0..1: tints the box where Fill and Stroke are zero
	Fill     Paint    // zero: from Heat
	Stroke   Paint    // border; zero: from Heat
	Pill     bool     // rounder and without a category edge: a satellite such as a label or an object size
}

// Line is one logical line of text in a Node. A line too long for its box is wrapped at '.', '/' and '::' or shortened in
// the middle.
type Line struct {
	Text  string
	Size  float64 // px; 0: 12; never drawn under MinTextSize
	Bold  bool
	Muted bool // second text colour, for values under a title
	Wrap  int  // most lines it may be wrapped to; 0 or 1: shortened in the middle instead
}

// Edge is one arrow between two Nodes.
type Edge struct {
	From, To int     // indices into Graph.Nodes; equal for a self loop
	Weight   float64 // share, 0..1: width and colour of the line, pull on the layout. NaN counts as 0
	Label    string  // short text beside the line; dropped (and counted) where there is no room
	Tooltip  string
	Dashed   bool  // residual edge: something between the ends is hidden
	Dotted   bool  // weaker still than Dashed; wins over it
	Color    Paint // zero: from Weight
}

// Options tunes Layout. The zero value is good.
type Options struct {
	MaxTextWidth float64 // widest text in a box, px; 0: 250
	NodeGap      float64 // least gap between boxes of a layer, px; 0: 26
	LayerGap     float64 // least gap between layers, px; 0: 42
	MaxLayer     float64 // a layer wider than this sends its lightest leaves to the next one, px; 0: from the graph's area
	Aspect       float64 // wanted width / height when components are packed; 0: 1.6
	HideLabels   bool    // draw no edge labels
}

// withDefaults replaces zero, negative and not-a-number fields.
func (o Options) withDefaults() Options {
	def := func(v *float64, d float64) {
		if !(*v > 0) || math.IsInf(*v, 0) {
			*v = d
		}
	}
	def(&o.MaxTextWidth, 250)
	def(&o.NodeGap, 26)
	def(&o.LayerGap, 42)
	def(&o.Aspect, 1.6)
	if !(o.MaxLayer > 0) {
		o.MaxLayer = 0
	}
	return o
}

// TextSize returns a title size in px that grows with the share (0..1) of a node's own value: 12 for nothing, 24 for all.
func TextSize(share float64) float64 { return math.Round(12 + 12*math.Sqrt(clamp01(share))) }

// cleanEdges returns the indices of the edges that can be drawn, self loops apart, and a warning for each edge that cannot.
func cleanEdges(g Graph) (plain, loops []int, warnings []error) {
	n := len(g.Nodes)
	for i, e := range g.Edges {
		switch {
		case e.From < 0 || e.From >= n || e.To < 0 || e.To >= n:
			warnings = append(warnings, fmt.Errorf("lay out graph: edge %d: ends %d -> %d, have %d nodes", i, e.From, e.To, n))
		case e.From == e.To:
			loops = append(loops, i)
		default:
			plain = append(plain, i)
		}
	}
	return plain, loops, warnings
}
