"""The web and markup: no socket is opened, the answers are canned."""

from __future__ import annotations

import contextlib
import http
import http.client
import http.cookiejar
import http.cookies
import http.server
import io
import os
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

from .tools import CannedSocket, attempt, without_c


def work_urllib() -> None:
    parse = urllib.parse
    for url in (
        "http://u:p@h.org:80/p;x?q=1&q=2#f",
        "//h/p",
        "mailto:a@b",
        "http://[::1]:x/",
        "?q",
        "",
        "scheme:rel",
        b"http://b/c",
        "http://h/é ü",
        "svn+ssh://h/x",
        "HTTP://H",
        "http:///x",
    ):
        split = parse.urlsplit(url)
        split.geturl(), split.username, split.password, split.hostname, parse.urldefrag(url)
        parse.urlunparse(parse.urlparse(url)), attempt(lambda s=split: s.port)
        for base in ("http://a/b/c/d;p?q", "file:///x"):
            attempt(parse.urljoin, base, url), parse.urljoin(base, "../../../g")
            parse.urljoin(base, "./g;x=1/../y"), parse.urljoin(base, "g?y/./x")
    parse.quote("a b/é", safe=""), parse.unquote("%C3%A9%zz+"), parse.quote_plus("a b")
    parse.unquote_plus("a+b"), parse.unquote_to_bytes("%41"), parse.quote_from_bytes(b"\xff")
    parse.quote(b"x")
    parse.urlencode({"a": [1, 2], "b": "é"}, doseq=True), parse.urlencode([("a", b"x")])
    parse.parse_qs("a=1&a=2&b=&c", keep_blank_values=True)
    attempt(parse.parse_qsl, "a&b", strict_parsing=True)
    attempt(parse.parse_qsl, "a=1&b=2", max_num_fields=1)
    attempt(parse.urlsplit, "http://[bad/"), attempt(parse.urlencode, 5)
    attempt(parse.urljoin, "a", b"b")
    parse.unwrap("<URL:http://x>") if hasattr(parse, "unwrap") else 0
    with tempfile.TemporaryDirectory() as top:
        path = os.path.join(top, "f.txt")
        with open(path, "w", encoding="utf-8") as out:
            out.write("data")
        opener = urllib.request.build_opener()
        for url in (
            "file://" + urllib.request.pathname2url(path),
            "data:text/plain;base64,eA==",
            "data:,x%20y",
        ):
            with opener.open(url) as response:
                response.read(), response.info(), response.geturl(), response.headers
                repr(response)
        for url in ("nosuch://x", "file:///no/such/file", "data:x", "http://"):
            attempt(opener.open, url)


def work_url_requests() -> None:
    request = urllib.request.Request(
        "http://u:p@h/p?q#f",
        data=b"x",
        headers={"A": "b"},
        origin_req_host="o",
    )
    request.get_method(), request.full_url, request.has_header("A")
    request.add_unredirected_header("B", "c"), request.header_items(), request.get_full_url()
    request.set_proxy("p", "http"), request.remove_header("A")
    passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
    passwords.add_password(None, "http://h/", "u", "p", is_authenticated=True)
    passwords.find_user_password("r", "http://h/x"), passwords.is_authenticated("http://h/x")
    urllib.request.getproxies_environment()
    urllib.request.proxy_bypass_environment("h", {"no": "x,.y,h"})
    urllib.request.parse_keqv_list(urllib.request.parse_http_list('a="b", c=d'))
    urllib.request.HTTPRedirectHandler().redirect_request(
        urllib.request.Request("http://a"),
        None,
        302,
        "m",
        {},
        "http://b c",
    )
    error = urllib.error.HTTPError(
        "http://x",
        404,
        "gone",
        {},
        io.BytesIO(b""),
    )  # type: ignore[arg-type]
    str(error), error.reason, error.headers, repr(error), error.close()
    str(urllib.error.URLError("r")), str(urllib.error.ContentTooShortError("m", b""))
    robots = urllib.robotparser.RobotFileParser("http://x/robots.txt")
    rules = "User-agent: a\nDisallow: /x\nAllow: /\nCrawl-delay: 3\nRequest-rate: 1/5\n"
    rules += "\nUser-agent: *\nDisallow:\nSitemap: http://s\nbad\n# c\n"
    robots.parse(rules.splitlines())
    robots.can_fetch("a", "/x/y"), robots.can_fetch("b", "/"), robots.crawl_delay("a")
    robots.request_rate("a"), robots.site_maps(), str(robots), robots.mtime()
    with contextlib.suppress(webbrowser.Error):
        webbrowser.get("no-such-browser")
    webbrowser.register("sameness", None, webbrowser.GenericBrowser("true"))
    webbrowser.get("sameness").open("http://x"), webbrowser.get("true %s")


