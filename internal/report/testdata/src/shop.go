package main

// total adds the prices of a cart up.
func total(cart []item) (sum int) {
	for _, it := range cart {
		sum += it.price()
	}
	return sum
}

func (i item) price() int {
	return i.net + tax(i.net)
}

func tax(net int) int {
	return net * 19 / 100
}

func serve() {
	for {
		total(load())
	}
}

func main() {
	serve()
}
