package procfs

import (
	"os"
	"reflect"
	"runtime"
)

// Peak is the largest resident set of a process that has ended, bytes; 0 when
// the system does not tell. It reads Maxrss of the rusage that wait4 returned,
// by reflection, since the type of SysUsage exists under Unix only and the
// benchmarks are to build everywhere without build tags.
func Peak(state *os.ProcessState) int64 {
	v := reflect.ValueOf(state.SysUsage())
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return 0
	}
	field := v.Elem().FieldByName("Maxrss")
	if !field.IsValid() || !field.CanInt() {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return field.Int() // bytes there, KiB elsewhere
	}
	return field.Int() << 10
}
