"""Sends with smtplib and reads with imaplib: all that programs written in Python do.
Arguments: SMTP, submission and IMAP as HOST:PORT, the password of alice and bob."""
import imaplib, smtplib, ssl, sys, time
from email.message import EmailMessage
from email.policy import SMTPUTF8

(relay, submission, imap), password = (a.rsplit(":", 1) for a in sys.argv[1:4]), sys.argv[4]
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE


def check(answer):
    kind, data = answer
    assert kind == "OK", answer
    return data


def letter(subject, to="alice@localhost", sender="bob@localhost"):
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = sender, to, subject
    m.set_content("Grüß Gott.\n")
    m.add_attachment(bytes(range(256)) * 100, maintype="application", subtype="octet-stream", filename="bytes")
    return m


# Without a log-in, from elsewhere, to an address with letters beyond ASCII in it.
with smtplib.SMTP(*relay) as s:
    s.starttls(context=context)
    s.ehlo("client.example.org")
    for ext in ("pipelining", "8bitmime", "smtputf8", "chunking", "binarymime", "size", "dsn", "enhancedstatuscodes"):
        assert s.has_extn(ext), ext
    s.send_message(letter("früh", sender="jürgen@example.org"), to_addrs=["alice+grün@localhost"])
    try:
        s.sendmail("carol@example.org", ["nobody@localhost", "carol@elsewhere.example"], "x")
        raise AssertionError("nobody was taken")
    except smtplib.SMTPRecipientsRefused as e:
        assert [code for code, _ in e.recipients.values()] == [550, 550], e.recipients
    code, text = s.docmd("VRFY", "alice")
    assert code in (252, 502), (code, text)

for tls in (False, True):
    with smtplib.SMTP(*submission) as s:
        if tls:
            s.starttls(context=context)
        s.login("bob", password)
        m = letter("late")
        m["Bcc"] = "carol@localhost"
        s.sendmail("bob@localhost", ["alice@localhost"], m.as_bytes(policy=SMTPUTF8), rcpt_options=["NOTIFY=NEVER"])

with imaplib.IMAP4(*imap) as m:
    m.starttls(context)
    m.login("alice", password)
    folders = b"\n".join(check(m.list()))
    for special in (rb"\Drafts", rb"\Sent", rb"\Junk", rb"\Trash", rb"\Archive"):
        assert special in folders, folders
    assert check(m.select("INBOX")) == [b"3"]
    assert b"UTF8" in check(m.fetch("1", "(BODY.PEEK[HEADER.FIELDS (RECEIVED)])"))[0][1]
    for n in ("2", "3"):
        text = check(m.fetch(n, "(BODY.PEEK[])"))[0][1]
        assert b"\r\nMessage-ID: <" in text and b"\r\nDate: " in text and b"Bcc" not in text, text
    assert b"\\Seen" not in check(m.fetch("1", "(FLAGS)"))[0]
    assert check(m.search(None, "SUBJECT", "late")) == [b"2 3"]
    assert check(m.search("UTF-8", "TEXT", "gott")) == [b"1 2 3"]
    assert check(m.thread("REFERENCES", "UTF-8", "ALL"))
    assert check(m.sort("(REVERSE DATE)", "UTF-8", "ALL"))[0].split()
    check(m.create("Club"))
    check(m.uid("MOVE", "2", "Club"))
    check(m.store("1", "+FLAGS", r"(\Flagged $Important)"))
    check(m.append("Drafts", r"\Draft", imaplib.Time2Internaldate(time.time()), letter("draft").as_bytes(policy=SMTPUTF8)))
    assert check(m.status("Club", "(MESSAGES UIDNEXT)")) == [b'"Club" (MESSAGES 1 UIDNEXT 2)'] or check(m.status("Club", "(MESSAGES)"))
    check(m.store("2", "+FLAGS", r"\Deleted"))
    assert check(m.expunge())[-1] == b"2"  # imaplib has kept the one of MOVE, too
    check(m.getquotaroot("INBOX"))
