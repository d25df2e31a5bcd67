package vcard

import (
	"bytes"
	"strings"
	"testing"

	govcard "github.com/emersion/go-vcard"
)

// both is what a line is in the two versions; each becomes the other.
var both = []struct{ v3, v4 string }{
	{"TEL;TYPE=HOME,VOICE:+43 1 234", "TEL;TYPE=HOME,VOICE:+43 1 234"},
	{"item1.EMAIL;TYPE=WORK:alice@example.org", "item1.EMAIL;TYPE=WORK:alice@example.org"},
	{"TEL;TYPE=CELL,pref:1", "TEL;TYPE=CELL;PREF=1:1"},
	{"PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ", "PHOTO:data:image/jpeg;base64,/9j/4AAQ"},
	{"LOGO;ENCODING=b;TYPE=SVG:PHN2Zz4=", "LOGO:data:image/svg+xml;base64,PHN2Zz4="},
	{"SOUND;ENCODING=b;TYPE=BASIC:AAAA", "SOUND:data:audio/basic;base64,AAAA"},
	{"KEY;ENCODING=b;TYPE=PGP:mQENBF", "KEY:data:application/pgp-keys;base64,mQENBF"},
	{"KEY;ENCODING=b:AAAA", "KEY:data:application/octet-stream;base64,AAAA"},
	{"X-BLOB;ENCODING=b:AAAA", "X-BLOB;VALUE=uri:data:application/octet-stream;base64,AAAA"},
	{"PHOTO;TYPE=PNG;VALUE=uri:https://example.org/a.png", "PHOTO;MEDIATYPE=image/png:https://example.org/a.png"},
	{"PHOTO;VALUE=uri:https://example.org/a", "PHOTO:https://example.org/a"},
	{"KEY;VALUE=text:my key", "KEY;VALUE=text:my key"},
	{"BDAY:1985-04-12", "BDAY:19850412"},
	{"BDAY;VALUE=date-time:1953-10-15T23:10:00Z", "BDAY:19531015T231000Z"},
	{"BDAY;VALUE=date-time:1953-10-15T23:10:00-08:00", "BDAY:19531015T231000-0800"},
	{"BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29", "BDAY:--0229"},
	{"BDAY;VALUE=text:circa 1800", "BDAY;VALUE=text:circa 1800"},
	{"DEATHDATE:2001-09-11", "DEATHDATE:20010911"},
	{"item1.X-ABDATE:2009-08-08\nitem1.X-ABLABEL:_$!<Anniversary>!$_", "ANNIVERSARY:20090808"},
	{"item1.X-ABDATE;X-APPLE-OMIT-YEAR=1604:1604-08-08\nitem1.X-ABLABEL:_$!<Anniversary>!$_", "ANNIVERSARY:--0808"},
	{"item1.X-ABDATE:2009-08-08\nitem1.X-ABLABEL:Graduation", "item1.X-ABDATE:2009-08-08\nitem1.X-ABLABEL:Graduation"},
	{"X-ADDRESSBOOKSERVER-KIND:group\nX-ADDRESSBOOKSERVER-MEMBER:urn:uuid:1", "KIND:group\nMEMBER:urn:uuid:1"},
	{"X-ABSHOWAS:COMPANY", "KIND:org"},
	{"item1.URL:https://example.org/\nitem1.X-ABLABEL:_$!<HomePage>!$_", "item1.URL:https://example.org/\nitem1.X-ABLABEL:_$!<HomePage>!$_"},
	{"GEO:37.386013;-122.082932", "GEO:geo:37.386013,-122.082932"},
	{"TZ:-05:00", "TZ;VALUE=utc-offset:-0500"},
	{"TZ;VALUE=text:Europe/Vienna", "TZ:Europe/Vienna"},
	{"SORT-STRING:Harten", "N;SORT-AS=Harten:Harten;Rene;;;"},
	{"SORT-STRING:Harten\\,Rene", "N;SORT-AS=\"Harten,Rene\":Harten;Rene;;;"},
	{"IMPP;X-SERVICE-TYPE=Jabber:xmpp:alice@example.org", "IMPP;X-SERVICE-TYPE=Jabber:xmpp:alice@example.org"},
	{"item1.X-ABRELATEDNAMES:Bob\nitem1.X-ABLABEL:_$!<Spouse>!$_", "RELATED;VALUE=text;TYPE=spouse:Bob"},
	{"item1.X-ABRELATEDNAMES:Bob\nitem1.X-ABLABEL:Hatter", "item1.RELATED;VALUE=text:Bob\nitem1.X-ABLABEL:Hatter"},
	{"RELATED;TYPE=friend:urn:uuid:2", "RELATED;TYPE=friend:urn:uuid:2"},
	{"ADR;TYPE=HOME:;;Street 1;Town;;1234;Land\nLABEL;TYPE=HOME:Street 1\\nTown\\, Land", "ADR;TYPE=HOME;LABEL=\"Street 1^nTown, Land\":;;Street 1;Town;;1234;Land"},
	{"LABEL;TYPE=WORK:Nowhere", "LABEL;TYPE=WORK:Nowhere"},
	{"REV:1995-10-31T22:27:10Z", "REV:19951031T222710Z"},
	{"FN;LANGUAGE=de:Alice", "FN;LANGUAGE=de:Alice"},
	{"LANG:fr", "LANG:fr"},
	{"CATEGORIES:a,b\\,c", "CATEGORIES:a,b\\,c"},
	{"X-SOCIALPROFILE;TYPE=twitter:http://example.org/a", "X-SOCIALPROFILE;TYPE=twitter:http://example.org/a"},
}

