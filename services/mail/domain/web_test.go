package domain

import (
	"context"
	"encoding/xml"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func newWeb() *Web {
	return &Web{
		Find: func(_ context.Context, domain string) (*Setup, error) {
			if domain != "example.org" {
				return nil, fs.ErrNotExist
			}
			s := example
			return &s, nil
		},
		Default: func(context.Context) string { return "example.org" },
		Ports:   Standard,
	}
}

func ask(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	w := httptest.NewRecorder()
	if !Handles(r) {
		w.Code = http.StatusTeapot
	} else {
		newWeb().ServeHTTP(w, r)
	}
	return w.Code, w.Body.String()
}

// clientConfig is what Thunderbird reads of the answer.
type clientConfig struct {
	Provider struct {
		ID string `xml:"id,attr"`
		In []struct {
			Type               string `xml:"type,attr"`
			Hostname, Username string
			Port               int    `xml:"port"`
			Host               string `xml:"hostname"`
			Socket             string `xml:"socketType"`
			User               string `xml:"username"`
		} `xml:"incomingServer"`
		Out []struct {
			Port int `xml:"port"`
		} `xml:"outgoingServer"`
	} `xml:"emailProvider"`
}

func TestAutoconfig(t *testing.T) {
	for url, user := range map[string]string{
		"http://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=alice%40example.org": "alice@example.org",
		"http://autoconfig.example.org/mail/config-v1.1.xml":                                  "%EMAILADDRESS%",
		"http://example.org/.well-known/autoconfig/mail/config-v1.1.xml":                      "%EMAILADDRESS%",
		"http://192.0.2.7:8080/.well-known/autoconfig/mail/config-v1.1.xml":                   "%EMAILADDRESS%",
		"http://autoconfig.x/mail/config-v1.1.xml?emailaddress=a%26b%40example.org":           "a&b@example.org",
	} {
		code, body := ask(t, "GET", url, "")
		var c clientConfig
		if err := xml.Unmarshal([]byte(body), &c); code != 200 || err != nil {
			t.Errorf("%s: %d, %v\n%s", url, code, err, body)
			continue
		}
		p := c.Provider
		if p.ID != "example.org" || len(p.In) != 2 || len(p.Out) != 2 || p.In[0].Host != "mail.example.org" || p.In[0].Port != 993 || p.In[0].Socket != "SSL" || p.In[0].User != user {
			t.Errorf("%s: got %+v", url, p)
		}
	}
	for url, want := range map[string]int{
		"http://autoconfig.x/mail/config-v1.1.xml?emailaddress=alice%40elsewhere.example": 404,
		"http://autoconfig.x/mail/config-v1.1.xml?emailaddress=%3Cscript%3E":              400,
		"http://x/else": 418, "http://example.org/mail/config-v1.1.xml": 418,
	} {
		if code, body := ask(t, "GET", url, ""); code != want {
			t.Errorf("%s: %d, want %d\n%s", url, code, want, body)
		}
	}
}

func TestAutodiscover(t *testing.T) {
	const url = "http://autodiscover.example.org/Autodiscover/Autodiscover.xml"
	body := `<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>alice@example.org</EMailAddress></Request></Autodiscover>`
	code, answer := ask(t, "POST", url, body)
	var a struct {
		Protocols []struct {
			Type, Server, LoginName, Encryption string
			Port                                int
		} `xml:"Response>Account>Protocol"`
	}
	if err := xml.Unmarshal([]byte(answer), &a); code != 200 || err != nil || len(a.Protocols) != 2 || a.Protocols[0].Server != "mail.example.org" ||
		a.Protocols[0].Port != 993 || a.Protocols[1].Type != "SMTP" || a.Protocols[1].LoginName != "alice@example.org" {
		t.Errorf("%d, %v, %+v\n%s", code, err, a, answer)
	}
	for body, want := range map[string]int{
		"": 400, "<x/>": 400, strings.Replace(body, "example.org", "elsewhere.example", 1): 404,
		"<Autodiscover><Request>" + strings.Repeat("<a>", 20000): 400,
	} {
		if code, _ := ask(t, "POST", url, body); code != want {
			t.Errorf("%.60q: %d, want %d", body, code, want)
		}
	}
	if code, _ := ask(t, "GET", url, ""); code != 405 {
		t.Errorf("GET: %d", code)
	}
}

func TestPolicy(t *testing.T) {
	code, body := ask(t, "GET", "https://mta-sts.example.org/.well-known/mta-sts.txt", "")
	if code != 200 || body != "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 2592000\r\n" {
		t.Errorf("%d\n%s", code, body)
	}
	if code, _ := ask(t, "GET", "https://mta-sts.elsewhere.example/.well-known/mta-sts.txt", ""); code != 404 {
		t.Errorf("another domain: %d", code)
	}
	if code, _ := ask(t, "GET", "https://example.org/.well-known/mta-sts.txt", ""); code != 418 {
		t.Errorf("at another name: %d", code)
	}
}

func FuzzAutodiscover(f *testing.F) {
	f.Add("<Autodiscover><Request><EMailAddress>a@example.org</EMailAddress></Request></Autodiscover>")
	f.Fuzz(func(t *testing.T, body string) {
		code, answer := ask(t, "POST", "http://x/autodiscover/autodiscover.xml", body)
		if code != 200 {
			return
		}
		if err := xml.Unmarshal([]byte(answer), new(struct{})); err != nil {
			t.Errorf("%v\n%s", err, answer)
		}
	})
}
