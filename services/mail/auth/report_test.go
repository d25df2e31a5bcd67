package auth

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

const dmarcXML = `<?xml version="1.0" encoding="UTF-8" ?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
  <version>1.0</version>
  <report_metadata>
    <org_name>receiver.example</org_name>
    <email>noreply@receiver.example</email>
    <report_id>42</report_id>
    <date_range><begin>1795132800</begin><end>1795219200</end></date_range>
  </report_metadata>
  <policy_published><domain>Example.ORG</domain><adkim>r</adkim><aspf>r</aspf><p>reject</p><sp>quarantine</sp><pct>100</pct></policy_published>
  <record>
    <row><source_ip>192.0.2.1</source_ip><count>12</count>
      <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
    <identifiers><header_from>example.org</header_from></identifiers>
    <auth_results>
      <dkim><domain>example.org</domain><selector>ed</selector><result>pass</result></dkim>
      <dkim><domain>example.org</domain><selector>rsa</selector><result>pass</result></dkim>
      <spf><domain>list.example</domain><result>pass</result></spf>
    </auth_results>
  </record>
  <record>
    <row><source_ip>2001:db8::9</source_ip><count>2</count>
      <policy_evaluated><disposition>quarantine</disposition><dkim>fail</dkim><spf>fail</spf><reason><type>local_policy</type><comment>x &amp; y</comment></reason></policy_evaluated></row>
    <identifiers><envelope_from>mallory.example</envelope_from><header_from>example.org</header_from></identifiers>
    <auth_results><spf><domain>mallory.example</domain><result>softfail</result></spf></auth_results>
    <extension/>
  </record>
</feedback>
`

const tlsJSONText = `{
  "organization-name": "receiver.example",
  "date-range": {"start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-21T00:00:00Z"},
  "contact-info": "tls@receiver.example", "report-id": "43",
  "policies": [{
    "policy": {"policy-type": "sts", "policy-string": ["version: STSv1", "mode: testing"], "policy-domain": "example.org", "mx-host": "*.example.org"},
    "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
    "failure-details": [
      {"result-type": "certificate-expired", "sending-mta-ip": "2001:db8:abcd:12::1", "receiving-mx-hostname": "mx1.example.org", "failed-session-count": 100},
      {"result-type": "starttls-not-supported", "sending-mta-ip": "198.51.100.62", "receiving-mx-hostname": "mx2.example.org", "receiving-ip": "203.0.113.56", "failed-session-count": 200, "additional-information": "https://receiver.example/x"},
      {"result-type": "validation-failure", "failed-session-count": 3, "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"}]}]
}`

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

