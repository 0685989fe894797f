package retain

// dominators computes the immediate dominators by Semi-NCA and returns them in
// place of parent. All arrays are by preorder number; ancestor begins as a
// copy of parent, the others as scratch.
//
// Vertices are taken from the last to the first. At w, those above w are
// linked to their parents, and ancestor leads up through them; label[v] is the
// least semidominator seen between v and where its ancestor points, for v > w.
// Then the immediate dominator of w is the nearest common ancestor of its
// parent and its semidominator in the dominator tree made so far.
func (r *Result) dominators(parent, ancestor, semi, label []uint32) []uint32 {
	inAt, in := r.inAt, r.in
	var path []uint32
	for w := uint32(len(parent)) - 1; w > 0; w-- {
		s := parent[w]
		for _, v := range in[inAt[w]:inAt[w+1]] {
			if v > w {
				if ancestor[v] > w {
					path = compress(ancestor, label, v, w, path[:0])
				}
				v = label[v]
			}
			s = min(s, v)
		}
		semi[w], label[w] = s, s
	}
	idom := parent
	for w := uint32(1); w < uint32(len(parent)); w++ {
		d := parent[w]
		for d > semi[w] {
			d = idom[d]
		}
		idom[w] = d
	}
	return idom
}

// compress makes the ancestors on the way up from v point to the top of the
// linked tree it is in, which is the first at or below w, and takes the labels
// along. path is scratch, returned for the next time.
func compress(ancestor, label []uint32, v, w uint32, path []uint32) []uint32 {
	for x := v; ancestor[x] > w; x = ancestor[x] {
		path = append(path, x)
	}
	for i := len(path) - 1; i >= 0; i-- {
		x := path[i]
		a := ancestor[x]
		label[x] = min(label[x], label[a])
		ancestor[x] = ancestor[a]
	}
	return path
}
