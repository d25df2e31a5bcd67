package sieve

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestActions runs the scripts in testdata over letter. Each file there has scripts, whose first line says
// in a comment what they want done.
func TestActions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(data).Files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+f.Name, func(t *testing.T) {
				first, _, _ := strings.Cut(string(f.Data), "\n")
				want := strings.TrimPrefix(first, "# ")
				if got := runOn(t, string(f.Data), letter); got != want {
					t.Errorf("%s\n got %s\nwant %s", f.Data, got, want)
				}
			})
		}
	}
}

const requireAll = `require ["envelope", "subaddress", "relational", "comparator-i;ascii-numeric", "body", "date", "index",
"variables", "imap4flags", "mailbox", "special-use", "encoded-character", "fileinto"];
`

// holds are tests, and whether they hold of letter.
var holds = []struct {
	test string
	want bool
}{
	{`true`, true},
	{`not true`, false},
	{`allof (true, not false, anyof (false, true))`, true},
	{`anyof (false, false)`, false},

	// RFC 5228 §5.7, §2.7
	{`header "subject" "[club]  Make money fäst"`, true},
	{`header "SUBJECT" "[CLUB]  make MONEY fäst"`, true},
	{`header :comparator "i;octet" "subject" "[CLUB]  Make money fäst"`, false},
	{`header :contains "Subject" ["nothing", "MONEY"]`, true},
	{`header :contains ["X-None", "Subject"] "money"`, true},
	{`header :contains "X-None" ""`, false},
	{`header :contains "X-Empty" ""`, true},
	{`header :is "X-Empty" ""`, true},
	{`header :matches "Subject" "*make*f?st"`, true},
	{`header :matches "Subject" "make*"`, false},
	{`header :matches "Subject" "\\[club\\]*"`, true},
	{`header :matches "Subject" "[club*?*?*?*"`, true},
	{`header :matches "X-Count" "??"`, true},
	{`header :matches "X-Count" "???"`, false},
	{`header :matches "X-Empty" "*"`, true},
	{`header :matches "X-Empty" "?*"`, false},
	{`header :contains "From" "böb"`, true},
	{`exists ["from", "to", "x-empty"]`, true},
	{`exists ["from", "x-none"]`, false},
	{`exists "from:"`, false},
	{`header :contains "not a name" ""`, false},
	{`size :over 100`, true},
	{`size :over 1K`, false},
	{`size :under 1M`, true},

	// RFC 5228 §5.1, §5.4, RFC 5233
	{`address "from" "bob@elsewhere.example"`, true},
	{`address :all "from" "Böb <bob@elsewhere.example>"`, false},
	{`address :localpart "to" "carol"`, true},
	{`address :domain ["cc", "to"] "lists.example"`, true},
	{`address :user "to" "alice"`, true},
	{`address :detail "to" "club"`, true},
	{`envelope "from" "bob@elsewhere.example"`, true},
	{`envelope :domain "to" "example.org"`, true},
	{`envelope :detail "to" "club"`, true},
	{`envelope :localpart "to" "alice"`, false},

	// RFC 5231
	{`header :count "eq" "received" "2"`, true},
	{`header :count "ge" :comparator "i;ascii-numeric" ["received", "x-none"] "10"`, false},
	{`header :value "gt" :comparator "i;ascii-numeric" "x-count" "9"`, true},
	{`header :value "gt" "x-count" "9"`, false},
	{`header :value "eq" :comparator "i;ascii-numeric" "x-count" "017 apples"`, true},
	{`header :value "gt" :comparator "i;ascii-numeric" "subject" "99999999999999999999999999"`, true},
	{`address :count "eq" ["to", "cc"] "3"`, true},

	// RFC 5260
	{`date "date" "date" "2026-11-03"`, true},
	{`date :originalzone "date" "hour" "23"`, true},
	{`date "date" "hour" "21"`, true},
	{`date :zone "+0530" "date" "iso8601" "2026-11-04T03:00:00+05:30"`, true},
	{`date :index 2 "received" "weekday" "1"`, true},
	{`date :index 1 :last "received" "weekday" "1"`, true},
	{`date :originalzone "date" "std11" "Tue, 03 Nov 2026 23:30:00 +0200"`, true},
	{`date :originalzone "date" "julian" "61347"`, true},
	{`date :value "ge" "date" "year" "2027"`, false},
	{`date "x-none" "year" "2026"`, false},
	{`currentdate "time" "08:09:10"`, true},
	{`currentdate :zone "-0500" "hour" "03"`, true},
	{`allof (currentdate :value "ge" "date" "2026-11-01", currentdate :value "le" "date" "2026-11-30")`, true},
	{`header :index 2 :contains "received" "c.example"`, true},
	{`header :index 1 :contains "received" "c.example"`, false},
	{`header :index 3 :contains "received" "example"`, false},
	{`header :index 1 :last :contains "received" "c.example"`, true},

	// RFC 5173
	{`body :contains "opens at nine"`, true},
	{`body :contains "café"`, true},
	{`body :raw :contains "caf=C3=A9"`, true},
	{`body :raw :contains "Subject"`, false},
	{`body :raw :contains "secret bytes"`, false},
	{`body :content "application" :contains "secret bytes"`, true},
	{`body :content "text" :contains "secret bytes"`, false},
	{`body :content ["text/plain"] :contains "nine"`, true},
	{`body :content "multipart" :contains "preamble"`, true},
	{`body :content "multipart/mixed" :contains "epilogue"`, true},
	{`body :content "" :contains "nine"`, true},
	{`body :content "text/" :contains "nine"`, false},

	// RFC 5229 §5
	{`string "a" "A"`, true},
	{`string :matches "${none}" ""`, true},
	{`string :count "eq" ["a", "", "${none}"] "1"`, true},

	// RFC 5490, RFC 8579
	{`mailboxexists "Spam"`, true},
	{`mailboxexists ["Spam", "Other"]`, false},
	{`specialuse_exists "\\Junk"`, true},
	{`specialuse_exists "Spam" "\\Junk"`, true},
	{`specialuse_exists "INBOX" "\\Junk"`, false},
	{`specialuse_exists ["\\Junk", "\\Trash"]`, false},

	// RFC 5228 §2.4.2.4
	{`string "$${hex:40}" "$@"`, true},
	{`string "${hex: 40 }" "@"`, true},
	{`string "${HEX: 40}" "@"`, true},
	{`string "${hex:4${hex:30}}" "${hex:40}"`, false},
	{`string "${unicode:E9}t${UNICODE: 0000e9}" "été"`, true},
}

