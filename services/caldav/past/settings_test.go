package past

import (
	"testing"

	"cairn/services/caldav/shelf"
)

func TestSettings(t *testing.T) {
	shares := func(who string, a shelf.Access) map[string]shelf.Access { return map[string]shelf.Access{who: a} }
	for _, c := range []struct {
		before, after shelf.Props
		want, future  string
	}{
		{shelf.Props{}, shelf.Props{DisplayName: "Choir"}, "Renamed club to Choir", "rename club to Choir"},
		{shelf.Props{}, shelf.Props{Color: "#123456"}, "Changed the colour of club", "change the colour of club"},
		{shelf.Props{}, shelf.Props{Public: true}, "Made club public", "make club public"},
		{shelf.Props{Public: true}, shelf.Props{}, "Made club private", "make club private"},
		{shelf.Props{}, shelf.Props{Nonce: "a"}, "Made a secret address of club", "make a secret address of club"},
		{shelf.Props{Nonce: "a"}, shelf.Props{Nonce: "b"}, "Made a new secret address of club", "make a new secret address of club"},
		{shelf.Props{Nonce: "a"}, shelf.Props{}, "Switched off the secret address of club", "switch off the secret address of club"},
		{shelf.Props{}, shelf.Props{Shares: shares("bob", shelf.Read)}, "Shared club with bob to read", "share club with bob to read"},
		{shelf.Props{Shares: shares("bob", shelf.Read)}, shelf.Props{Shares: shares("bob", shelf.ReadWrite)}, "Shared club with bob to read and change", "share club with bob to read and change"},
		{shelf.Props{Shares: shares("bob", shelf.Read)}, shelf.Props{}, "Stopped sharing club with bob", "stop sharing club with bob"},
		{shelf.Props{Shares: shares("bob", shelf.Read)}, shelf.Props{Shares: shares("carol", shelf.Read), Public: true}, "Made club public; shared club with carol to read; stopped sharing club with bob",
			"make club public; share club with carol to read; stop sharing club with bob"},
		{shelf.Props{}, shelf.Props{Description: "x"}, "Changed the settings of club", "change the settings of club"},
	} {
		d := newDesk(t)
		if err := d.try(func(e *shelf.Edit) error { return e.Make(at("calendars/club"), &c.before) }); err != nil {
			t.Fatal(err)
		}
		before := d.now()
		if err := d.try(func(e *shelf.Edit) error { return e.SetProps(at("calendars/club"), &c.after) }); err != nil {
			t.Fatal(err)
		}
		deeds, err := Deeds(t.Context(), before, d.now(), shelf.Path{})
		if err != nil || len(deeds) != 1 {
			t.Fatalf("%q: got %v, %v", c.want, deeds, err)
		}
		if got := Words(deeds); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
		if got := deeds[0].Future(); got != c.future {
			t.Errorf("got %q, want %q", got, c.future)
		}
	}
}
