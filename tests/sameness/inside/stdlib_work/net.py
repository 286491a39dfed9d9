"""Mail, the web, markup: protocols spoken to canned answers, no socket is opened."""

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
import http
import http.client
import http.cookiejar
import http.cookies
import http.server
import imaplib
import io
import mailbox
import os
import poplib
import smtplib
import socketserver
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import urllib.response
import urllib.robotparser
import webbrowser
import wsgiref.handlers
import wsgiref.headers
import wsgiref.simple_server
import wsgiref.util
import wsgiref.validate
import xml.dom
import xml.dom.minidom
import xml.dom.pulldom
import xml.etree.ElementInclude
import xml.etree.ElementTree
import xml.sax
import xml.sax.saxutils
import xmlrpc.client
import xmlrpc.server
from typing import Any

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


def _attempt(function: Any, *arguments: Any, **named: Any) -> None:
    try:
        function(*arguments, **named)
    except Exception as error:
        str(error)


class CannedSocket:
    """Gives answers that were written before the questions."""

    def __init__(self, answers: bytes) -> None:
        self.answers = io.BytesIO(answers)
        self.sent = b""

    def makefile(self, mode: str = "r", *_: Any, **__: Any) -> Any:
        return io.BufferedReader(self.answers) if "b" in mode else io.TextIOWrapper(self.answers, encoding="latin-1")

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def recv(self, size: int) -> bytes:
        return self.answers.read(size)

    def setsockopt(self, *_: Any) -> None: ...
    def settimeout(self, *_: Any) -> None: ...
    def shutdown(self, *_: Any) -> None: ...
    def close(self) -> None: ...


def _take_apart(policy: email.policy.Policy[Any]) -> None:
    message = email.message_from_bytes(MAIL, policy=policy)
    for part in message.walk():
        part.items(), part.get_content_type(), part.get_filename(), part.get_params(), part.get_content_charset(), part.get_boundary(), part.defects
        part.get_payload(decode=True), part.get_content_disposition(), part.is_multipart(), part.get_all("from"), part.get_unixfrom()
        for name, value in part.items():
            for attribute in ("addresses", "groups", "datetime", "params", "content_type", "cte", "version", "fold"):
                with contextlib.suppress(Exception):
                    getattr(value, attribute)
    message.as_string(), message.as_bytes(), _attempt(message.__setitem__, "To", "x\ny"), str(message), message.keys(), "to" in message, len(message)
    message.replace_header("Subject", "new"), message.add_header("X-A", "v", p="é", q=None), message.set_param("z", "1"), message.del_param("z"), message.set_type("multipart/alternative")
    with contextlib.redirect_stdout(io.StringIO()):
        email.iterators._structure(message)
    list(email.iterators.typed_subpart_iterator(message)), list(email.iterators.body_line_iterator(message))
    email.generator.DecodedGenerator(io.StringIO()).flatten(email.message_from_bytes(MAIL))

def _fold(name: str, text: str) -> None:
    made = email.policy.default.header_factory(name, text)
    for attribute in ("addresses", "defects", "params"):
        _attempt(getattr, made, attribute)
    made.fold(policy=email.policy.default.clone(max_line_length=40)), str(made)


def work_email_parse() -> None:
    for policy in (email.policy.compat32, email.policy.default, email.policy.SMTP, email.policy.strict.clone(raise_on_defect=False)):
        _attempt(_take_apart, policy)
    feed = email.parser.BytesFeedParser()
    for start in range(0, len(MAIL), 50):
        feed.feed(MAIL[start : start + 50])
    feed.close(), email.parser.HeaderParser().parsestr("A: b\n\nbody"), email.message_from_string("no header here\n"), email.message_from_file(io.StringIO("A: b\n"))
    for text in (
        '"a b" <c@d.e>', "a@b (comment (nested))", "<>", "a@", "=?utf-8?q?x?= y <z@w>", "x: ;", "a b c", '"unclosed <a@b>', "a@[::1]", "<@r,@s:a@b>", "é <é@x>", "a.b.@c", ",,",
    ):  # fmt: skip
        _attempt(_fold, "To", text)
        email.utils.parseaddr(text), email.utils.getaddresses([text, "x@y"])
    for name, text in (
        ("Content-Type", 'text/x; a*0*=utf-8\'\'%e2; a*1="b"; a*1=c; ;'), ("Content-Type", "junk"), ("Content-Disposition", "attachment; filename*=''x"), ("Date", "bad date"),
        ("MIME-Version", "1.x"), ("MIME-Version", ""), ("Content-Transfer-Encoding", "7bit extra"), ("Message-ID", "<a@b> x"), ("Message-ID", "<[x]>"), ("Subject", "x" * 200 + " é" * 90),
    ):  # fmt: skip
        _attempt(_fold, name, text)