def work_http_client() -> None:
    answers = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n"
        b"5;x\r\nhello\r\n3\r\nabc\r\n0\r\nT: r\r\n\r\n",
        b"HTTP/1.0 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", b"junk\r\n", b"",
        b"HTTP/1.1 99 x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 301 x\r\nLocation: y\r\nContent-Length: x\r\n\r\n",
    )  # fmt: skip
    for answer in answers:
        for body in (None, b"data", io.BytesIO(b"file"), [b"a", b"b"], "text"):
            connection = http.client.HTTPConnection("h:81")
            connection.sock = CannedSocket(answer)  # type: ignore[assignment]
            try:
                connection.request("POST" if body else "GET", "/p", body, {"X": "y"})
                response = connection.getresponse()
                response.getheaders(), response.getheader("A"), response.read(3)
                response.peek() if response.fp else 0, response.readline(), response.read()
                response.isclosed(), repr(response), response.info()
            except (http.client.HTTPException, ValueError, OSError):
                pass
            connection.close()
    connection = http.client.HTTPConnection("[::1]:80", timeout=5)
    connection.set_tunnel("t", 5, {"A": "b"}), attempt(connection.putheader, "a", "b")
    attempt(http.client.HTTPConnection, "h:x"), attempt(connection.putrequest, "GET", "/ x")
    attempt(connection.putrequest, "G\n", "/")
    http.HTTPStatus(404).phrase, http.HTTPStatus.OK.description, repr(http.HTTPMethod.GET)
    http.HTTPStatus(200).is_success if hasattr(http.HTTPStatus, "is_success") else 0


def work_cookies() -> None:
    jar = http.cookiejar.CookieJar(
        http.cookiejar.DefaultCookiePolicy(blocked_domains=["b.org"], strict_ns_domain=4)
    )
    request = urllib.request.Request("http://www.acme.com/path/x")
    head = http.client.HTTPMessage()
    for text in (
        "a=b; path=/; domain=.acme.com; expires=Wed, 01 Jan 2098 00:00:00 GMT; secure",
        "c=d; max-age=5",
        'e=f; version=1; port="80"',
        "g",
        "h=i; domain=other.com",
        "k=v; discard; comment=x",
    ):
        head["Set-Cookie"] = text
    head["Set-Cookie2"] = 'n="m"; version=1; path="/path"'

    class Response:
        def info(self) -> Any:
            return head

    jar.extract_cookies(Response(), request), jar.add_cookie_header(request), list(jar), len(jar)
    repr(jar), str(jar), jar.clear_session_cookies(), jar.clear_expired_cookies()
    jar.make_cookies(Response(), request)
    with tempfile.TemporaryDirectory() as top:
        for kind in (http.cookiejar.MozillaCookieJar, http.cookiejar.LWPCookieJar):
            stored = kind(os.path.join(top, kind.__name__))
            for cookie in jar.make_cookies(Response(), request):
                stored.set_cookie(cookie)
            stored.save(ignore_discard=True), stored.load(ignore_discard=True), stored.revert()
            attempt(kind(os.path.join(top, "none")).load)
    for text in (
        "Wed, 09 Feb 1994 22:23:32 GMT",
        "1994-02-03 14:15:29",
        "09-Feb-94",
        "bad",
        "08-Feb-94 3:00 PM",
        "20240101T101112Z",
    ):
        http.cookiejar.http2time(text), http.cookiejar.iso2time(text)
    http.cookiejar.split_header_words(['a="b\\"c"; d, e=f'])
    http.cookiejar.join_header_words([[("a", "b c"), ("d", None)]]), http.cookiejar.time2netscape(0)
    http.cookiejar.is_HDN("a.b"), http.cookiejar.user_domain_match("x.y", ".y")
    morsels = http.cookies.SimpleCookie('a="b\\054c"; d=e; $Path=/; f')
    morsels["x"] = "y z"
    morsels["x"]["max-age"] = 5
    morsels["x"]["secure"] = True
    morsels.output(), morsels.js_output(), repr(morsels), morsels["x"].OutputString(["path"])
    morsels["x"] == morsels["x"].copy(), attempt(morsels["x"].__setitem__, "bogus", 1)
    attempt(morsels.load, "a b=c"), http.cookies.SimpleCookie({"q": "1"})


