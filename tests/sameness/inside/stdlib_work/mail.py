"""Mail: messages, mailboxes, and protocols spoken to canned answers."""

from __future__ import annotations

import contextlib
import email
import email.charset
import email.contentmanager
import email.encoders
import email.generator
import email.header
import email.headerregistry
import email.iterators
import email.message
import email.mime.application
import email.mime.audio
import email.mime.base
import email.mime.image
import email.mime.message
import email.mime.multipart
import email.mime.text
import email.parser
import email.policy
import email.quoprimime
import email.utils
import ftplib
import imaplib
import io
import mailbox
import os
import poplib
import smtplib
import tempfile
from typing import Any

from .tools import CannedSocket, attempt

MAIL = b"""\
From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>, "B, C" <b@[1.2.3.4]>, Group: a@b.c, d@e.f;
To: undisclosed-recipients:;
Subject: =?iso-8859-1?b?6Q==?= plain
 folded =?bad
Date: Mon, 05 Feb 2024 10:11:12 +0100
MIME-Version: 1.0 (comment)
Message-ID: <x.y@z>
Content-Type: multipart/mixed; boundary="BB"; charset*=utf-8'en'x%20y

preamble
--BB
Content-Type: text/plain; charset=utf-8; format=flowed
Content-Transfer-Encoding: quoted-printable

caf=C3=A9 =
more
--BB
Content-Type: application/octet-stream; name*0="a"; name*1="b.bin"
Content-Disposition: attachment; filename="q.bin"
Content-Transfer-Encoding: base64

AAECAwQ=
--BB
Content-Type: message/rfc822

Subject: inner
X-Broken

body
--BB--
epilogue
"""


def _take_apart(policy: email.policy.Policy[Any]) -> None:
    message = email.message_from_bytes(MAIL, policy=policy)
    for part in message.walk():
        part.items(), part.get_content_type(), part.get_filename(), part.get_params()
        part.get_content_charset(), part.get_boundary(), part.defects
        part.get_payload(decode=True), part.get_content_disposition(), part.is_multipart()
        part.get_all("from"), part.get_unixfrom()
        for name, value in part.items():
            for attribute in (
                "addresses",
                "groups",
                "datetime",
                "params",
                "content_type",
                "cte",
                "version",
                "fold",
            ):
                with contextlib.suppress(Exception):
                    getattr(value, attribute)
    message.as_string(), message.as_bytes(), attempt(message.__setitem__, "To", "x\ny")
    str(message), message.keys(), "to" in message, len(message)
    message.replace_header("Subject", "new"), message.add_header("X-A", "v", p="é", q=None)
    message.set_param("z", "1"), message.del_param("z"), message.set_type("multipart/alternative")
    with contextlib.redirect_stdout(io.StringIO()):
        email.iterators._structure(message)
    list(email.iterators.typed_subpart_iterator(message))
    list(email.iterators.body_line_iterator(message))
    email.generator.DecodedGenerator(io.StringIO()).flatten(email.message_from_bytes(MAIL))


def _fold(name: str, text: str) -> None:
    made = email.policy.default.header_factory(name, text)
    for attribute in ("addresses", "defects", "params"):
        attempt(getattr, made, attribute)
    made.fold(policy=email.policy.default.clone(max_line_length=40)), str(made)


def work_email_parse() -> None:
    for policy in (
        email.policy.compat32,
        email.policy.default,
        email.policy.SMTP,
        email.policy.strict.clone(raise_on_defect=False),
    ):
        attempt(_take_apart, policy)
    feed = email.parser.BytesFeedParser()
    for start in range(0, len(MAIL), 50):
        feed.feed(MAIL[start : start + 50])
    feed.close(), email.parser.HeaderParser().parsestr("A: b\n\nbody")
    email.message_from_string("no header here\n"), email.message_from_file(io.StringIO("A: b\n"))
    for text in (
        '"a b" <c@d.e>', "a@b (comment (nested))", "<>", "a@", "=?utf-8?q?x?= y <z@w>", "x: ;",
        "a b c", '"unclosed <a@b>', "a@[::1]", "<@r,@s:a@b>", "é <é@x>", "a.b.@c", ",,",
    ):  # fmt: skip
        attempt(_fold, "To", text)
        email.utils.parseaddr(text), email.utils.getaddresses([text, "x@y"])
    for name, text in (
        ("Content-Type", 'text/x; a*0*=utf-8\'\'%e2; a*1="b"; a*1=c; ;'), ("Content-Type", "junk"),
        ("Content-Disposition", "attachment; filename*=''x"), ("Date", "bad date"),
        ("MIME-Version", "1.x"), ("MIME-Version", ""), ("Content-Transfer-Encoding", "7bit extra"),
        ("Message-ID", "<a@b> x"), ("Message-ID", "<[x]>"), ("Subject", "x" * 200 + " é" * 90),
    ):  # fmt: skip
        attempt(_fold, name, text)


