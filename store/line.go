package store

import "golang.org/x/sync/semaphore"

// A line is where updates of one branch queue. Fields below turn are guarded by
// Repo.mu.
type line struct {
	branch *Branch
	turn   *semaphore.Weighted // of one, first come first served

	users   int   // Updates that have entered
	tip     *Tree // the newest snapshot, when it is not durable
	pending int   // steps that are not durable
	term    int
}

func (r *Repo) enter(names []string) []*line {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users++
	lines := make([]*line, len(names))
	for i, name := range names {
		l, ok := r.lines[name]
		if !ok {
			l = &line{branch: r.Branch(name), turn: semaphore.NewWeighted(1)}
			r.lines[name] = l
		}
		l.users++
		lines[i] = l
	}
	return lines
}

func (r *Repo) leave(lines []*line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users--
	r.stir()
	for _, l := range lines {
		if l.users--; l.users == 0 {
			delete(r.lines, l.branch.name)
		}
	}
}

func (r *Repo) position(l *line) (tip *Tree, term int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return l.tip, l.term
}
