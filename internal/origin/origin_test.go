package origin

import "testing"

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		name, file  string
		want, frame Origin
		pkg         string
	}{
		{"main.main", "/src/app/main.go", Own, Own, "main"},
		{"net/http.(*conn).serve", "/usr/lib/go/src/net/http/server.go", Std, Std, "net/http"},
		{"runtime.mallocgc", "", Runtime, Runtime, "runtime"},
		{"internal/runtime/maps.NewTable", "", Runtime, Runtime, "internal/runtime/maps"},
		{"go.uber.org/zap.(*Logger).Info", "/src/go/pkg/mod/go.uber.org/zap@v1.27.0/logger.go", Dependency, Dependency, "go.uber.org/zap"},
		{"go.uber.org/zap.(*Logger).Info", "go.uber.org/zap@v1.27.0/logger.go", Dependency, Dependency, "go.uber.org/zap"},
		{"example.com/app.Map[go.shape.struct { a/b.c int }]", "example.com/app/m.go", Own, Own, "example.com/app"},
		{"main.run.OnceFunc.func1", "/usr/lib/go/src/sync/oncefunc.go", Own, Std, "main"},
		{"absl::Mutex::Lock", "", Foreign, Foreign, ""},
		{"_ZN4absl", "", Foreign, Foreign, ""},
		{"malloc", "", Foreign, Foreign, ""},
		{"aeshashbody", "/usr/lib/go/src/runtime/asm_amd64.s", Runtime, Runtime, ""},
		{"indexbytebody", "internal/bytealg/indexbyte_amd64.s", Std, Std, ""},
		{"dot", "/src/app/dot_amd64.s", Foreign, Foreign, ""},
		{"tokio::runtime::park", "/build/.cargo/registry/src/github.com-1ecc/tokio-1.32.0/src/park.rs", Dependency, Dependency, ""},
		{"<T as alloc::Any>::poll", "/rustc/84c898d/library/alloc/src/boxed.rs", Std, Std, ""},
		{"std::vector<int>::push_back", "", Std, Std, ""},
		{"handle", "./node_modules/express/lib/application.js", Dependency, Dependency, ""},
	} {
		if got := Of(tt.name, tt.file); got != tt.want {
			t.Errorf("Of(%s, %s) = %d, want %d", tt.name, tt.file, got, tt.want)
		}
		if got := OfFrame(tt.name, tt.file); got != tt.frame {
			t.Errorf("OfFrame(%s, %s) = %d, want %d", tt.name, tt.file, got, tt.frame)
		}
		if got := Package(tt.name); got != tt.pkg {
			t.Errorf("Package(%s) = %q, want %q", tt.name, got, tt.pkg)
		}
	}
}