def work_email_make() -> None:
    message = email.message.EmailMessage()
    message["To"] = email.headerregistry.Address("É X", "é".encode("idna").decode(), "example.org")
    message["From"] = email.headerregistry.Group("g", (email.headerregistry.Address(addr_spec="a@b.c"),))
    message["Subject"] = "naïve " * 30
    message.set_content("text é\n" * 5), message.add_alternative("<p>é</p>", subtype="html"), message.add_attachment(b"\0\1", maintype="image", subtype="png", filename="é.png")
    message.get_body(("html",)).add_related(b"x", "audio", "wav", cid="<c>"), list(message.iter_attachments()), message.get_body(("plain",)).get_content(), list(message.iter_parts())
    message.as_bytes(policy=email.policy.SMTP), message.as_string(policy=email.policy.SMTPUTF8), _attempt(message.make_related), _attempt(message.__setitem__, "Subject", "two")
    _attempt(email.headerregistry.Address, "x", "a b", addr_spec="q"), message.clear_content(), message.clear(), message.set_content("x" * 2000, cte="8bit")
    for content in (b"bytes", ["x"], email.message.EmailMessage()):
        _attempt(email.message.EmailMessage().set_content, content, *(("application", "x") if isinstance(content, bytes) else ()))
    outer = email.mime.multipart.MIMEMultipart("related", "bound")
    for part in (
        email.mime.text.MIMEText("é", _charset="utf-8"), email.mime.text.MIMEText("ascii"), email.mime.image.MIMEImage(b"\x89PNG\r\n\x1a\n" + b"0" * 40), email.mime.application.MIMEApplication(b"x"),
        email.mime.audio.MIMEAudio(b"RIFF....WAVEfmt ", "wav"), email.mime.message.MIMEMessage(email.message_from_string("A: b\n\nc")), email.mime.base.MIMEBase("a", "b"),
    ):  # fmt: skip
        outer.attach(part)
    outer.preamble = "p"
    outer.as_string(unixfrom=True), email.encoders.encode_quopri(part) if False else None, email.encoders.encode_7or8bit(outer.get_payload()[0]), email.encoders.encode_noop(part)
    header = email.header.Header("word " * 30, "us-ascii", header_name="S", maxlinelen=40)
    header.append("é" * 60, "utf-8"), header.append(b"\xe9", "latin-1"), header.encode(), str(header), header == "x", email.header.make_header(email.header.decode_header("=?utf-8?b?w6k=?= x =?iso-8859-1?q?=E9?="))
    _attempt(email.header.decode_header, "=?utf-8?b?w6?="), email.charset.Charset("iso-8859-2").header_encode("x"), email.charset.Charset("utf-8").body_encode("é"), repr(email.charset.Charset("gb2312"))
    email.charset.add_charset("x-odd", email.charset.QP, None, "x"), email.charset.add_alias("odd", "x-odd"), email.charset.add_codec("x-odd", "ascii")
    email.utils.formataddr(("É", "a@b.c")), email.utils.formatdate(0, localtime=False), email.utils.format_datetime(email.utils.parsedate_to_datetime("Mon, 1 Jan 2024 00:00:00 GMT"), usegmt=True)
    for text in ("Mon, 1 Jan 24 00:00 EST", "1 Jan 2024 0:0:0.5 -0530", "junk", "Jan 1 2024", "", "1-Jan-2024 12.30.10 Z", "Thu, 31 feb 71"):
        email.utils.parsedate_tz(text), email.utils.parsedate(text)
    email.utils.make_msgid("x", domain="d"), email.utils.decode_rfc2231("utf-8''x%20"), email.utils.encode_rfc2231("é", "utf-8"), email.utils.collapse_rfc2231_value(("utf-8", "", "x")), email.utils.mktime_tz((2024, 1, 1, 0, 0, 0, 0, 1, 0, 3600))
    email.quoprimime.body_encode("é=\t \n" * 9 + "x" * 90), email.quoprimime.header_decode("a_=41"), email.quoprimime.decode("=41=\n=Z")