func zipped(t testing.TB, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, s := range files {
		w, err := z.Create(fmt.Sprintf("%d.xml", i))
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, s)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// attached makes a message with one attachment.
func attached(kind, file, data string) []byte {
	return lines(fmt.Sprintf("From: noreply@receiver.example\nSubject: Report\nMIME-Version: 1.0\n"+
		"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nA report is attached.\n"+
		"--b\nContent-Type: %s; name=%q\nContent-Transfer-Encoding: base64\n\n%s\n--b--\n", kind, file, base64.StdEncoding.EncodeToString([]byte(data))))
}

func TestDMARCReport(t *testing.T) {
	latin := strings.Replace(strings.Replace(dmarcXML, "UTF-8", "iso-8859-1", 1), "receiver.example<", "r\xe9ceiver.example<", 1)
	for name, raw := range map[string][]byte{
		"zip":         attached("application/zip", "r.zip", zipped(t, dmarcXML)),
		"gzip":        attached("application/gzip", "r.xml.gz", gzipped(dmarcXML)),
		"plain":       attached("text/xml", "r.xml", dmarcXML),
		"unnamed":     attached("application/octet-stream", "R.ZIP", zipped(t, dmarcXML)),
		"wrong type":  attached("application/zip", "r.zip", gzipped(dmarcXML)),
		"mark":        attached("application/gzip", "r.xml.gz", gzipped("\ufeff\r\n"+dmarcXML)),
		"latin":       attached("application/gzip", "r.xml.gz", gzipped(latin)),
		"body itself": []byte("From: a@receiver.example\r\nContent-Type: application/xml\r\n\r\n" + dmarcXML),
	} {
		r, err := ParseReport(raw)
		if err != nil || r.DMARC == nil {
			t.Errorf("%s: got %v, %v", name, r, err)
			continue
		}
		d := r.DMARC
		passed, failed := d.Count()
		got := fmt.Sprint(d.Domain, d.ID, d.Policy, d.Subdomains, len(d.Rows), passed, failed, d.Begin.Unix(), d.Rows[0].Signatures, d.Rows[0].Senders, d.Rows[1].IP, d.Rows[1].Reasons)
		want := "example.org42rejectquarantine2 12 2 1795132800 [{example.org ed pass} {example.org rsa pass}] [{list.example  pass}] 2001:db8::9 [local_policy]"
		if got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{dmarcXML, `DMARC report of receiver.example for example.org, 2026-11-20: 14 messages, 12 passed, 2 did not.
2 messages from 2001:db8::9 as example.org, put aside as junk; not signed; SPF of mallory.example: softfail; because of local_policy
`},
		{strings.Replace(dmarcXML, "<dkim>fail</dkim>", "<dkim>pass</dkim>", 1), "DMARC report of receiver.example for example.org, 2026-11-20: 14 messages, all passed.\n"},
		{tlsJSONText, `TLS report of receiver.example for example.org, 2026-11-20: 5326 connections encrypted, 303 failed.
100 connections: our certificate had expired, at mx1.example.org, from 2001:db8:abcd:12::1
200 connections: our server did not offer STARTTLS, at mx2.example.org, from 198.51.100.62
3 connections: TLS failed, code X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED
`},
		{strings.Replace(dmarcXML, "<org_name>", "<org_name>&#10;\u202e\u0085", 1), "DMARC"},
	} {
		r, err := readReport([]byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Summary(); got != c.want && c.want != "DMARC" {
			t.Errorf("got %s, want %s", got, c.want)
		}
		if s := r.Summary(); strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x202e }) {
			t.Errorf("control characters in %q", s)
		}
	}
}