class Request:
    def __init__(self, data: bytes) -> None:
        self.data, self.out = data, io.BytesIO()

    def makefile(self, mode: str, *_: Any) -> Any:
        return io.BytesIO(self.data)

    def sendall(self, data: bytes) -> None:
        self.out.write(data)

    def settimeout(self, *_: Any) -> None: ...
    def setsockopt(self, *_: Any) -> None: ...


class Server:
    server_name, server_port, base_environ = "h", 80, {"SERVER_NAME": "h"}

    def get_app(self) -> Any:
        return wsgiref.validate.validator(wsgiref.simple_server.demo_app)


def work_servers() -> None:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, form: str, *arguments: Any) -> None:
            form % arguments

    with tempfile.TemporaryDirectory() as top:
        with open(os.path.join(top, "f.html"), "w", encoding="utf-8") as out:
            out.write("page")
        os.mkdir(os.path.join(top, "d"))
        for line in (
            b"GET / HTTP/1.1", b"GET /f.html HTTP/1.0", b"HEAD /d HTTP/1.1", b"GET /none HTTP/1.1",
            b"BREW / HTTP/1.1", b"GET /x HTTP/9", b"bad", b"GET /%2e%2e/ HTTP/1.1", b"",
            b"GET / HTTP/x.y", b"PUT",
            b"GET /f.html HTTP/1.1\r\nIf-Modified-Since: Mon, 01 Jan 2096 00:00:00 GMT",
        ):  # fmt: skip
            Quiet(
                Request(line + b"\r\nHost: h\r\nConnection: close\r\n\r\n"),
                ("1.2.3.4", 5),
                Server(),
                directory=top,
            )  # type: ignore[arg-type]


def work_wsgi() -> None:
    class Handler(wsgiref.simple_server.WSGIRequestHandler):
        def log_message(self, form: str, *arguments: Any) -> None: ...

    with contextlib.redirect_stderr(io.StringIO()):
        for line in (
            b"GET /a?b=c HTTP/1.0",
            b"POST /x HTTP/1.0\r\nContent-Length: 1\r\nContent-Type: text/plain",
        ):
            attempt(Handler, Request(line + b"\r\nA: b\r\n\r\n"), ("1.2.3.4", 5), Server())

        def failing(environ: Any, start: Any) -> Any:
            start("200 OK", [])
            raise ValueError("app")

        for app in (wsgiref.simple_server.demo_app, failing):
            environ: dict[str, Any] = {}
            wsgiref.util.setup_testing_defaults(environ)
            wsgiref.handlers.SimpleHandler(
                io.BytesIO(),
                io.BytesIO(),
                io.StringIO(),
                environ,
            ).run(app)
        wsgiref.util.request_uri(environ), wsgiref.util.application_uri(environ)
        wsgiref.util.shift_path_info(environ), wsgiref.util.guess_scheme(environ)
        wsgiref.util.is_hop_by_hop("te"), list(wsgiref.util.FileWrapper(io.BytesIO(b"x" * 9), 4))
    headers = wsgiref.headers.Headers([("A", "b")])
    headers.add_header("C", "d", e="f", g=None), headers.setdefault("A", "z"), headers.get_all("a")
    bytes(headers), headers.keys(), "A" in headers, repr(headers), headers.__delitem__("A")
    headers.__setitem__("A", "q"), len(headers), headers.items()


