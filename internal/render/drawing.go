package render

// Point is a place in a drawing, px.
type Point struct{ X, Y float64 }

// Rect is an axis-parallel rectangle, px; X, Y is its upper left corner.
type Rect struct{ X, Y, W, H float64 }

// overlaps reports whether the insides of two rectangles meet, each grown by pad/2.
func (r Rect) overlaps(s Rect, pad float64) bool {
	return r.X < s.X+s.W+pad && s.X < r.X+r.W+pad && r.Y < s.Y+s.H+pad && s.Y < r.Y+r.H+pad
}

// Segment is one step of a path. A line uses only P[0]; a cubic curve uses two control points and then the end.
type Segment struct {
	Op SegmentOp
	P  [3]Point
}

// SegmentOp says what a Segment does.
type SegmentOp uint8

// The steps of a path.
const (
	MoveTo SegmentOp = iota
	LineTo
	CubicTo
	ClosePath
)

// ShapeKind says which fields of a Shape count.
type ShapeKind uint8

// The kinds of shape.
const (
	ShapeRect ShapeKind = iota // Rect, Radius, Fill, Stroke
	ShapePath                  // Path, Fill, Stroke
	ShapeText                  // Text at Rect.X (left end) and Rect.Y (baseline), Size, Font, Fill
)

// Font is one of the three faces a drawing uses.
type Font uint8

// The faces: a sans serif in two weights and a fixed-width one.
const (
	FontSans Font = iota
	FontBold
	FontMono
)

// Shape is one mark of the display list.
type Shape struct {
	Kind        ShapeKind
	Rect        Rect
	Radius      float64
	Path        []Segment
	Text        string
	Size        float64 // text size, px
	Font        Font
	Fill        Paint
	Stroke      Paint
	StrokeWidth float64
	Dash        [2]float64 // on, off, px; zero: a full line
}

// ItemKind says what a group of shapes stands for.
type ItemKind uint8

// The kinds of item. ItemLabel is the text of an edge, kept apart because it is painted over the nodes' level.
const (
	ItemDecor ItemKind = iota // title, legend
	ItemNode
	ItemEdge
	ItemLabel
	ItemFrame // a frame of a flame graph
)

// Item is a group of shapes that belong together: one box, one arrow. From and To are the Ref of an edge's ends.
type Item struct {
	Kind     ItemKind
	Ref      int // index in the input: Graph.Nodes, Graph.Edges or the columns of a Flame; -1 for decor
	From, To int // only for ItemEdge and ItemLabel
	ID       string
	Tooltip  string
	Shapes   []Shape
}

// Route is the course of one edge: the points where it touches the borders of its two boxes, and the curve between them
// from From to To, without the arrowhead.
type Route struct {
	Start, End Point
	Path       []Segment
	Reversed   bool // drawn upwards: it closes a cycle
}

// Drawing is a finished picture: a display list and its size. It is read-only once made and may be shared.
type Drawing struct {
	Title         string
	Width, Height float64 // px
	Items         []Item  // paint order, first is lowest

	Nodes []Rect  // place of each node of the Graph, in its order; nil for a flame graph
	Edges []Route // course of each edge of the Graph, in its order; zero for an edge that could not be drawn

	Crossings    int     // how often edges cross between layers, as counted by the layout
	HiddenLabels int     // edge labels without room; their tooltips still say them
	Warnings     []error // input that could not be drawn
}

// rectShape, textShape and pathShape build the three kinds of shape.
func rectShape(r Rect, radius float64, fill, stroke Paint, width float64) Shape {
	return Shape{Kind: ShapeRect, Rect: r, Radius: radius, Fill: fill, Stroke: stroke, StrokeWidth: width}
}

func textShape(x, y float64, s string, size float64, f Font, fill Paint) Shape {
	return Shape{Kind: ShapeText, Rect: Rect{X: x, Y: y}, Text: s, Size: size, Font: f, Fill: fill}
}

func pathShape(p []Segment, fill, stroke Paint, width float64) Shape {
	return Shape{Kind: ShapePath, Path: p, Fill: fill, Stroke: stroke, StrokeWidth: width}
}

// bezierAt returns the point of the cubic a, b, c, d at t (0..1).
func bezierAt(a, b, c, d Point, t float64) Point {
	s := 1 - t
	w0, w1, w2, w3 := s*s*s, 3*s*s*t, 3*s*t*t, t*t*t
	return Point{a.X*w0 + b.X*w1 + c.X*w2 + d.X*w3, a.Y*w0 + b.Y*w1 + c.Y*w2 + d.Y*w3}
}
