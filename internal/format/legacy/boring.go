package legacy

import (
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
)

// boringFrames are the drop and keep expressions a legacy profile gets: the
// frames of the allocator, the lock or the signal handler that took the
// sample, which say nothing about the program.
func boringFrames(p *profile.Profile) (drop, keep string) {
	switch strings.Join(p.TypeNames(), " ") {
	case "allocations size", "objects space", "inuse_objects inuse_space", "alloc_objects alloc_space",
		"alloc_objects alloc_space inuse_objects inuse_space":
		return dropAllocators(), `runtime\.panic|runtime\.reflectcall|runtime\.call[0-9]*`
	case "contentions delay":
		return dropLocks(), ""
	}
	return `ProfileData::Add|ProfileData::prof_handler|CpuProfiler::prof_handler|__pthread_sighandler|__restore`, ""
}

// dropAllocators has its alternatives in the order pprof gives them, because
// -proto and -raw show them.
func dropAllocators() string {
	posix := strings.Fields(`calloc cfree malloc free memalign do_memalign (__)?posix_memalign pvalloc valloc realloc`)
	tcmalloc := prefixed(`tc_`, `calloc cfree malloc free memalign posix_memalign pvalloc valloc realloc new delete newarray deletearray new_nothrow newarray_nothrow`)
	osx := prefixed(`malloc_zone_`, `malloc calloc valloc realloc memalign free`)
	others := strings.Fields(`BaseArena::.* (::)?do_malloc_no_errno (::)?do_malloc_pages (::)?do_malloc DoSampledAllocation
		MallocedMemBlock::MallocedMemBlock _M_allocate __builtin_(vec_)?delete __builtin_(vec_)?new
		__gnu_cxx::new_allocator::allocate __libc_malloc __malloc_alloc_template::allocate allocate cpp_alloc`)
	return strings.Join(slices.Concat(posix, []string{`tcmalloc::.*`}, tcmalloc, osx, []string{`runtime\..*`}, others,
		[]string{`operator new(\[\])?`, `simple_alloc::allocate`}), "|")
}

func dropLocks() string {
	record := []string{`RecordLockProfileData`, `(base::)?RecordLockProfileData.*`, `(base::)?SubmitMutexProfileData.*`, `(base::)?SubmitSpinLockProfileData.*`}
	mutex := strings.Fields(`(base::Mutex::)?AwaitCommon.* (base::Mutex::)?Unlock.* (base::Mutex::)?UnlockSlow.* (base::Mutex::)?ReaderUnlock.* (base::MutexLock::)?~MutexLock.*`)
	plain := make([]string, len(mutex))
	for i, m := range mutex {
		plain[i] = strings.Replace(m, "base::", "", 1)
	}
	spin := strings.Fields(`(SpinLock::)?Unlock.* (SpinLock::)?SlowUnlock.* (SpinLockHolder::)?~SpinLockHolder.*`)
	return strings.Join(slices.Concat(record, mutex, plain, spin), "|")
}

func prefixed(prefix, words string) []string {
	out := strings.Fields(words)
	for i := range out {
		out[i] = prefix + out[i]
	}
	return out
}