def work_xmlrpc() -> None:
    dispatcher = xmlrpc.server.SimpleXMLRPCDispatcher(allow_none=True)
    dispatcher.register_introspection_functions(), dispatcher.register_multicall_functions()
    dispatcher.register_function(divmod)
    dispatcher.register_instance(os.path, allow_dotted_names=True)
    for name, arguments in (
        ("divmod", (7, 2)),
        ("divmod", (1, 0)),
        ("nothing", ()),
        ("system.listMethods", ()),
        ("system.methodHelp", ("divmod",)),
        ("basename", ("/a/b",)),
        ("system.multicall", ([{"methodName": "divmod", "params": [5, 3]}],)),
    ):
        answer = dispatcher._marshaled_dispatch(xmlrpc.client.dumps(arguments, name).encode())
        attempt(xmlrpc.client.loads, answer)
    values = ([1, True, 1.5, "<é>", None, {"a": [b"x"]}],)
    xmlrpc.client.loads(xmlrpc.client.dumps(values, "m", allow_none=True))
    xmlrpc.client.dumps(xmlrpc.client.Fault(1, "f")), attempt(xmlrpc.client.dumps, (object(),))
    attempt(xmlrpc.client.dumps, (2**70,)), repr(xmlrpc.client.ServerProxy("http://h/x"))
    xmlrpc.client.DateTime("20200101T00:00:00") < xmlrpc.client.DateTime("20210101T00:00:00")
    xmlrpc.client.gzip_decode(xmlrpc.client.gzip_encode(b"x"))

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
        server.fileno(), server.server_address


DOCUMENT = (
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e "ent"><!ELEMENT r ANY>'
    '<!ATTLIST r id ID #IMPLIED>]><r id="i" xmlns:p="urn:p"><!-- c --><?pi d?>'
    '<a p:x="1">t&e;<b/>tail</a><a y="2"><![CDATA[<raw>]]></a></r>'
)


def work_dom() -> None:
    document = xml.dom.minidom.parseString(DOCUMENT)
    root = document.documentElement
    document.toxml(), document.toprettyxml(indent=" ", encoding="utf-8", standalone=True)
    root.getElementsByTagName("a"), root.getElementsByTagNameNS("urn:p", "*")
    attempt(document.getElementById, "i"), root.cloneNode(True), repr(root)
    root.firstChild.nodeType
    new = document.createElement("n")
    new.setAttribute("k", "v"), new.setAttributeNS("urn:p", "p:k", "v")
    new.appendChild(document.createTextNode("x")), root.insertBefore(new, root.firstChild)
    root.removeChild(new), new.hasAttribute("k"), new.removeAttribute("k"), new.normalize()
    new.attributes.items(), attempt(root.removeChild, new)
    document.importNode(new, True), document.createComment("x").data
    document.createDocumentFragment().appendChild(document.createCDATASection("q"))
    document.createProcessingInstruction("t", "d")
    new.firstChild.splitText(0).replaceWholeText("z"), document.doctype.entities.length
    document.unlink()
    xml.dom.getDOMImplementation().createDocument(
        "urn:x",
        "q:r",
        xml.dom.getDOMImplementation().createDocumentType("q", "p", "s"),
    ).toxml()
    xml.dom.minidom.getDOMImplementation().hasFeature("core", "2.0")
    events = xml.dom.pulldom.parseString(DOCUMENT)
    for event, node in events:
        if event == xml.dom.pulldom.START_ELEMENT and node.tagName == "a":
            events.expandNode(node)


