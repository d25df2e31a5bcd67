# What Debian's python3-dkim, python3-spf and python3-authres make of messages. Each line of
# standard input is a question in JSON, {"do": …, "raw": base64, "args": […]}, and each
# line of output its answer, a string. Names are resolved over TCP at a port of 127.0.0.1.
import base64
import ipaddress
import json
import sys

import authres as authres_package
import dkim
import dns.message
import dns.query
import dns.rdatatype
import spf as spf_package

port = int(sys.argv[1])


def answers(name, kind):
    if isinstance(name, bytes):
        name = name.decode()
    return dns.query.tcp(dns.message.make_query(name, kind), "127.0.0.1", port=port, timeout=300).answer


def txt(name, timeout=5):
    for rrset in answers(name, "TXT"):
        for rd in rrset:
            return b"".join(rd.strings)
    return None


def verify(raw):
    """Returns a word for each DKIM-Signature."""
    out = []
    for i in range(len([1 for name, _ in dkim.DKIM(raw).headers if name.lower() == b"dkim-signature"])):
        try:
            out.append("pass" if dkim.DKIM(raw).verify(idx=i, dnsfunc=txt) else "fail")
        except dkim.DKIMException:
            out.append("fail")
    return " ".join(out)


def sign(raw, domain, selector, keyfile, algorithm, head, body, length):
    key = open(keyfile, "rb").read()
    d = dkim.DKIM(raw, signature_algorithm=algorithm.encode(), linesep=b"\r\n")
    return d.sign(selector.encode(), domain.encode(), key, canonicalize=(head.encode(), body.encode()), length=length == "l").decode()


def arcverify(raw):
    cv, _, _ = dkim.arc_verify(raw, dnsfunc=txt)
    return (cv or b"ended").decode()


def arcsign(raw, domain, selector, keyfile, srv_id):
    key = open(keyfile, "rb").read()
    return b"".join(dkim.arc_sign(raw, selector.encode(), domain.encode(), key, srv_id.encode(), linesep=b"\r\n")).decode()


def authres(raw):
    """Returns the author and a line for each result."""
    parsed = authres_package.AuthenticationResultsHeader.parse(raw.decode().replace("\r\n", " ").strip())
    out = [parsed.authserv_id]
    for r in parsed.results:
        out.append(" ".join([r.method, r.result] + ["%s.%s=%s" % (p.type, p.name, p.value) for p in r.properties]))
    return "\n".join(out)


def lookup(name, kind, strict=True, timeout=20):
    """Is python3-spf's way of asking the DNS."""
    out = []
    for rrset in answers(name, kind):
        for rd in rrset:
            key = (rrset.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(rd.rdtype))
            if key[1] == "TXT":
                out.append((key, rd.strings))
            elif key[1] == "MX":
                out.append((key, (rd.preference, rd.exchange.to_text(omit_final_dot=True))))
            elif key[1] == "PTR":
                out.append((key, rd.target.to_text(omit_final_dot=True)))
            else:
                out.append((key, ipaddress.ip_address(rd.address)))
    return out


def spf(raw, ip, sender, helo):
    spf_package.DNSLookup = lookup
    return spf_package.query(i=ip, s=sender, h=helo).check()[0]


for line in sys.stdin:
    q = json.loads(line)
    print(json.dumps(globals()[q["do"]](base64.b64decode(q["raw"] or ""), *q["args"] or [])), flush=True)
