package proc

import (
	"path"
	"slices"
	"strings"
)

// memoryGroups lists the folders of the cgroups that limit the memory of a
// process, from its own up to the root, by the texts of /proc/PID/cgroup and
// /proc/self/mountinfo. Of version 1 and 2 each that is mounted counts.
func memoryGroups(groups, mounts string) []string {
	var dirs []string
	for line := range strings.Lines(groups) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3) // 4:memory:/a/b or 0::/a/b
		if len(f) != 3 {
			continue
		}
		v2 := f[0] == "0" && f[1] == ""
		if !v2 && !slices.Contains(strings.Split(f[1], ","), "memory") {
			continue
		}
		mount, root := cgroupMount(mounts, v2)
		if mount == "" {
			continue
		}
		// The mount may show only the part of the tree below root.
		rel := path.Clean("/" + f[2])
		if below, ok := strings.CutPrefix(rel, root); ok && root != "/" {
			rel = path.Clean("/" + below)
		}
		for {
			dirs = append(dirs, path.Join(mount, rel))
			if rel == "/" {
				break
			}
			rel = path.Dir(rel)
		}
	}
	return dirs
}

// cgroupMount finds where cgroup version 2, or the memory controller of version
// 1, is mounted, and which part of the tree.
func cgroupMount(mounts string, v2 bool) (mount, root string) {
	for line := range strings.Lines(mounts) {
		// 36 35 98:0 /root /mount rw,noatime shared:1 - cgroup cgroup rw,memory
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 5 || len(g) < 1 {
			continue
		}
		switch {
		case v2 && g[0] == "cgroup2":
		case !v2 && g[0] == "cgroup" && len(g) == 3 && slices.Contains(strings.Split(g[2], ","), "memory"):
		default:
			continue
		}
		return f[4], f[3]
	}
	return "", ""
}