// TestTests asks what holds of letter.
func TestTests(t *testing.T) {
	for _, c := range holds {
		want := "implicit"
		if c.want {
			want = "file yes"
		}
		if got := runOn(t, requireAll+"if "+c.test+` { fileinto "yes"; }`, letter); got != want {
			t.Errorf("%s: got %s, want %s", c.test, got, want)
		}
	}
}

// mistakes are scripts, and what is said about them.
var mistakes = []struct{ script, want string }{
	{"keep", `parse: line 1, column 5: behind keep there should be ";", but the script ends`},
	{"keep;\n  stob;", `parse: line 2, column 3: there is no command "stob"`},
	{"# ü\nif header \"a\" \"ü\" \"b\" { }", `parse: line 2, column 19: header takes no such argument`},
	{`fileinto "x";`, `parse: line 1, column 1: fileinto needs require "fileinto" at the beginning of the script`},
	{`require "fileinto"; fileinto :copy "x";`, `parse: line 1, column 30: :copy needs require "copy" at the beginning of the script`},
	{`keep; require "fileinto";`, `parse: line 1, column 7: require stands at the beginning of the script, before everything else`},
	{`else { }`, `parse: line 1, column 1: else stands behind the block of an if or an elsif`},
	{`if true { keep; `, `parse: line 1, column 17: at the end of the block of if there should be "}", but the script ends`},
	{`if true keep;`, `parse: line 1, column 9: true takes no test`},
	{`if keep { }`, `parse: line 1, column 4: keep is no test but something to be done`},
	{`true;`, `parse: line 1, column 1: true is a test: it stands behind if`},
	{`if header :is :contains "a" "b" { }`, `parse: line 1, column 15: there may be one of :is and :contains`},
	{`if header "a" :is "b" { }`, `parse: line 1, column 15: options such as :is stand before the other arguments`},
	{`if header :over "a" "b" { }`, `parse: line 1, column 11: header has no option :over`},
	{`if header :comparator "i;klingon" "a" "b" { }`, `parse: line 1, column 23: there is no comparator "i;klingon"; there are: i;ascii-casemap, i;octet, i;ascii-numeric`},
	{`if size 10 { }`, `parse: line 1, column 4: size has one of the options :over and :under`},
	{`if size :over "10" { }`, `parse: line 1, column 15: size should have a number here, but there is a string`},
	{`if size :over 99999999999G { }`, `parse: line 1, column 15: this number is too large`},
	{`if size :over 10X { }`, `parse: line 1, column 17: behind a number there may be K, M or G, and nothing else`},
	{`if address "subject" "c" { }`, `parse: line 1, column 12: the field subject holds no addresses that can be asked for: use the test header`},
	{`if allof () { }`, `parse: line 1, column 11: a test should begin here, but there is ")"`},
	{`if not { }`, `parse: line 1, column 4: not takes one test, not 0`},
	{`keep { }`, `parse: line 1, column 1: keep has no block: it ends with a semicolon`},
	{`if true;`, `parse: line 1, column 1: if lacks its block, in braces`},
	{`redirect "nobody";`, `parse: line 1, column 10: "nobody" is no address of mail`},
	{`redirect "a@b.example, c@d.example";`, `parse: line 1, column 10: "a@b.example, c@d.example" is no address of mail`},
	{`if header "a" ["b" "c"] { }`, `parse: line 1, column 20: at the end of a list there should be "]", but there is a string`},
	{`if header "a" [] { }`, `parse: line 1, column 16: in a list there should be a string, but there is "]"`},
	{`keep "x`, `parse: line 1, column 6: this string has no end: it ends with a quotation mark`},
	{"keep text: x\n.\n;", `parse: line 1, column 11: the text begins on the line behind text:`},
	{"keep text:\nx\n", `parse: line 1, column 6: this text has no end: it ends with a line that is a dot`},
	{`/* keep;`, `parse: line 1, column 1: this comment has no end: it ends with */`},
	{`keep %;`, `parse: line 1, column 6: '%' has no meaning here`},
	{`keep; }`, `parse: line 1, column 7: a command should begin here, but there is "}"`},
	{"keep; \xff", `parse: line 1, column 7: this is no text: a script is written in UTF-8`},
	{"keep; \x00", `parse: line 1, column 7: this is no text: a script is written in UTF-8`},
	{`require "variables"; set "1a" "b";`, `parse: line 1, column 26: "1a" is no name of a variable: it has letters, digits and _, and begins with no digit`},
	{`require "variables"; set "a" "${b.c}";`, `parse: line 1, column 30: there is no variable "b.c": names with a dot belong to extensions, and none that is here has any`},
	{`require "encoded-character"; redirect "${unicode:110000}@b.example";`, `parse: line 1, column 39: there is no character 110000 in Unicode`},
	{`require "vacation"; vacation :days 1 :days 2 "x";`, `parse: line 1, column 38: there may be one of :days and :days`},
	{`require "vacation"; vacation :seconds 1 "x";`, `parse: line 1, column 30: :seconds needs require "vacation-seconds" at the beginning of the script`},
	{strings.Repeat("if true { ", 33), `parse: line 1, column 324: blocks and tests lie more than 32 deep in one another`},
	{"if " + strings.Repeat("not ", 33) + "true {}", `parse: line 1, column 132: blocks and tests lie more than 32 deep in one another`},
	{strings.Repeat("#", MaxScript+1), `parse: line 1, column 65537: the script is too long: it may have 65536 bytes`},

	{`require "reject"; keep; reject "no";`, `run: line 1, column 25: a message that is kept, sent on or answered cannot be rejected`},
	{`require "reject"; reject "no"; keep;`, `run: line 1, column 32: keep cannot be done to a message that is rejected`},
	{`require "vacation"; vacation "a"; vacation "b";`, `run: line 1, column 35: a message is answered by vacation once`},
	{`require "variables"; set "a" "nobody"; redirect "${a}";`, `run: line 1, column 49: "nobody" is no address of mail`},
	{`redirect "a@x.example"; redirect "b@x.example"; redirect "c@x.example"; redirect "d@x.example"; redirect "e@x.example"; redirect "f@x.example";`,
		`run: line 1, column 121: a message can be redirected to 5 addresses and no more`},
}

// TestMistakes makes sure that mistakes have names and places.
func TestMistakes(t *testing.T) {
	for _, c := range mistakes {
		if got := runOn(t, c.script, letter); got != c.want {
			t.Errorf("%.80s:\n got %s\nwant %s", c.script, got, c.want)
		}
	}
	if got := runOn(t, `require ["nonsense"];`, letter); !strings.HasPrefix(got, `parse: line 1, column 10: there is no extension "nonsense" here; there are: body, `) {
		t.Errorf("got %s", got)
	}
}