def work_mailbox() -> None:
    with tempfile.TemporaryDirectory() as top:
        for kind in (mailbox.Maildir, mailbox.mbox, mailbox.MH, mailbox.Babyl, mailbox.MMDF):
            box = kind(os.path.join(top, kind.__name__))
            box.lock()
            key = box.add(MAIL)
            other = box.add(email.message_from_bytes(MAIL)), box.add("A: b\n\nFrom here\n"), box.add(io.BytesIO(b"X: y\n\nz\n"))
            box.flush(), box.get_bytes(key), box.get_string(key), box.get_file(key).read(), box.keys(), len(box), key in box, list(box.items())
            message = box[key]
            for target in (mailbox.MaildirMessage, mailbox.mboxMessage, mailbox.MHMessage, mailbox.BabylMessage, mailbox.MMDFMessage, mailbox.Message):
                target(message)
            box[key] = message
            box.pop(other[0]), box.discard("nothing" if kind is mailbox.Maildir else 99), box.get("no"), _attempt(box.remove, 77), box.update({}), box.flush(), box.unlock(), box.clear(), box.close()
        folder = mailbox.Maildir(os.path.join(top, "Maildir")).add_folder("sub")
        folder.add("x"), folder.list_folders(), mailbox.MH(os.path.join(top, "MH")).get_sequences(), mailbox.Maildir(os.path.join(top, "Maildir")).list_folders()
        flags = mailbox.MaildirMessage()
        flags.set_flags("SF"), flags.add_flag("R"), flags.remove_flag("S"), flags.set_subdir("cur"), flags.get_info(), mailbox.mboxMessage(flags).get_flags()


def work_urllib() -> None:
    parse = urllib.parse
    for url in ("http://u:p@h.org:80/p;x?q=1&q=2#f", "//h/p", "mailto:a@b", "http://[::1]:x/", "?q", "", "scheme:rel", b"http://b/c", "http://h/é ü", "svn+ssh://h/x", "HTTP://H", "http:///x"):
        split = parse.urlsplit(url)
        split.geturl(), split.username, split.password, split.hostname, parse.urldefrag(url), parse.urlunparse(parse.urlparse(url)), _attempt(lambda s=split: s.port)
        for base in ("http://a/b/c/d;p?q", "file:///x"):
            _attempt(parse.urljoin, base, url), parse.urljoin(base, "../../../g"), parse.urljoin(base, "./g;x=1/../y"), parse.urljoin(base, "g?y/./x")
    parse.quote("a b/é", safe=""), parse.unquote("%C3%A9%zz+"), parse.quote_plus("a b"), parse.unquote_plus("a+b"), parse.unquote_to_bytes("%41"), parse.quote_from_bytes(b"\xff"), parse.quote(b"x")
    parse.urlencode({"a": [1, 2], "b": "é"}, doseq=True), parse.urlencode([("a", b"x")]), parse.parse_qs("a=1&a=2&b=&c", keep_blank_values=True), _attempt(parse.parse_qsl, "a&b", strict_parsing=True), _attempt(parse.parse_qsl, "a=1&b=2", max_num_fields=1)
    _attempt(parse.urlsplit, "http://[bad/"), _attempt(parse.urlencode, 5), _attempt(parse.urljoin, "a", b"b"), parse.unwrap("<URL:http://x>") if hasattr(parse, "unwrap") else 0
    with tempfile.TemporaryDirectory() as top:
        path = os.path.join(top, "f.txt")
        with open(path, "w", encoding="utf-8") as out:
            out.write("data")
        opener = urllib.request.build_opener()
        for url in ("file://" + urllib.request.pathname2url(path), "data:text/plain;base64,eA==", "data:,x%20y"):
            with opener.open(url) as response:
                response.read(), response.info(), response.geturl(), response.headers, repr(response)
        for url in ("nosuch://x", "file:///no/such/file", "data:x", "http://"):
            _attempt(opener.open, url)
    request = urllib.request.Request("http://u:p@h/p?q#f", data=b"x", headers={"A": "b"}, origin_req_host="o")
    request.get_method(), request.full_url, request.has_header("A"), request.add_unredirected_header("B", "c"), request.header_items(), request.get_full_url(), request.set_proxy("p", "http"), request.remove_header("A")
    passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
    passwords.add_password(None, "http://h/", "u", "p", is_authenticated=True), passwords.find_user_password("r", "http://h/x"), passwords.is_authenticated("http://h/x"), urllib.request.getproxies_environment(), urllib.request.proxy_bypass_environment("h", {"no": "x,.y,h"})
    urllib.request.parse_keqv_list(urllib.request.parse_http_list('a="b", c=d')), urllib.request.HTTPRedirectHandler().redirect_request(urllib.request.Request("http://a"), None, 302, "m", {}, "http://b c")
    error = urllib.error.HTTPError("http://x", 404, "gone", {}, io.BytesIO(b""))  # type: ignore[arg-type]
    str(error), error.reason, error.headers, repr(error), error.close(), str(urllib.error.URLError("r")), str(urllib.error.ContentTooShortError("m", b""))
    robots = urllib.robotparser.RobotFileParser("http://x/robots.txt")
    robots.parse("User-agent: a\nDisallow: /x\nAllow: /\nCrawl-delay: 3\nRequest-rate: 1/5\n\nUser-agent: *\nDisallow:\nSitemap: http://s\nbad\n# c\n".splitlines())
    robots.can_fetch("a", "/x/y"), robots.can_fetch("b", "/"), robots.crawl_delay("a"), robots.request_rate("a"), robots.site_maps(), str(robots), robots.mtime()
    with contextlib.suppress(webbrowser.Error):
        webbrowser.get("no-such-browser")
    webbrowser.register("sameness", None, webbrowser.GenericBrowser("true")), webbrowser.get("sameness").open("http://x"), webbrowser.get("true %s")


