package retain

// PathTree lays the best paths to all vertices together, as Merge does with
// some; Sum is then what is reached by a node and those below. at[v] is the
// node where the path to vertex v ends, 0 for garbage. It takes 12 bytes a
// vertex meanwhile, 4 of which are at.
func (r *Result) PathTree(l Labels) (t *Tree, at []uint32) {
	parent := r.nearest().parent
	// Rows of children by parent, so that what one vertex points to is labelled
	// in one go.
	n := uint32(len(parent))
	first, children := make([]uint32, n+2), make([]uint32, n)
	for i := uint32(1); i < n; i++ {
		first[parent[i]+2]++
	}
	for i := range n {
		first[i+2] += first[i+1]
	}
	for i := uint32(1); i < n; i++ {
		p := parent[i]
		children[first[p+1]] = i
		first[p+1]++
	}
	m := newMerger(r, l)
	at = make([]uint32, len(r.number))
	m.end(0, 0)
	todo := []uint32{0}
	for len(todo) > 0 {
		from := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		node := at[r.vertex[from]]
		for _, to := range children[first[from]:first[from+1]] {
			k := m.step(node, from, to)
			at[r.vertex[to]] = k
			m.end(k, to)
			if first[to] < first[to+1] {
				todo = append(todo, to)
			}
		}
	}
	return m.tree(), at
}
