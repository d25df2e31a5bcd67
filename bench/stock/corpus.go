package stock

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// folders is over how many the files are spread.
const folders = 256

// A Corpus is a tree of files spread over 256 folders.
type Corpus struct {
	Files int
	Size  int // of a file, in bytes
}

// An Edit replaces one file.
type Edit struct {
	Path string
	Data []byte
}

// Path names the i-th file.
func (c Corpus) Path(i int) string { return fmt.Sprintf("%02x/item-%05d.txt", i%folders, i/folders) }

// All yields every file once, as it is at first.
func (c Corpus) All(yield func(Edit) bool) {
	for i := range c.Files {
		if !yield(Edit{c.Path(i), c.content(i, 0)}) {
			return
		}
	}
}

// ByFolder is All in the order of folders.
func (c Corpus) ByFolder(yield func(Edit) bool) {
	for folder := range folders {
		for i := folder; i < c.Files; i += folders {
			if !yield(Edit{c.Path(i), c.content(i, 0)}) {
				return
			}
		}
	}
}

// Edits makes n changes of random files. The same seed makes the same ones.
func (c Corpus) Edits(n int, seed uint64) []Edit {
	random := rand.New(rand.NewPCG(seed, 7))
	edits := make([]Edit, n)
	for k := range edits {
		i := random.IntN(c.Files)
		edits[k] = Edit{c.Path(i), c.content(i, random.Uint64())}
	}
	return edits
}

// content is lines of words, like a text of the given size, of which a tenth
// is new in each version.
func (c Corpus) content(i int, version uint64) []byte {
	data := fmt.Appendf(make([]byte, 0, c.Size+128), "file %d version %x\n", i, version)
	least := len(data)
	same := rand.New(rand.NewPCG(uint64(i), 1))
	changed := rand.New(rand.NewPCG(version, 2))
	for len(data) < c.Size {
		from := same
		if same.IntN(10) == 0 {
			from = changed
		}
		for range 8 {
			data = append(data, words[from.IntN(len(words))]...)
		}
		data = append(data, '\n')
	}
	return data[:max(c.Size, least)]
}

// words are made up, a few thousand as in a language.
var words = func() []string {
	random := rand.New(rand.NewPCG(3, 5))
	list := make([]string, 4096)
	for i := range list {
		word := make([]byte, 2+random.IntN(8))
		for k := range word {
			word[k] = 'a' + byte(random.IntN(26))
		}
		list[i] = string(word) + " "
	}
	return list
}()

// A Stream is input for git fast-import. Its zero value is empty.
type Stream struct {
	Data []byte
	at   int64
}

// Commit adds one commit of these edits to refs/heads/main.
func (s *Stream) Commit(edits ...Edit) {
	s.begin()
	for _, e := range edits {
		s.file(e)
	}
}

// Tree adds the commit that makes a corpus.
func (s *Stream) Tree(c Corpus) {
	s.begin()
	for e := range c.All {
		s.file(e)
	}
}

// Continue makes the next commit the child of what refs/heads/main is in the repository.
func (s *Stream) Continue() {
	s.Data = append(s.Data, "reset refs/heads/main\nfrom refs/heads/main^0\n\n"...)
}

func (s *Stream) begin() {
	s.at++
	s.Data = append(s.Data, "commit refs/heads/main\nauthor A <a@example.org> "...)
	when := strconv.AppendInt(nil, 1_700_000_000+s.at, 10)
	s.Data = append(append(s.Data, when...), " +0000\ncommitter C <c@example.org> "...)
	s.Data = append(append(s.Data, when...), " +0000\ndata 5\nedit\n"...)
}

func (s *Stream) file(e Edit) {
	s.Data = fmt.Appendf(s.Data, "M 644 inline %s\ndata %d\n", e.Path, len(e.Data))
	s.Data = append(append(s.Data, e.Data...), '\n')
}
