package shelf

import (
	"strings"
	"testing"
)

// from puts an object that was made of base.
func (k *kit) from(path, base, data string) (out Outcome) {
	k.Helper()
	o := k.parse(at(path).Kind, data)
	var seen []byte
	if base != "" {
		seen = []byte(base)
	}
	k.must(func(e *Edit) (err error) {
		out, err = e.PutFrom(at(path), seen, o)
		return err
	})
	return out
}

func TestPutFrom(t *testing.T) {
	each(t, func(k *kit) {
		const path = "calendars/home/a.ics"
		base := event("a", "Lunch")
		if out := k.from(path, "", base); out.Merged || out.Conflict != "" {
			t.Errorf("new: got %+v", out)
		}
		placed := strings.Replace(base, "SUMMARY:Lunch", "SUMMARY:Lunch\r\nLOCATION:Park", 1)
		if out := k.from(path, base, placed); out.Merged || out.Conflict != "" {
			t.Errorf("nobody else: got %+v", out)
		}
		later := strings.Replace(base, "SUMMARY:Lunch", "SUMMARY:Dinner", 1)
		if out := k.from(path, base, later); !out.Merged {
			t.Errorf("another property: got %+v", out)
		}
		got := k.read(path)
		if !strings.Contains(got, "LOCATION:Park") || !strings.Contains(got, "SUMMARY:Dinner") {
			t.Errorf("merged: got %q, want both changes", got)
		}
		if out := k.from(path, base, got); out.Merged || out.Conflict != "" {
			t.Errorf("the same: got %+v", out)
		}

		clash := strings.Replace(base, "SUMMARY:Lunch", "SUMMARY:Breakfast", 1)
		out := k.from(path, base, clash)
		if out.Conflict == "" {
			t.Fatalf("the same property: got %+v", out)
		}
		k.want("stays", k.read(path), got)
		k.want("kept", k.read("calendars/conflicts/"+out.Conflict), clash)
		c := k.coll("calendars/conflicts")
		if !c.Conflicts() || !c.Props().Transparent {
			t.Errorf("conflicts: %+v", c.Props())
		}
		if again := k.from(path, base, clash); again.Conflict != out.Conflict {
			t.Errorf("twice: got %+v, want %+v", again, out)
		}
		other := strings.Replace(base, "SUMMARY:Lunch", "SUMMARY:Tea", 1)
		second := k.from(path, base, other)
		kept := k.read("calendars/conflicts/" + second.Conflict)
		if !strings.Contains(kept, "SUMMARY:Tea") || strings.Contains(kept, "UID:a\r\n") {
			t.Errorf("a second one of the same UID: got %q, want it with another UID", kept)
		}
	})
}

func TestPutFromCards(t *testing.T) {
	each(t, func(k *kit) {
		const path = "contacts/contacts/a.vcf"
		base := card("a", "Bob")
		k.put(path, base)
		k.put(path, strings.Replace(base, "FN:Bob", "FN:Bob\r\nNOTE:friend", 1))
		if out := k.from(path, base, strings.Replace(base, "FN:Bob", "FN:Bob\r\nTEL:123", 1)); !out.Merged {
			t.Errorf("another property: got %+v", out)
		}
		if got := k.read(path); !strings.Contains(got, "NOTE:friend") || !strings.Contains(got, "TEL:123") {
			t.Errorf("merged: got %q", got)
		}
		out := k.from(path, base, strings.Replace(base, "FN:Bob", "FN:Bob\r\nNOTE:foe", 1))
		if out.Conflict == "" {
			t.Fatalf("the same property: got %+v", out)
		}
		k.want("conflicts", names(t, k.coll("contacts/conflicts")), out.Conflict)
	})
}
