package synth

import (
	"fmt"
	"strings"
)

// Words to make names of. Read only.
var (
	nouns = [...]string{"cart", "order", "price", "stock", "invoice", "session", "ledger", "search",
		"coupon", "parcel", "review", "basket", "refund", "catalog", "tariff", "voucher"}
	verbs = [...]string{"Load", "Store", "Encode", "Decode", "Merge", "Flush", "Walk", "Resolve",
		"Apply", "Check", "Render", "Fetch", "Split", "Index", "Price", "Send"}
)

const (
	functionsPerFile    = 12
	functionsPerPackage = 96
)

// functionNameOf is a unique Go name: methods with pointer receivers, plain
// functions and closures, as a Go binary has them.
func functionNameOf(f int) string {
	noun := nouns[f%len(nouns)]
	verb := verbs[f/len(nouns)%len(verbs)]
	pkg := packageOf(f)
	switch f % 5 {
	case 0, 1:
		return fmt.Sprintf("%s.(*%sService).%s%d", pkg, exported(noun), verb, f)
	case 2, 3:
		return fmt.Sprintf("%s.%s%s%d", pkg, strings.ToLower(verb), exported(noun), f)
	default:
		return fmt.Sprintf("%s.%s%s%d.func1", pkg, verb, exported(noun), f)
	}
}

func packageOf(f int) string {
	p := f / functionsPerPackage
	return fmt.Sprintf("example.com/shop/internal/%s%d", nouns[p%len(nouns)], p/len(nouns))
}

func fileNameOf(f int) string {
	return fmt.Sprintf("/build/%s/%s_%d.go", packageOf(f), nouns[f/functionsPerFile%len(nouns)], f/functionsPerFile)
}

func startLineOf(f int) int { return 10 + f%functionsPerFile*40 }

func exported(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
