package origin

import (
	"regexp"
	"strings"
)

// Patterns that shorten names for pictures, where the full one does not fit.
var (
	anonymousRx = regexp.MustCompile(`^\(anonymous namespace\)::`)
	// versionRx is a module's major version inside a package path.
	versionRx = regexp.MustCompile(`^(.*?)/v(?:[2-9]|[1-9][0-9]+)([./].*)$`)
	// goPathRx is the directory part of a Go package path.
	goPathRx = regexp.MustCompile(`^(?:[\w\-\.]+\/)+([^.]+\..+)`)
	// javaRx is a Java package; the class and method stay, arguments go.
	javaRx = regexp.MustCompile(`^(?:[a-z]\w*\.)*([A-Z][\w\$]*\.(?:<init>|[a-z][\w\$]*(?:\$\d+)?))(?:(?:\()|$)`)
	// packageRx is the directory part of a package path within type arguments.
	packageRx = regexp.MustCompile(`[\w\-.]+/(?:[\w\-.]+/)*`)
	// cppRx is a C++ namespace; the class, method and template arguments stay.
	cppRx = regexp.MustCompile(`^(?:[_a-zA-Z]\w*::)+(_*[A-Z]\w*::~?[_a-zA-Z]\w*(?:<.*>)?)`)
)

// ShortName cuts package paths, module versions and namespaces from a
// function name.
func ShortName(name string) string {
	name = anonymousRx.ReplaceAllString(name, "")
	name = versionRx.ReplaceAllString(name, `${1}${2}`)
	for _, rx := range []*regexp.Regexp{goPathRx, javaRx, cppRx} {
		if m := rx.FindStringSubmatch(name); m != nil {
			return strings.Join(m[1:], "")
		}
	}
	return name
}

// maxTypeArgs is how much of a generic function's type arguments is shown.
const maxTypeArgs = 24

// FoldTypeArgs makes the type arguments of a generic name readable: packages
// are cut to their last element, the compiler's go.shape goes, and what is
// still long becomes an ellipsis. Names of other shapes stay as they are.
func FoldTypeArgs(name string) string {
	open := strings.IndexByte(name, '[')
	if open < 0 || strings.Contains(name, "::") {
		return name
	}
	depth, end := 0, -1
	for i := open; i < len(name) && end < 0; i++ {
		switch name[i] {
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				end = i
			}
		}
	}
	if end < 0 {
		return name
	}
	args := name[open+1 : end]
	if args == "..." {
		return name
	}
	args = packageRx.ReplaceAllString(strings.ReplaceAll(args, "go.shape.", ""), "")
	if len(args) > maxTypeArgs {
		args = "..."
	}
	return name[:open+1] + args + "]" + FoldTypeArgs(name[end+1:])
}
