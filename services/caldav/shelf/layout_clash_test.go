package shelf

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestLayoutInTheWay has files and folders where the layout would put others.
func TestLayoutInTheWay(t *testing.T) {
	each(t, func(k *kit) {
		k.maxFlat, k.minFan = 5, 2
		var files []string
		for i := range 256 {
			files = append(files, "calendars/home/"+hexByte(byte(i)), "not a folder")
		}
		k.push(append(files, "calendars/home/folder.ics/x", "not a resource")...)
		for i := range 10 {
			k.put(fmt.Sprintf("calendars/home/%d.ics", i), event(fmt.Sprint(i), "E"))
		}
		if u, err := k.coll("calendars/home").Usage(); err != nil || u.Count != 10 {
			t.Errorf("got %+v, %v, want 10", u, err)
		}
		k.push("calendars/home/"+fanOf("0.ics"), "-") // room for one
		k.put("calendars/home/more.ics", event("more", ""))
		if !strings.Contains(k.files(), fanOf("0.ics")+"/0.ics") {
			t.Errorf("0.ics did not move: %s", k.files())
		}
		k.put("calendars/home/again.ics", event("again", ""))
		k.want("all", names(t, k.coll("calendars/home")), "0.ics 1.ics 2.ics 3.ics 4.ics 5.ics 6.ics 7.ics 8.ics 9.ics again.ics more.ics")

		o := k.parse(Calendars, event("f", ""))
		err := k.update(func(e *Edit) error { _, err := e.Put(at("calendars/home/folder.ics"), o); return err })
		if _, ok := errors.AsType[*NameError](err); !ok {
			t.Errorf("onto a folder: %v", err)
		}
	})
}

// TestTwoFoldersOfOneName has two folders that could be the same calendar.
func TestTwoFoldersOfOneName(t *testing.T) {
	each(t, func(k *kit) {
		k.push("calendars/Home/a.ics", event("a", ""), "calendars/%48ome/b.ics", event("b", ""))
		list, err := k.snap().Collections(Calendars)
		if err != nil || len(list) != 2 || list[0].Name != "Home" || list[1].Name != "~%2548ome" {
			t.Fatalf("got %v, %v", list, err)
		}
		for _, c := range list {
			again := k.coll("calendars/" + c.Name)
			k.want(c.Name, names(t, again), names(t, c))
		}
	})
}

// TestBomb has one folder of many files many times.
func TestBomb(t *testing.T) {
	each(t, func(k *kit) {
		var files []string
		for i := range 300 {
			files = append(files, fmt.Sprintf("calendars/home/d/%d.ics", i), "x")
		}
		k.push(files...)
		k.must(func(e *Edit) error {
			d, err := e.Tx().Lookup("calendars/home/d")
			for i := 0; i < 2000 && err == nil; i++ {
				err = e.Tx().Link(fmt.Sprintf("calendars/home/x/%d", i), d)
			}
			return err
		})
		if _, err := k.coll("calendars/home").Usage(); !errors.Is(err, errFolders) {
			t.Errorf("got %v, want %v", err, errFolders)
		}
	})
}