def work_etree() -> None:
    tree = xml.etree.ElementTree.ElementTree(xml.etree.ElementTree.fromstring(DOCUMENT))
    element = tree.getroot()
    for path in (
        "a",
        "./a/b",
        ".//b",
        "a[@y='2']",
        "a[2]",
        "a[last()]",
        "*",
        "a[b]",
        "..",
        ".//*[@y]",
        "a[last()-1]",
        "a[.='x']",
        "a[b='']",
        "{*}a",
        "//a",
        "a[@y!='3']",
        "a[0]",
        "a[",
        "{urn}x",
        "a//b",
    ):
        attempt(
            lambda p=path: (
                element.findall(p),
                element.find(p),
                element.findtext(p, "d"),
                list(element.iterfind(p)),
            )
        )
    ET = xml.etree.ElementTree
    ET.indent(tree), ET.tostring(element, "unicode")
    ET.tostring(element, "us-ascii", short_empty_elements=False)
    ET.tostring(element, method="html"), ET.tostring(element, method="text", encoding="unicode")
    ET.canonicalize(DOCUMENT, strip_text=True, with_comments=True)
    tree.write(io.BytesIO(), xml_declaration=True, default_namespace=None)
    ET.register_namespace("q", "urn:p")
    with contextlib.redirect_stdout(io.StringIO()):
        ET.dump(tree)
    pull = ET.XMLPullParser(["start", "end", "comment", "pi", "start-ns", "end-ns"])
    pull.feed(DOCUMENT), list(pull.read_events())
    list(ET.iterparse(io.StringIO(DOCUMENT), ["start", "end"])), attempt(ET.fromstring, "<a>")
    attempt(ET.register_namespace, "ns1", "x"), ET.fromstringlist(["<a>", "</a>"])
    ET.XMLID('<a id="x"/>'), ET.ProcessingInstruction("a", "b"), ET.QName("u", "l") == "x"
    ET.iselement(element)
    pure = without_c("xml.etree.ElementTree", "_elementtree")
    copy = pure.fromstring(DOCUMENT)
    copy.append(pure.SubElement(copy, "s", {"a": "b"}, c="d")), copy.insert(0, pure.Element("z"))
    copy.remove(copy[0]), copy[0:1], len(copy), bool(len(copy)), copy.get("id"), copy.set("k", "v")
    copy.items(), copy.keys(), list(copy.iter()), list(copy.itertext()), copy.extend([])
    copy.clear(), copy.makeelement("m", {}), attempt(copy.remove, copy), repr(copy)
    copy.__copy__()
    builder = pure.TreeBuilder(insert_comments=True, insert_pis=True)
    builder.start("a", {}), builder.data("x"), builder.comment("c"), builder.pi("t", "d")
    builder.end("a"), builder.close()
    include = ET.fromstring(
        '<r xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="x" parse="text"/>'
        't<xi:include href="y"/></r>'
    )
    xml.etree.ElementInclude.include(
        include,
        lambda href, parse, encoding=None: "text" if parse == "text" else ET.Element("inc"),
    )


def work_sax() -> None:
    class Handler(
        xml.sax.ContentHandler,
        xml.sax.handler.DTDHandler,
        xml.sax.handler.EntityResolver,
    ):
        pass

    for feature in (False, True):
        reader = xml.sax.make_parser()
        reader.setFeature(xml.sax.handler.feature_namespaces, feature)
        reader.setContentHandler(Handler()), reader.setErrorHandler(xml.sax.ErrorHandler())
        reader.setProperty(
            xml.sax.handler.property_lexical_handler,
            xml.sax.handler.LexicalHandler()
            if hasattr(
                xml.sax.handler,
                "LexicalHandler",
            )
            else None,
        )
        reader.feed(DOCUMENT), reader.getColumnNumber(), reader.close()
    out = io.StringIO()
    xml.sax.parseString(
        DOCUMENT,
        xml.sax.saxutils.XMLGenerator(out, "utf-8", short_empty_elements=True),
    )
    attempt(xml.sax.parseString, "<a", Handler()), xml.sax.saxutils.escape("<&>", {"x": "y"})
    xml.sax.saxutils.unescape("&lt;"), xml.sax.saxutils.quoteattr("a\"b'\n")
    attempt(reader.setFeature, "bogus", 1)
    xml.sax.saxutils.XMLFilterBase(reader).getContentHandler()
    attributes = xml.sax.xmlreader.AttributesNSImpl({("u", "l"): "v"}, {("u", "l"): "p:l"})
    attributes.getValueByQName("p:l"), attributes.getNames(), attributes.copy(), len(attributes)
    attempt(attributes.getNameByQName, "zz")
    str(xml.sax.SAXParseException("m", None, xml.sax.xmlreader.Locator()))
    xml.sax.xmlreader.InputSource("s").getSystemId()
