// Package retain answers what keeps memory alive in a graph of objects: who
// dominates whom, what would go free without an object or a reference, and on
// which paths an object is held. It knows no process, no types and no names;
// internal/goheap builds the graph of a Go heap, and the caller turns vertices
// and labels into words.
//
//	FromCSR ──► Graph ──► Compute ──► Result ──► Path, WhatIf, Merge, ...
//	 sizes, edges                 dominators              queries, in any order
//
// # The graph
//
// Vertices are dense numbers, uint32. Vertex 0 is the super root: what cannot
// be reached from it is garbage. Vertices below Graph.Synthetic stand for
// roots and groups of roots (package, global variable, group of goroutines,
// goroutine, variable); the others are objects. No object points to a
// synthetic vertex. The edges of a vertex keep their order, and roots that
// come first get the first say in the order of the search.
//
// Sizes are bytes. A synthetic vertex may have a size too (the stack of a
// goroutine); it counts as bytes, not as an object.
//
// # The result
//
// Queries take and return the vertices of the graph; inside, vertices are
// numbered by depth-first preorder, which keeps neighbours close in memory.
// Everything of a vertex that cannot be reached is zero, empty or false. A
// Result is read-only and can be asked from several goroutines.
//
//	what holds v?           Path, Paths, Holders, Dominators
//	what does v hold?       Retained, Children, Groups, Dominated, Accumulation
//	what goes free?         WhatIf, Joint
//	what is large?          Top, Drops, Kinds
//	how is all of it held?  Merge, DominatorTree, Depths
//	what has changed?       Diff
//	as a profile            Samples of Result and of Tree
//
// To see on which ways one popular object is held, Merge the paths to its
// Holders.
//
// # Dominators
//
// Semi-NCA (Georgiadis, "Linear-Time Algorithms for Dominators and Related
// Problems", 2005) on preorder numbers. The iterative algorithm of Cooper,
// Harvey and Kennedy was tried and refused: a doubly linked list of n nodes
// costs it n passes over the whole heap.
package retain