func TestConvert(t *testing.T) {
	for _, c := range both {
		fn, n3, n4 := "FN:Alice\n", "N:A;B;;;\n", "N:A;B;;;\n"
		if strings.HasPrefix(c.v3, "FN") {
			fn = ""
		}
		if strings.HasPrefix(c.v3, "SORT-STRING") {
			n3, n4 = "N:Harten;Rene;;;\n", ""
		}
		in3 := parse(t, card("VERSION:3.0\n"+fn+n3+c.v3))
		in4 := parse(t, card("VERSION:4.0\n"+fn+n4+c.v4))
		if got, want := sorted(in3.Convert(V4)), sorted(in4); got != want {
			t.Errorf("3.0 to 4.0:\n%sgot\n%swant\n%s", c.v3, got, want)
		}
		if got, want := sorted(in4.Convert(V3)), sorted(in3); got != want {
			t.Errorf("4.0 to 3.0:\n%sgot\n%swant\n%s", c.v4, got, want)
		}
	}
}

// sorted are a card's lines without regard to their order, but VERSION first.
func sorted(c *Card) string {
	all := strings.Split(strings.TrimSpace(lines(c)), "\n")
	for i := 1; i < len(all); i++ {
		for j := i; j > 1 && all[j] < all[j-1]; j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
	return strings.Join(all, "\n") + "\n"
}

// What goes one way only: other spellings of the same, and what the other version
// cannot have.
func TestConvertOneWay(t *testing.T) {
	for _, c := range []struct{ from, in, want string }{
		{V3, "TEL;HOME;PREF:1", "TEL;TYPE=HOME;PREF=1:1"},
		{V3, "TEL;type=CELL;type=VOICE;type=pref:1", "TEL;TYPE=CELL,VOICE;PREF=1:1"},
		{V3, `TEL;TYPE="cell,voice":1`, "TEL;TYPE=cell,voice:1"},
		{V3, "EMAIL;TYPE=INTERNET,HOME:a@b", "EMAIL;TYPE=HOME:a@b"},
		{V3, "NOTE;CHARSET=UTF-8:ä", "NOTE:ä"},
		{V3, `URL:http\://example.org/a\,b`, "URL:http://example.org/a,b"},
		{V3, "PHOTO;BASE64;TYPE=image/png:iVBORw0K Ggo=", "PHOTO:data:image/png;base64,iVBORw0KGgo="},
		{V3, "PHOTO;ENCODING=b:/9j/4AAQ", "PHOTO:data:image/jpeg;base64,/9j/4AAQ"},
		{V3, "BDAY;VALUE=date:19850412", "BDAY:19850412"},
		{V3, "BDAY:1985-04-12T00:00:00.000Z", "BDAY:19850412T000000Z"},
		{V3, "BDAY:--04-12", "BDAY:--0412"},
		{V3, "BDAY:1985", "BDAY:1985"},
		{V3, "BDAY:1985-02-30", "BDAY;VALUE=text:1985-02-30"},
		{V3, "X-EVOLUTION-ANNIVERSARY:2009-08-08", "ANNIVERSARY:20090808"},
		{V3, "X-ANNIVERSARY:2009-08-08\nANNIVERSARY:2009-08-08", "ANNIVERSARY:20090808"},
		{V3, "X-ANNIVERSARY:2010-08-08\nANNIVERSARY:2009-08-08", "X-ANNIVERSARY:2010-08-08\nANNIVERSARY:20090808"},
		{V3, "item1.X-ABDATE:2009-08-08\nitem1.X-ABLABEL:_$!<Anniversary>!$_\nitem2.X-ABDATE:2010-08-08\nitem2.X-ABLABEL:_$!<Anniversary>!$_\nX-ANNIVERSARY:2009-08-08",
			"ANNIVERSARY:20090808\nitem2.X-ABDATE:2010-08-08\nitem2.X-ABLABEL:_$!<Anniversary>!$_"},
		{V3, "PROFILE:VCARD", ""},
		{V3, "AGENT;VALUE=uri:mailto:bob@example.org", "RELATED;TYPE=agent:mailto:bob@example.org"},
		{V3, "UID:1234", "UID;VALUE=text:1234"},
		{V3, "UID:urn:uuid:1", "UID:urn:uuid:1"},
		{V4, "UID;VALUE=text:1234", "UID:1234"},
		{V4, "TEL;VALUE=uri;PREF=1;TYPE=\"voice,home\":tel:+1-555-555-5555;ext=5555", "TEL;TYPE=voice,home,pref:+1-555-555-5555 x5555"},
		{V4, "TEL;PREF=2:1\nTEL;PREF=1:2\nTEL:3", "TEL:1\nTEL;TYPE=pref:2\nTEL:3"},
		{V4, "CLIENTPIDMAP:1;urn:uuid:1\nEMAIL;PID=1.1:a@b", "EMAIL:a@b"},
		{V4, "N;ALTID=1;LANGUAGE=jp:x;;;;\nN;ALTID=1;LANGUAGE=en;PREF=1:y;;;;", "N;LANGUAGE=en:y;;;;"},
		{V4, "BDAY:1985-04", "BDAY;VALUE=text:1985-04"},
		{V4, "BDAY;CALSCALE=gregorian:19850412", "BDAY:1985-04-12"},
		{V4, "KIND:individual", ""},
		{V4, "PHOTO:data:image/gif,GIF%38", "PHOTO;ENCODING=b;TYPE=GIF:R0lGOA=="},
		{V4, "NOTE:data:not a uri", "NOTE:data:not a uri"},
	} {
		name := "N:A;B;;;\n"
		if strings.HasPrefix(c.in, "N;") {
			name = ""
		}
		from, to := V3, V4
		if c.from == V4 {
			from, to = V4, V3
		}
		got := parse(t, card("VERSION:"+from+"\nFN:Alice\n"+name+c.in)).Convert(to)
		want := "VERSION:" + to + "\nFN:Alice\n" + name + c.want
		if strings.TrimSpace(lines(got)) != strings.TrimSpace(want) {
			t.Errorf("%s: got\n%swant\n%s", c.in, lines(got), want)
		}
	}
}

// 3.0 has to have an N, and one FN.
func TestConvertMakesName(t *testing.T) {
	got := parse(t, card("VERSION:4.0", `FN;PREF=2:Bob`, `FN;PREF=1:Alice\; really`)).Convert(V3)
	if want := "VERSION:3.0\nFN:Alice\\; really\nN:Alice\\; really;;;;\n"; lines(got) != want {
		t.Errorf("got\n%swant\n%s", lines(got), want)
	}
}

// The card that is converted is left as it was.
func TestConvertChangesNothing(t *testing.T) {
	for _, c := range both {
		c3 := parse(t, card("VERSION:3.0\nFN:A\n"+c.v3))
		before := lines(c3)
		c3.Convert(V4)
		if lines(c3) != before {
			t.Errorf("got\n%swant\n%s", lines(c3), before)
		}
	}
}

// go-vcard reads what we write as we mean it.
func TestConvertSecondOpinion(t *testing.T) {
	c := parse(t, card("VERSION:3.0", "UID:1", `FN:Alice\, really`, "N:Liddell;Alice;;;", "item1.TEL;TYPE=CELL;TYPE=pref:+43 1",
		"item1.X-ABLABEL:boat", "TEL;TYPE=HOME:2", "BDAY:1985-04-12", "X-ADDRESSBOOKSERVER-KIND:group",
		"X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:2", "PHOTO;ENCODING=b;TYPE=PNG:"+strings.Repeat("iVBORw0KGgo=", 30)))
	got, err := govcard.NewDecoder(bytes.NewReader(c.Convert(V4).Encode())).Decode()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct{ name, got, want string }{
		{"VERSION", got.Value("VERSION"), "4.0"},
		{"FN", got.Value("FN"), "Alice, really"},
		{"family name", got.Name().FamilyName, "Liddell"},
		{"preferred TEL", got.PreferredValue("TEL"), "+43 1"},
		{"group", got.Preferred("TEL").Group, "item1"},
		{"BDAY", got.Value("BDAY"), "19850412"},
		{"KIND", string(got.Kind()), "group"},
		{"MEMBER", got.Value("MEMBER"), "urn:uuid:2"},
		{"PHOTO", got.Value("PHOTO"), "data:image/png;base64," + strings.Repeat("iVBORw0KGgo=", 30)},
	} {
		if v.got != v.want {
			t.Errorf("%s: got %q, want %q", v.name, v.got, v.want)
		}
	}
}
