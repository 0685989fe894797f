// Package render turns plain values into pictures: a layered graph, a flame graph, one self-contained HTML page, and small
// charts and tables for the terminal. It is generic: it knows boxes, arrows, frames and text, and nothing of profiles.
//
// # Graph
//
// Layout places a Graph and returns a Drawing, a display list of rectangles, paths and texts in paint order. Every writer
// (WriteSVG, WritePNG, WriteGIF, WritePDF, WritePS) prints that one list, so all formats show the same picture.
//
//	d := render.Layout(g, render.Options{})
//	err := render.WriteSVG(w, d, render.SVGOptions{Interactive: true})
//
// # Flame graph
//
// LayoutFlame places a Flame (a tree in columns) as an icicle, root on top, and returns a FlameDrawing around a Drawing, so
// the same writers work; WriteFlameSVG does both steps.
//
// # Page
//
// WriteHTML writes one file without any reference to the network: the flame graph on a canvas, the graph as inline SVG.
//
// # Rules kept here
//
// Lengths are CSS pixels (1/96 inch) with y growing downwards, unless a comment says otherwise. Output is deterministic: the
// same input gives the same bytes. Nothing is left out in silence: what was folded, shortened away or dropped is counted in
// the result and said in the picture. Change is orange (more) and blue (less), never red and green. No text is smaller than
// MinTextSize at natural size.
package render