def work_email_make() -> None:
    message = email.message.EmailMessage()
    local = "é".encode("idna").decode()
    message["To"] = email.headerregistry.Address("É X", local, "example.org")
    message["From"] = email.headerregistry.Group(
        "g",
        (email.headerregistry.Address(addr_spec="a@b.c"),),
    )
    message["Subject"] = "naïve " * 30
    message.set_content("text é\n" * 5), message.add_alternative("<p>é</p>", subtype="html")
    message.add_attachment(b"\0\1", maintype="image", subtype="png", filename="é.png")
    message.get_body(("html",)).add_related(b"x", "audio", "wav", cid="<c>")
    list(message.iter_attachments()), message.get_body(("plain",)).get_content()
    list(message.iter_parts())
    message.as_bytes(policy=email.policy.SMTP), message.as_string(policy=email.policy.SMTPUTF8)
    attempt(message.make_related), attempt(message.__setitem__, "Subject", "two")
    attempt(email.headerregistry.Address, "x", "a b", addr_spec="q"), message.clear_content()
    message.clear(), message.set_content("x" * 2000, cte="8bit")
    for content in (b"bytes", ["x"], email.message.EmailMessage()):
        attempt(
            email.message.EmailMessage().set_content,
            content,
            *(("application", "x") if isinstance(content, bytes) else ()),
        )
    outer = email.mime.multipart.MIMEMultipart("related", "bound")
    for part in (
        email.mime.text.MIMEText("é", _charset="utf-8"), email.mime.text.MIMEText("ascii"),
        email.mime.image.MIMEImage(b"\x89PNG\r\n\x1a\n" + b"0" * 40),
        email.mime.application.MIMEApplication(b"x"),
        email.mime.audio.MIMEAudio(b"RIFF....WAVEfmt ", "wav"),
        email.mime.message.MIMEMessage(email.message_from_string("A: b\n\nc")),
        email.mime.base.MIMEBase("a", "b"),
    ):  # fmt: skip
        outer.attach(part)
    outer.preamble = "p"
    outer.as_string(unixfrom=True), email.encoders.encode_noop(part)
    email.encoders.encode_7or8bit(outer.get_payload()[0]), email.encoders.encode_noop(part)
    header = email.header.Header("word " * 30, "us-ascii", header_name="S", maxlinelen=40)
    header.append("é" * 60, "utf-8"), header.append(b"\xe9", "latin-1"), header.encode()
    str(header), header == "x"
    email.header.make_header(email.header.decode_header("=?utf-8?b?w6k=?= x =?iso-8859-1?q?=E9?="))
    attempt(email.header.decode_header, "=?utf-8?b?w6?=")
    email.charset.Charset("iso-8859-2").header_encode("x")
    email.charset.Charset("utf-8").body_encode("é"), repr(email.charset.Charset("gb2312"))
    email.charset.add_charset("x-odd", email.charset.QP, None, "x")
    email.charset.add_alias("odd", "x-odd"), email.charset.add_codec("x-odd", "ascii")
    email.utils.formataddr(("É", "a@b.c")), email.utils.formatdate(0, localtime=False)
    email.utils.format_datetime(
        email.utils.parsedate_to_datetime("Mon, 1 Jan 2024 00:00:00 GMT"),
        usegmt=True,
    )
    for text in (
        "Mon, 1 Jan 24 00:00 EST",
        "1 Jan 2024 0:0:0.5 -0530",
        "junk",
        "Jan 1 2024",
        "",
        "1-Jan-2024 12.30.10 Z",
        "Thu, 31 feb 71",
    ):
        email.utils.parsedate_tz(text), email.utils.parsedate(text)
    email.utils.make_msgid("x", domain="d"), email.utils.decode_rfc2231("utf-8''x%20")
    email.utils.encode_rfc2231("é", "utf-8")
    email.utils.collapse_rfc2231_value(("utf-8", "", "x"))
    email.utils.mktime_tz((2024, 1, 1, 0, 0, 0, 0, 1, 0, 3600))
    email.quoprimime.body_encode("é=\t \n" * 9 + "x" * 90), email.quoprimime.header_decode("a_=41")
    email.quoprimime.decode("=41=\n=Z")


def work_mailbox() -> None:
    with tempfile.TemporaryDirectory() as top:
        for kind in (mailbox.Maildir, mailbox.mbox, mailbox.MH, mailbox.Babyl, mailbox.MMDF):
            box = kind(os.path.join(top, kind.__name__))
            box.lock()
            key = box.add(MAIL)
            other = (
                box.add(email.message_from_bytes(MAIL)),
                box.add("A: b\n\nFrom here\n"),
                box.add(io.BytesIO(b"X: y\n\nz\n")),
            )
            box.flush(), box.get_bytes(key), box.get_string(key), box.get_file(key).read()
            box.keys(), len(box), key in box, list(box.items())
            message = box[key]
            for target in (
                mailbox.MaildirMessage,
                mailbox.mboxMessage,
                mailbox.MHMessage,
                mailbox.BabylMessage,
                mailbox.MMDFMessage,
                mailbox.Message,
            ):
                target(message)
            box[key] = message
            box.pop(other[0]), box.discard("nothing" if kind is mailbox.Maildir else 99)
            box.get("no"), attempt(box.remove, 77), box.update({}), box.flush(), box.unlock()
            box.clear(), box.close()
        folder = mailbox.Maildir(os.path.join(top, "Maildir")).add_folder("sub")
        folder.add("x"), folder.list_folders(), mailbox.MH(os.path.join(top, "MH")).get_sequences()
        mailbox.Maildir(os.path.join(top, "Maildir")).list_folders()
        flags = mailbox.MaildirMessage()
        flags.set_flags("SF"), flags.add_flag("R"), flags.remove_flag("S"), flags.set_subdir("cur")
        flags.get_info(), mailbox.mboxMessage(flags).get_flags()


