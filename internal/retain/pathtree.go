package retain

// PathTree lays the best paths to all vertices together, as Merge does with
// some; Sum is then what is reached by a node and those below. at[v] is the
// node where the path to vertex v ends, 0 for garbage.
func (r *Result) PathTree(l Labels) (t *Tree, at []uint32) {
	parent := r.nearest().parent
	m := newMerger(r, l)
	at = make([]uint32, len(r.number))
	done := newBitset(len(parent))
	done.set(0)
	m.end(0, r.self(0))
	todo := []uint32{0}
	for len(todo) > 0 {
		from := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		node := at[r.vertex[from]]
		// What one vertex points to is labelled in one go.
		for _, to := range r.out[r.outAt[from]:r.outAt[from+1]] {
			if parent[to] != from || done.has(to) {
				continue
			}
			done.set(to)
			k := m.step(node, from, to, r.bytes(to))
			at[r.vertex[to]] = k
			m.end(k, r.self(to))
			if r.outAt[to] < r.outAt[to+1] {
				todo = append(todo, to)
			}
		}
	}
	return m.tree(), at
}