def work_http_client() -> None:
    answers = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n5;x\r\nhello\r\n3\r\nabc\r\n0\r\nT: r\r\n\r\n",
        b"HTTP/1.0 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", b"junk\r\n", b"", b"HTTP/1.1 99 x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"HTTP/1.1 301 x\r\nLocation: y\r\nContent-Length: x\r\n\r\n",
    )  # fmt: skip
    for answer in answers:
        for body in (None, b"data", io.BytesIO(b"file"), [b"a", b"b"], "text"):
            connection = http.client.HTTPConnection("h:81")
            connection.sock = CannedSocket(answer)  # type: ignore[assignment]
            try:
                connection.request("POST" if body else "GET", "/p", body, {"X": "y"})
                response = connection.getresponse()
                response.getheaders(), response.getheader("A"), response.read(3), response.peek() if response.fp else 0, response.readline(), response.read(), response.isclosed(), repr(response), response.info()
            except (http.client.HTTPException, ValueError, OSError):
                pass
            connection.close()
    connection = http.client.HTTPConnection("[::1]:80", timeout=5)
    connection.set_tunnel("t", 5, {"A": "b"}), _attempt(connection.putheader, "a", "b"), _attempt(http.client.HTTPConnection, "h:x"), _attempt(connection.putrequest, "GET", "/ x"), _attempt(connection.putrequest, "G\n", "/")
    http.HTTPStatus(404).phrase, http.HTTPStatus.OK.description, repr(http.HTTPMethod.GET), http.HTTPStatus(200).is_success if hasattr(http.HTTPStatus, "is_success") else 0
    jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(blocked_domains=["b.org"], strict_ns_domain=4))
    request = urllib.request.Request("http://www.acme.com/path/x")
    head = http.client.HTTPMessage()
    for text in ("a=b; path=/; domain=.acme.com; expires=Wed, 01 Jan 2098 00:00:00 GMT; secure", "c=d; max-age=5", "e=f; version=1; port=\"80\"", "g", "h=i; domain=other.com", "k=v; discard; comment=x"):
        head["Set-Cookie"] = text
    head["Set-Cookie2"] = 'n="m"; version=1; path="/path"'

    class Response:
        def info(self) -> Any:
            return head

    jar.extract_cookies(Response(), request), jar.add_cookie_header(request), list(jar), len(jar), repr(jar), str(jar), jar.clear_session_cookies(), jar.clear_expired_cookies(), jar.make_cookies(Response(), request)
    with tempfile.TemporaryDirectory() as top:
        for kind in (http.cookiejar.MozillaCookieJar, http.cookiejar.LWPCookieJar):
            stored = kind(os.path.join(top, kind.__name__))
            for cookie in jar.make_cookies(Response(), request):
                stored.set_cookie(cookie)
            stored.save(ignore_discard=True), stored.load(ignore_discard=True), stored.revert(), _attempt(kind(os.path.join(top, "none")).load)
    for text in ("Wed, 09 Feb 1994 22:23:32 GMT", "1994-02-03 14:15:29", "09-Feb-94", "bad", "08-Feb-94 3:00 PM", "20240101T101112Z"):
        http.cookiejar.http2time(text), http.cookiejar.iso2time(text)
    http.cookiejar.split_header_words(['a="b\\"c"; d, e=f']), http.cookiejar.join_header_words([[("a", "b c"), ("d", None)]]), http.cookiejar.time2netscape(0), http.cookiejar.is_HDN("a.b"), http.cookiejar.user_domain_match("x.y", ".y")
    morsels = http.cookies.SimpleCookie('a="b\\054c"; d=e; $Path=/; f')
    morsels["x"] = "y z"
    morsels["x"]["max-age"] = 5
    morsels["x"]["secure"] = True
    morsels.output(), morsels.js_output(), repr(morsels), morsels["x"].OutputString(["path"]), morsels["x"] == morsels["x"].copy(), _attempt(morsels["x"].__setitem__, "bogus", 1), _attempt(morsels.load, "a b=c"), http.cookies.SimpleCookie({"q": "1"})