def work_mail_protocols() -> None:
    class Smtp(smtplib.SMTP):
        def _get_socket(self, *_: Any) -> Any:
            return CannedSocket(
                b"220 hi\r\n250-h\r\n250-SIZE 10\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n250 "
                b"8BITMIME\r\n334 PDE+\r\n235 ok\r\n250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n250 "
                b"done\r\n250 reset\r\n250 v\r\n250 n\r\n221 bye\r\n"
            )

    with contextlib.redirect_stderr(io.StringIO()):
        client = Smtp("h", 25, local_hostname="l")
        client.set_debuglevel(1), client.ehlo(), attempt(client.login, "u", "p")
        attempt(client.sendmail, "a@b", ["c@d", "e@f"], "text\n.dot\n"), attempt(client.rset)
        attempt(client.verify, "x"), attempt(client.noop), attempt(client.quit)
        attempt(client.noop)
        smtplib.quoteaddr("A <a@b>"), smtplib.quotedata("a\n.b")
        str(smtplib.SMTPSenderRefused(1, b"m", "s")), attempt(client.starttls)

    class Ftp(ftplib.FTP):
        pass

    client_ftp = Ftp()
    client_ftp.sock = CannedSocket(b"")  # type: ignore[assignment]
    client_ftp.file = io.TextIOWrapper(
        io.BytesIO(
            b'331 pw\r\n230 in\r\n257 "/a""b" made\r\n200-multi\r\n more\r\n200 end\r\n213 77\r\n'
            b"550 gone\r\n421 later\r\n350 rnfr\r\n250 rnto\r\n250 ok\r\n9xx\r\n"
        ),
        "latin-1",
    )
    client_ftp.login("u", "p"), client_ftp.mkd("/x"), client_ftp.sendcmd("HELP")
    client_ftp.size("f"), attempt(client_ftp.delete, "f"), attempt(client_ftp.cwd, "..")
    client_ftp.rename("a", "b"), client_ftp.cwd("d"), attempt(client_ftp.pwd)
    attempt(client_ftp.sendcmd, "a\nb"), client_ftp.sanitize("pass secret")
    ftplib.parse227("227 ok (1,2,3,4,5,6)"), ftplib.parse257('257 "x"')
    ftplib.parse150("150 x (33 bytes)"), attempt(ftplib.parse229, "229 (|||5|)", ("h", 1))
    attempt(ftplib.parse227, "1"), ftplib.print_line


def work_mailbox_protocols() -> None:
    class Pop(poplib.POP3):
        def _create_socket(self, timeout: Any) -> Any:
            return CannedSocket(
                b"+OK hi <x@y>\r\n+OK\r\n+OK\r\n+OK 2 320\r\n+OK\r\n1 5\r\n..dot\r\n.\r\n-ERR "
                b"no\r\n+OK\r\na\r\n.\r\n+OK\r\nCAP x y\r\n.\r\n+OK 1 5\r\n+OK bye\r\n"
            )

    pop = Pop("h")
    pop.user("u"), pop.pass_("p"), pop.stat(), pop.list(), attempt(pop.retr, 1), pop.top(1, 2)
    pop.capa(), pop.uidl(1), pop.quit()

    class Imap(imaplib.IMAP4):
        def open(self, host: str = "", port: int = 0, timeout: Any = None) -> None:
            self.sock = CannedSocket(b"")  # type: ignore[assignment]
            self.asked = 0

        def readline(self) -> bytes:
            self.asked += 1
            if self.asked < 3:
                return (b"* OK hi\r\n", b"* CAPABILITY IMAP4REV1\r\n")[self.asked - 1]
            return b"%s%d OK done\r\n" % (self.tagpre, self.asked - 3)

        def send(self, data: Any) -> None: ...
        def shutdown(self) -> None: ...

    import random

    random.seed(5)
    imap = Imap()
    attempt(imap.login, "u", "p"), imap.select("box"), imap.search(None, "ALL")
    attempt(imap.fetch, "1", "(FLAGS)"), attempt(imap.uid, "BOGUS"), imap.response("X")
    imaplib.Int2AP(99), imaplib.ParseFlags(b"(\\Seen)")
    imaplib.Internaldate2tuple(b'INTERNALDATE "01-Jan-2024 00:00:00 +0000"')
    imaplib.Time2Internaldate(0), attempt(imap.logout)
