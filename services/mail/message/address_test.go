package message

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParseAddresses(t *testing.T) {
	alice := Address{"", "alice", "example.org"}
	named := Address{"Alice", "alice", "example.org"}
	for _, c := range []struct {
		in   string
		want []Address
	}{
		{"alice@example.org", []Address{alice}},
		{"<alice@example.org>", []Address{alice}},
		{"Alice <alice@example.org>", []Address{named}},
		{`"Alice" <alice@example.org>`, []Address{named}},
		{"alice@example.org (Alice)", []Address{named}},
		{"Alice alice@example.org", []Address{named}},
		{"=?utf-8?Q?Al=69ce?= <alice@example.org>", []Address{named}},
		{`"=?utf-8?Q?Al=69ce?=" <alice@example.org>`, []Address{named}},
		{"alice @ example . org", []Address{alice}},
		{"alice(a)@(b)example.(c)org", []Address{{"c", "alice", "example.org"}}},
		{"<@relay.example,@other.example:alice@example.org>", []Address{alice}},
		{"<<alice@example.org>>", []Address{alice}},
		{"<alice@example.org", []Address{alice}},
		{"Alice <alice@example.org>, , bob", []Address{named, {"", "bob", ""}}},
		{`"a b"@example.org`, []Address{{"", "a b", "example.org"}}},
		{`"a@b"@example.org`, []Address{{"", "a@b", "example.org"}}},
		{`"a\"b" <alice@example.org>`, []Address{{`a"b`, "alice", "example.org"}}},
		{"alice@[IPv6:2001:db8::1]", []Address{{"", "alice", "[IPv6:2001:db8::1]"}}},
		{"Smith, Alice <alice@example.org>", []Address{{"", "Smith", ""}, named}},
		{"Alice A. Smith <alice@example.org>", []Address{{"Alice A. Smith", "alice", "example.org"}}},
		{"Åsa <åsa@exämple.org>", []Address{{"Åsa", "åsa", "exämple.org"}}},
		{"undisclosed-recipients:;", nil},
		{"friends: Alice <alice@example.org>, bob@example.org;, carol@example.org", []Address{named, {"", "bob", "example.org"}, {"", "carol", "example.org"}}},
		{"alice@example.org; bob@example.org", []Address{alice, {"", "bob", "example.org"}}},
		{"", nil},
		{"((((", nil},
		{"<>", nil},
		{`"`, nil},
		{"alice@@example.org", []Address{{"", "alice@", "example.org"}}},
	} {
		if got := ParseAddresses(c.in); !slices.Equal(got, c.want) {
			t.Errorf("ParseAddresses(%q) = %+v, want %+v", c.in, got, c.want)
		}
	}
}

func TestGroups(t *testing.T) {
	h := ParseHeader([]byte("To: dave@example.org, a group: alice@example.org;,\r\n empty:;\r\nTo: bob@example.org\r\n"))
	want := []Group{
		{"", false, []Address{{"", "dave", "example.org"}}},
		{"a group", true, []Address{{"", "alice", "example.org"}}},
		{"empty", true, nil},
		{"", false, []Address{{"", "bob", "example.org"}}},
	}
	if got := h.Groups("to"); !reflect.DeepEqual(got, want) {
		t.Errorf("Groups = %+v, want %+v", got, want)
	}
	if got := len(h.Addresses("to")); got != 3 {
		t.Errorf("%d addresses, want 3", got)
	}
}

func TestAddressString(t *testing.T) {
	for _, c := range []struct {
		a    Address
		want string
	}{
		{Address{"", "alice", "example.org"}, "alice@example.org"},
		{Address{"Alice Smith", "alice", "example.org"}, "Alice Smith <alice@example.org>"},
		{Address{"Smith, A.", "alice", "example.org"}, `"Smith, A." <alice@example.org>`},
		{Address{"Åsa", "alice", "example.org"}, "=?utf-8?B?w4VzYQ==?= <alice@example.org>"},
		{Address{"", "a b", "example.org"}, `"a b"@example.org`},
		{Address{"", "alice", ""}, "alice"},
		{Address{"x\r\nBcc: y", "alice", "example.org\r\nBcc: z"}, `"x Bcc: y" <alice@example.orgBcc:z>`},
	} {
		if got := c.a.String(); got != c.want {
			t.Errorf("%+v is %q, want %q", c.a, got, c.want)
		}
	}
}

func FuzzParseAddresses(f *testing.F) {
	for _, s := range []string{"Alice <alice@example.org>, b: c;, \"x\\\"y\"@z (k (l))", "<@a,@b:c@d>", "a@[1:2]>", "=?utf-8?Q?=C3?= =?utf-8?Q?=A4?= <x@y>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range ParseAddresses(s) {
			text := a.String()
			if strings.ContainsAny(text, "\r\n\x00") {
				t.Fatalf("%+v is written as %q", a, text)
			}
			if strings.Contains(text, "@") && a.Name == "" && len(text) < 200 && dotAtom(a.Local) && dotAtom(a.Domain) {
				if got := ParseAddresses(text); !slices.Equal(got, []Address{a}) {
					t.Fatalf("%q is read as %+v, want %+v", text, got, a)
				}
			}
		}
	})
}