def work_servers() -> None:
    class Request:
        def __init__(self, data: bytes) -> None:
            self.data, self.out = data, io.BytesIO()

        def makefile(self, mode: str, *_: Any) -> Any:
            return io.BytesIO(self.data)

        def sendall(self, data: bytes) -> None:
            self.out.write(data)

        def settimeout(self, *_: Any) -> None: ...
        def setsockopt(self, *_: Any) -> None: ...

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, form: str, *arguments: Any) -> None:
            form % arguments

    class Server:
        server_name, server_port, base_environ = "h", 80, {"SERVER_NAME": "h"}

        def get_app(self) -> Any:
            return wsgiref.validate.validator(wsgiref.simple_server.demo_app)

    with tempfile.TemporaryDirectory() as top:
        with open(os.path.join(top, "f.html"), "w", encoding="utf-8") as out:
            out.write("page")
        os.mkdir(os.path.join(top, "d"))
        for line in (
            b"GET / HTTP/1.1", b"GET /f.html HTTP/1.0", b"HEAD /d HTTP/1.1", b"GET /none HTTP/1.1", b"BREW / HTTP/1.1", b"GET /x HTTP/9", b"bad", b"GET /%2e%2e/ HTTP/1.1", b"", b"GET / HTTP/x.y", b"PUT", b"GET /f.html HTTP/1.1\r\nIf-Modified-Since: Mon, 01 Jan 2096 00:00:00 GMT",
        ):  # fmt: skip
            Quiet(Request(line + b"\r\nHost: h\r\nConnection: close\r\n\r\n"), ("1.2.3.4", 5), Server(), directory=top)  # type: ignore[arg-type]

    class Handler(wsgiref.simple_server.WSGIRequestHandler):
        def log_message(self, form: str, *arguments: Any) -> None: ...

    with contextlib.redirect_stderr(io.StringIO()):
        for line in (b"GET /a?b=c HTTP/1.0", b"POST /x HTTP/1.0\r\nContent-Length: 1\r\nContent-Type: text/plain"):
            _attempt(Handler, Request(line + b"\r\nA: b\r\n\r\n"), ("1.2.3.4", 5), Server())

        def failing(environ: Any, start: Any) -> Any:
            start("200 OK", [])
            raise ValueError("app")

        for app in (wsgiref.simple_server.demo_app, failing):
            environ: dict[str, Any] = {}
            wsgiref.util.setup_testing_defaults(environ)
            wsgiref.handlers.SimpleHandler(io.BytesIO(), io.BytesIO(), io.StringIO(), environ).run(app)
        wsgiref.util.request_uri(environ), wsgiref.util.application_uri(environ), wsgiref.util.shift_path_info(environ), wsgiref.util.guess_scheme(environ), wsgiref.util.is_hop_by_hop("te"), list(wsgiref.util.FileWrapper(io.BytesIO(b"x" * 9), 4))
    headers = wsgiref.headers.Headers([("A", "b")])
    headers.add_header("C", "d", e="f", g=None), headers.setdefault("A", "z"), headers.get_all("a"), bytes(headers), headers.keys(), "A" in headers, repr(headers), headers.__delitem__("A"), headers.__setitem__("A", "q"), len(headers), headers.items()
    dispatcher = xmlrpc.server.SimpleXMLRPCDispatcher(allow_none=True)
    dispatcher.register_introspection_functions(), dispatcher.register_multicall_functions(), dispatcher.register_function(divmod), dispatcher.register_instance(os.path, allow_dotted_names=True)
    for name, arguments in (("divmod", (7, 2)), ("divmod", (1, 0)), ("nothing", ()), ("system.listMethods", ()), ("system.methodHelp", ("divmod",)), ("basename", ("/a/b",)), ("system.multicall", ([{"methodName": "divmod", "params": [5, 3]}],))):
        answer = dispatcher._marshaled_dispatch(xmlrpc.client.dumps(arguments, name).encode())
        _attempt(xmlrpc.client.loads, answer)
    xmlrpc.client.loads(xmlrpc.client.dumps(([1, True, 1.5, "é", None, {"a": [b"x"]}, xmlrpc.client.DateTime(0), 2**33],), "m", allow_none=True, encoding="utf-8") if False else xmlrpc.client.dumps(([1, True, 1.5, "<é>", None, {"a": [b"x"]}],), "m", allow_none=True))
    xmlrpc.client.dumps(xmlrpc.client.Fault(1, "f")), _attempt(xmlrpc.client.dumps, (object(),)), _attempt(xmlrpc.client.dumps, (2**70,)), repr(xmlrpc.client.ServerProxy("http://h/x")), xmlrpc.client.DateTime("20200101T00:00:00") < xmlrpc.client.DateTime("20210101T00:00:00"), xmlrpc.client.gzip_decode(xmlrpc.client.gzip_encode(b"x"))

    class Documented(xmlrpc.server.SimpleXMLRPCDispatcher, xmlrpc.server.XMLRPCDocGenerator):
        def __init__(self) -> None:
            xmlrpc.server.SimpleXMLRPCDispatcher.__init__(self)
            xmlrpc.server.XMLRPCDocGenerator.__init__(self)

    documented = Documented()
    documented.register_function(os.path.join)
    documented.set_server_title("t"), documented.generate_html_documentation()

    class Echo(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(self.rfile.readline())

    Echo(Request(b"x\n"), ("h", 1), None)  # type: ignore[arg-type]
    with socketserver.TCPServer(("127.0.0.1", 0), Echo, bind_and_activate=False) as server:
        server.fileno(), server.get_request if False else None, server.shutdown_request


def work_mail_protocols() -> None:
    class Smtp(smtplib.SMTP):
        def _get_socket(self, *_: Any) -> Any:
            return CannedSocket(
                b"220 hi\r\n250-h\r\n250-SIZE 10\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n250 8BITMIME\r\n334 PDE+\r\n235 ok\r\n250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n250 done\r\n250 reset\r\n250 v\r\n250 n\r\n221 bye\r\n"
            )

    with contextlib.redirect_stderr(io.StringIO()):
        client = Smtp("h", 25, local_hostname="l")
        client.set_debuglevel(1), client.ehlo(), _attempt(client.login, "u", "p"), _attempt(client.sendmail, "a@b", ["c@d", "e@f"], "text\n.dot\n"), _attempt(client.rset), _attempt(client.verify, "x"), _attempt(client.noop), _attempt(client.quit), _attempt(client.noop)
        smtplib.quoteaddr("A <a@b>"), smtplib.quotedata("a\n.b"), str(smtplib.SMTPSenderRefused(1, b"m", "s")), _attempt(client.starttls)

    class Ftp(ftplib.FTP):
        pass

    client_ftp = Ftp()
    client_ftp.sock = CannedSocket(b"")  # type: ignore[assignment]
    client_ftp.file = io.TextIOWrapper(io.BytesIO(b'331 pw\r\n230 in\r\n257 "/a""b" made\r\n200-multi\r\n more\r\n200 end\r\n213 77\r\n550 gone\r\n421 later\r\n350 rnfr\r\n250 rnto\r\n250 ok\r\n9xx\r\n'), "latin-1")
    client_ftp.login("u", "p"), client_ftp.mkd("/x"), client_ftp.sendcmd("HELP"), client_ftp.size("f"), _attempt(client_ftp.delete, "f"), _attempt(client_ftp.cwd, ".."), client_ftp.rename("a", "b"), client_ftp.cwd("d"), _attempt(client_ftp.pwd), _attempt(client_ftp.sendcmd, "a\nb"), client_ftp.sanitize("pass secret")
    ftplib.parse227("227 ok (1,2,3,4,5,6)"), ftplib.parse257('257 "x"'), ftplib.parse150("150 x (33 bytes)"), _attempt(ftplib.parse229, "229 (|||5|)", ("h", 1)), _attempt(ftplib.parse227, "1"), ftplib.print_line

    class Pop(poplib.POP3):
        def _create_socket(self, timeout: Any) -> Any:
            return CannedSocket(b"+OK hi <x@y>\r\n+OK\r\n+OK\r\n+OK 2 320\r\n+OK\r\n1 5\r\n..dot\r\n.\r\n-ERR no\r\n+OK\r\na\r\n.\r\n+OK\r\nCAP x y\r\n.\r\n+OK 1 5\r\n+OK bye\r\n")

    pop = Pop("h")
    pop.user("u"), pop.pass_("p"), pop.stat(), pop.list(), _attempt(pop.retr, 1), pop.top(1, 2), pop.capa(), pop.uidl(1), pop.quit()

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
    _attempt(imap.login, "u", "p"), imap.select("box"), imap.search(None, "ALL"), _attempt(imap.fetch, "1", "(FLAGS)"), _attempt(imap.uid, "BOGUS"), imap.response("X"), imaplib.Int2AP(99), imaplib.ParseFlags(b"(\\Seen)"), imaplib.Internaldate2tuple(b'INTERNALDATE "01-Jan-2024 00:00:00 +0000"'), imaplib.Time2Internaldate(0), _attempt(imap.logout)


def work_xml() -> None:
    text = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e "ent"><!ELEMENT r ANY><!ATTLIST r id ID #IMPLIED>]><r id="i" xmlns:p="urn:p"><!-- c --><?pi d?><a p:x="1">t&e;<b/>tail</a><a y="2"><![CDATA[<raw>]]></a></r>'
    document = xml.dom.minidom.parseString(text)
    root = document.documentElement
    document.toxml(), document.toprettyxml(indent=" ", encoding="utf-8", standalone=True), root.getElementsByTagName("a"), root.getElementsByTagNameNS("urn:p", "*"), _attempt(document.getElementById, "i"), root.cloneNode(True), repr(root), root.firstChild.nodeType
    new = document.createElement("n")
    new.setAttribute("k", "v"), new.setAttributeNS("urn:p", "p:k", "v"), new.appendChild(document.createTextNode("x")), root.insertBefore(new, root.firstChild), root.removeChild(new), new.hasAttribute("k"), new.removeAttribute("k"), new.normalize(), new.attributes.items(), _attempt(root.removeChild, new)
    document.importNode(new, True), document.createComment("x").data, document.createDocumentFragment().appendChild(document.createCDATASection("q")), document.createProcessingInstruction("t", "d"), new.firstChild.splitText(0).replaceWholeText("z"), document.doctype.entities.length, document.unlink()
    xml.dom.getDOMImplementation().createDocument("urn:x", "q:r", xml.dom.getDOMImplementation().createDocumentType("q", "p", "s")).toxml(), xml.dom.minidom.getDOMImplementation().hasFeature("core", "2.0")
    events = xml.dom.pulldom.parseString(text)
    for event, node in events:
        if event == xml.dom.pulldom.START_ELEMENT and node.tagName == "a":
            events.expandNode(node)
    tree = xml.etree.ElementTree.ElementTree(xml.etree.ElementTree.fromstring(text))
    element = tree.getroot()
    for path in ("a", "./a/b", ".//b", "a[@y='2']", "a[2]", "a[last()]", "*", "a[b]", "..", ".//*[@y]", "a[last()-1]", "a[.='x']", "a[b='']", "{*}a", "//a", "a[@y!='3']", "a[0]", "a[", "{urn}x", "a//b"):
        _attempt(lambda p=path: (element.findall(p), element.find(p), element.findtext(p, "d"), list(element.iterfind(p))))
    ET = xml.etree.ElementTree
    ET.indent(tree), ET.tostring(element, "unicode"), ET.tostring(element, "us-ascii", short_empty_elements=False), ET.tostring(element, method="html"), ET.tostring(element, method="text", encoding="unicode"), ET.canonicalize(text, strip_text=True, with_comments=True), tree.write(io.BytesIO(), xml_declaration=True, default_namespace=None), ET.register_namespace("q", "urn:p")
    with contextlib.redirect_stdout(io.StringIO()):
        ET.dump(tree)
    pull = ET.XMLPullParser(["start", "end", "comment", "pi", "start-ns", "end-ns"])
    pull.feed(text), list(pull.read_events()), list(ET.iterparse(io.StringIO(text), ["start", "end"])), _attempt(ET.fromstring, "<a>"), _attempt(ET.register_namespace, "ns1", "x"), ET.fromstringlist(["<a>", "</a>"]), ET.XMLID('<a id="x"/>'), ET.ProcessingInstruction("a", "b"), ET.QName("u", "l") == "x", ET.iselement(element)
    from . import data

    pure = data._without_c("xml.etree.ElementTree", "_elementtree")
    copy = pure.fromstring(text)
    copy.append(pure.SubElement(copy, "s", {"a": "b"}, c="d")), copy.insert(0, pure.Element("z")), copy.remove(copy[0]), copy[0:1], len(copy), bool(len(copy)), copy.get("id"), copy.set("k", "v"), copy.items(), copy.keys(), list(copy.iter()), list(copy.itertext()), copy.extend([]), copy.clear(), copy.makeelement("m", {}), _attempt(copy.remove, copy), repr(copy), copy.__copy__()
    builder = pure.TreeBuilder(insert_comments=True, insert_pis=True)
    builder.start("a", {}), builder.data("x"), builder.comment("c"), builder.pi("t", "d"), builder.end("a"), builder.close()
    include = ET.fromstring('<r xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="x" parse="text"/>t<xi:include href="y"/></r>')
    xml.etree.ElementInclude.include(include, lambda href, parse, encoding=None: "text" if parse == "text" else ET.Element("inc"))

    class Handler(xml.sax.ContentHandler, xml.sax.handler.DTDHandler, xml.sax.handler.EntityResolver):
        pass

    for feature in (False, True):
        reader = xml.sax.make_parser()
        reader.setFeature(xml.sax.handler.feature_namespaces, feature), reader.setContentHandler(Handler()), reader.setErrorHandler(xml.sax.ErrorHandler()), reader.setProperty(xml.sax.handler.property_lexical_handler, xml.sax.handler.LexicalHandler() if hasattr(xml.sax.handler, "LexicalHandler") else None), reader.feed(text), reader.getColumnNumber(), reader.close()
    out = io.StringIO()
    xml.sax.parseString(text, xml.sax.saxutils.XMLGenerator(out, "utf-8", short_empty_elements=True)), _attempt(xml.sax.parseString, "<a", Handler()), xml.sax.saxutils.escape("<&>", {"x": "y"}), xml.sax.saxutils.unescape("&lt;"), xml.sax.saxutils.quoteattr("a\"b'\n"), _attempt(reader.setFeature, "bogus", 1), xml.sax.saxutils.XMLFilterBase(reader).getContentHandler()
    attributes = xml.sax.xmlreader.AttributesNSImpl({("u", "l"): "v"}, {("u", "l"): "p:l"})
    attributes.getValueByQName("p:l"), attributes.getNames(), attributes.copy(), len(attributes), _attempt(attributes.getNameByQName, "zz"), str(xml.sax.SAXParseException("m", None, xml.sax.xmlreader.Locator())), xml.sax.xmlreader.InputSource("s").getSystemId()
