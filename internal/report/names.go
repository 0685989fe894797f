package report

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
