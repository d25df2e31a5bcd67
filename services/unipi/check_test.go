package unipi

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"

func TestCheckPush(t *testing.T) {
	b := newBranch()
	old := push(t, b, files{"index.html": "x", "a.txt": pointer + strings.Repeat("and more", 200)})
	if w, err := CheckPush(t.Context(), nil, old); err != nil || len(w) != 0 {
		t.Errorf("a good first push: %v %v", w, err)
	}
	bad := files{"index.html": "y", "_redirects": "/a\n/b /c\n", "_headers": "nonsense\n"}
	for i := range 12 {
		bad[fmt.Sprintf("img/%02d.png", i)] = pointer
	}
	next := push(t, b, bad)
	for name, from := range map[string]bool{"first push": false, "second": true} {
		tree := old
		if !from {
			tree = nil
		}
		warnings, err := CheckPush(t.Context(), tree, next)
		var lfs *LFSError
		if !errors.As(err, &lfs) || len(lfs.Paths) != 10 || lfs.More != 2 || lfs.Paths[0] != "img/00.png" || !strings.Contains(err.Error(), "git lfs migrate export") {
			t.Errorf("%s with LFS pointers: got %v", name, err)
		}
		if len(warnings) != 2 {
			t.Errorf("%s: got warnings %v, want one for each rule file", name, warnings)
		}
	}
	again := push(t, b, files{"index.html": "z"})
	if w, err := CheckPush(t.Context(), next, again); err != nil || len(w) != 0 {
		t.Errorf("a push that removes them: %v %v", w, err)
	}
	if _, err := CheckPush(t.Context(), again, nil); err != nil {
		t.Errorf("a branch that goes: %v", err)
	}
}