func TestTLSReport(t *testing.T) {
	for name, raw := range map[string][]byte{
		"gzip":  attached("application/tlsrpt+gzip", "r.json.gz", gzipped(tlsJSONText)),
		"plain": attached("application/tlsrpt+json", "r.json", tlsJSONText),
	} {
		r, err := ParseReport(raw)
		if err != nil || r.TLS == nil || len(r.TLS.Policies) != 1 {
			t.Errorf("%s: got %v, %v", name, r, err)
			continue
		}
		p := r.TLS.Policies[0]
		if got, want := fmt.Sprint(p.Kind, p.Domain, p.Text, p.MX, p.Succeeded, p.Failed, len(p.Failures), r.TLS.End.Unix()),
			"stsexample.org[version: STSv1 mode: testing] [*.example.org] 5326 303 3 1795219200"; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestNoReport(t *testing.T) {
	for name, raw := range map[string][]byte{
		"mail":       plain,
		"a page":     attached("text/xml", "r.xml", "<html><body>x</body></html>"),
		"other JSON": attached("application/json", "r.json", `{"a": 1}`),
		"no files":   attached("application/zip", "r.zip", zipped(t)),
		"a picture":  attached("application/octet-stream", "r.zip", "GIF89a"),
	} {
		if r, err := ParseReport(raw); !errors.Is(err, ErrNoReport) {
			t.Errorf("%s: got %v, %v, want ErrNoReport", name, r, err)
		}
	}
}

// TestBombs has reports that are much longer than they look, or that become so in
// memory: each is an error, and costs no more than maxGrown.
func TestBombs(t *testing.T) {
	const maxGrown = 128 << 20
	within := func(tag, filling string, n int) string {
		return "<feedback><policy_published><domain>example.org</domain></policy_published>" + strings.Repeat(filling, n) + "</feedback>" + tag
	}
	row := "<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row></record>"
	for name, data := range map[string]string{
		"zeros, gzip":      gzipped("<a>" + strings.Repeat("\x00", 1<<20)),
		"spaces, gzip":     gzipped(strings.Repeat(" ", 1<<20)),
		"spaces, zip":      zipped(t, "<a>"+strings.Repeat(" ", 1<<20)),
		"depth":            gzipped(strings.Repeat("<a>", 1<<20)),
		"attributes":       gzipped("<a" + strings.Repeat(" b=''", 1<<20) + ">"),
		"name":             gzipped("<" + strings.Repeat("b", 1<<20) + ">"),
		"comment":          gzipped("<!--" + strings.Repeat("<b>", 1<<20) + "-->"),
		"doctype":          gzipped("<!DOCTYPE a [" + strings.Repeat("<!ENTITY b 'c'>", 1<<16) + "]><a/>"),
		"entity":           `<!DOCTYPE a [<!ENTITY b "ccc"><!ENTITY d "&b;&b;">]><feedback>&d;</feedback>`,
		"outside entity":   `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><feedback>&b;</feedback>`,
		"rows":             gzipped(within("", row, 60_000)),
		"signatures":       gzipped(within("", "<record>"+strings.Repeat("<auth_results><dkim><domain>a</domain></dkim></auth_results>", 200)+"</record>", 1)),
		"errors":           gzipped(within("", "<report_metadata><error>x</error></report_metadata>", 200)),
		"many files":       zipped(t, make([]string, 100)...),
		"half a zip":       zipped(t, dmarcXML)[:200],
		"half a gzip":      gzipped(dmarcXML)[:200],
		"half a report":    dmarcXML[:600],
		"trailing":         within("<", "", 0),
		"crossed":          "<feedback><a></feedback></a>",
		"policies":         `{"policies": [` + strings.Repeat("{},", 200) + "{}]}",
		"failures":         `{"policies": [{"failure-details": [` + strings.Repeat("{},", 2000) + "{}]}]}",
		"policy texts":     `{"policies": [{"policy": {"policy-string": [` + strings.Repeat(`"",`, 2000) + `""]}}]}`,
		"JSON depth":       `{"policies": ` + strings.Repeat("[", 1<<20),
		"JSON, other type": `{"policies": [{"summary": {"total-successful-session-count": "x"}}]}`,
		"JSON, long":       gzipped(`{"policies": [], "x": "` + strings.Repeat("x", 5<<20) + `"}`),
		"no time":          strings.Replace(dmarcXML, "1795132800", "-1", 1),
		"no number":        strings.Replace(dmarcXML, ">12<", ">99999999999999999999<", 1),
		"no address":       strings.Replace(dmarcXML, "192.0.2.1", "localhost", 1),
		"no domain":        strings.Replace(dmarcXML, "Example.ORG", "", 1),
		"character set":    strings.Replace(dmarcXML, "UTF-8", "utf-7", 1),
	} {
		raw := attached("application/gzip", "r.gz", data)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := ParseReport(raw)
		runtime.ReadMemStats(&after)
		if err == nil || errors.Is(err, ErrNoReport) {
			t.Errorf("%s: got %+v, %v, want an error", name, r, err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > maxGrown {
			t.Errorf("%s: %d MiB were allocated", name, grown>>20)
		}
	}
}

// TestUnpacked stops at maxUnpacked, whatever is claimed.
func TestUnpacked(t *testing.T) {
	long := strings.Repeat(" ", maxUnpacked+1)
	for name, data := range map[string]string{"zip": zipped(t, long), "gzip": gzipped(long), "plain": long} {
		u, err := unpack([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, u); n != maxUnpacked || !errors.Is(err, errTooLong) {
			t.Errorf("%s: got %d bytes, %v, want %d and errTooLong", name, n, err, maxUnpacked)
		}
	}
}

func FuzzReport(f *testing.F) {
	for _, s := range []string{dmarcXML, tlsJSONText, gzipped(dmarcXML), zipped(f, dmarcXML), "<feedback/>", "<feedback><record/></feedback>", `{"policies":null}`, "<?xml version='1.0' encoding='windows-1252'?><feedback>\x80</feedback>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := readReport(data)
		if err == nil && !strings.HasSuffix(r.Summary(), "\n") {
			t.Errorf("summary is %q", r.Summary())
		}
		ParseReport(data)
	})
}
