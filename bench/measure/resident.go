package measure

import (
	"errors"
	"os"
	"strconv"
	"strings"
)

// Resident is the memory that a process and its children hold for themselves, in bytes.
func Resident(root int) (float64, error) {
	all, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	parent, kib := map[int]int{}, map[int]float64{}
	for _, e := range all {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		status, err := os.ReadFile("/proc/" + e.Name() + "/status")
		if err != nil {
			continue // it has ended
		}
		for l := range strings.Lines(string(status)) {
			key, value, _ := strings.Cut(l, ":")
			fields := strings.Fields(value)
			if len(fields) == 0 {
				continue
			}
			n, _ := strconv.ParseFloat(fields[0], 64)
			switch key {
			case "PPid":
				parent[pid] = int(n)
			case "RssAnon", "RssShmem": // pages of files are shared by processes
				kib[pid] += n
			}
		}
	}
	total := 0.0
	for pid := range kib {
		for p := pid; p > 1; p = parent[p] {
			if p == root {
				total += kib[pid]
				break
			}
		}
	}
	if total == 0 {
		return 0, errors.New("the server has ended")
	}
	return total * 1024, nil
}
