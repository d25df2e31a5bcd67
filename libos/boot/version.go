package boot

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version says which build of the program of that name this is: the version of its module, the
// commit it was made from, and the toolchain.
func Version(name string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return name + " of an unknown version, " + runtime.Version()
	}
	return version(name, info)
}

func version(name string, info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	text := name
	if v := info.Main.Version; v != "" {
		text += " " + v
	}
	if revision := settings["vcs.revision"]; revision != "" {
		text += fmt.Sprintf(", commit %s of %s", revision, settings["vcs.time"])
	}
	if settings["vcs.modified"] == "true" {
		text += " with changes"
	}
	return text + ", " + info.GoVersion + " " + runtime.GOOS + "/" + runtime.GOARCH
}
