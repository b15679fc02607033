"""What a picture server sees is what the caller wrote: byte for byte, also through redirects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from vivant.intake.egress import AllowList, Egress
from vivant.intake.fetch import Fetcher
from vivant.intake.pictures import share_picture_bytes
from vivant.intake.urls import Url, join_url, parse_url
from vivant.timings import DEFAULT_TIMINGS

# Paths and queries of signed links as the stores make them, and whatever else is legal in a URL or often sent in one.
TARGETS = (
    "/p?sig=a%2Fb%2Bc%3D",
    "/p?token=a%3Ab%2Cc%40d",
    "/a%28b%29.jpg",
    "/a~b%7Ec.jpg",
    "/p?url=https%3A%2F%2Fx.example%2Fa%3Fb%3D1",
    # Amazon S3, signature version 4 and 2
    "/bucket/my%20photo.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLE%2F20261128%2Fus-east-1%2Fs3%2F"
    "aws4_request&X-Amz-Date=20261128T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=0a1b2c",
    "/bucket/photo.jpg?X-Amz-Security-Token=IQoJb3JpZ2luX2VjE%2F%2F%2F%2F%2F%2F%2F%2F%2F%2FwEaCXVzLWVhc3QtMSJHMEUCIQ%3D%3D",
    "/photo.jpg?AWSAccessKeyId=AKIAEXAMPLE&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D&Expires=1141889120",
    "/folder%2Fwith%2Fslashes/photo.jpg?versionId=3%2FL4kqtJlcpXroDTDmJ%2BrmSpXd3dIbrHY%2BMTRCxf3vjVBH40Nr8X8gdRQBpUMLUo",
    # Google Cloud Storage, version 4 and 2, and Firebase
    "/bucket/cat.jpeg?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=example%40example-project.iam.gserviceaccount"
    ".com%2F20261128%2Fus-central1%2Fstorage%2Fgoog4_request&X-Goog-Date=20261128T000000Z&X-Goog-Signature=247a2aa4",
    "/bucket/cat.jpeg?GoogleAccessId=example@example-project.iam.gserviceaccount.com&Expires=1458238630&Signature=VVUgfqvi"
    "DCov%2B2%2BK%2FasAc%3D",
    "/v0/b/app.appspot.com/o/users%2F42%2Fphoto.jpg?alt=media&token=0b1c-2d",
    # Azure Blob Storage
    "/container/photo.jpg?sv=2024-11-04&st=2026-11-28T00%3A00%3A00Z&se=2026-11-29T00%3A00%3A00Z&sr=b&sp=r&sig=Z%2FRHIX5X"
    "cg0Mq2rqI3OlWTjEg2tYkboXr1P9ZUXDtkk%3D",
    "/container/photo.jpg?sv=2024-11-04&se=2026-11-29T00:00:00Z&sr=b&sp=r&sig=Z%2fRHIX5Xcg0Mq2rqI3Ol%2bWTjEg%3d",
    # Alibaba OSS and Tencent COS
    "/photo.jpg?OSSAccessKeyId=LTAI5t&Expires=1141889120&Signature=a1b2c%2F3d%2B4e%3D",
    "/photo.jpg?x-oss-process=image/resize,w_300/quality,q_90&x-oss-signature=0a1b",
    "/photo.jpg?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=LTAI5t%2F20261128%2Fcn-hangzhou%2Foss%2Faliyun_v4"
    "_request&x-oss-signature=9b",
    "/photo.jpg?q-sign-algorithm=sha1&q-ak=AKIDEXAMPLE&q-sign-time=1557989151;1557996351&q-key-time=1557989151;1557996351"
    "&q-header-list=host&q-url-param-list=&q-signature=5a",
    "/photo.jpg?imageMogr2/thumbnail/!50p|watermark/2/text/6IW+6K6v5LqR/fill/IzNEM0QzRA==",
    # CloudFront, imgix, Cloudinary, wsrv, Discord
    "/photo.jpg?Expires=1&Signature=Kq~j1-E9w__&Key-Pair-Id=K2JCJMDEHXQW5F",
    "/photo.jpg?Policy=eyJ~Kn0_&Signature=a-b~c__&Key-Pair-Id=K2",
    "/~text?fm=png&txt64=SGk%3D&s=0a1b",
    "/image/upload/w_1.0,c_fill,g_face:center/l_text:Arial_24:Hi%2520there/v1/sample.jpg",
    "/?url=ssl:images.example/a.jpg&w=300",
    "/attachments/1/2/photo.jpg?ex=65&is=64&hm=0a1b&",
    # the forms of percent encoding
    "/a%2fb%2Fc", "/%41%42%43", "/%7e~%7E", "/a+b%20c%2Bd", "/%E4%BD%A0%e5%a5%bd.jpg", "/%zz%", "/100%.jpg", "/%00",
    "/%25%32%46",
    # marks that some libraries encode, decode or drop
    "/a;b=c;d/e,f", "/a(b)c!d*e'f", "/@user:tag/$x&y=z", "/a//b///c", "/a/./b/../c", "/..", "/?", "/?a", "/?a&&b=&=c",
    "/p?a=[1]&b={2}&c=|3|&d=^4^&e=`5`", '/p?a="x"&b=<y>', "/p?a=b?c=d/e", "/?a=b;c=d", "/p?redirect=http://x.example/?y#".rstrip("#"),
    "/p?a=b%26c%3Dd&a=b", "/{id}/[x]/a|b",
)  # fmt: skip
BODY = b"a picture"


@asynccontextmanager
async def recording_server(seen: list[str], location: bytes = b"") -> AsyncIterator[int]:
    """Records the raw request target of each request; redirects /from-here to `location`."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        target = head.split(b" ")[1]
        seen.append(target.decode("latin-1"))
        if target == b"/from/here":
            writer.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
        await writer.drain()
        writer.close()

    running = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()
        await running.wait_closed()


async def fetch_from(port: int, target: str) -> None:
    egress = Egress(AllowList.parse(("127.0.0.1",)), timings=DEFAULT_TIMINGS)
    fetcher = Fetcher(egress, share_picture_bytes(), timings=DEFAULT_TIMINGS)
    async with AsyncExitStack() as held:
        assert await fetcher.fetch(f"http://127.0.0.1:{port}{target}", owner="", reservations=held) == BODY


@pytest.mark.parametrize("target", TARGETS)
async def test_the_server_sees_the_target_as_it_was_given(target: str) -> None:
    seen: list[str] = []
    async with recording_server(seen) as port:
        await fetch_from(port, target)
    assert seen == [target]


@pytest.mark.parametrize("target", TARGETS)
async def test_a_redirect_leads_to_the_target_as_it_was_sent(target: str) -> None:
    seen: list[str] = []
    async with recording_server(seen) as port:
        there = f"http://127.0.0.1:{port}{target}"
    async with (
        recording_server(seen) as other,
        recording_server(seen, there.replace(str(port), str(other)).encode()) as port,
    ):
        await fetch_from(port, "/from/here")
    assert seen == ["/from/here", target]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("/bürger/ß.jpg?q=é", "/b%C3%BCrger/%C3%9F.jpg?q=%C3%A9"),
        ("/你好%2F.jpg", "/%E4%BD%A0%E5%A5%BD%2F.jpg"),
        ("/😀?sig=a%2Fb", "/%F0%9F%98%80?sig=a%2Fb"),
        ("", "/"),
        ("?a=b", "/?a=b"),
        ("/a#part", "/a"),
        ("/a?b#c?d#e", "/a?b"),
    ],
)
async def test_only_what_cannot_be_sent_is_encoded(given: str, sent: str) -> None:
    seen: list[str] = []
    async with recording_server(seen) as port:
        await fetch_from(port, given)
    assert seen == [sent]


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        (b"/caf\xc3\xa9.jpg", "/caf%C3%A9.jpg"),
        (b"/caf\xe9.jpg", "/caf%E9.jpg"),  # latin-1, as it is
        (b"/my photo.jpg", "/my%20photo.jpg"),
        (b"there?sig=a%2Fb", "/from/there?sig=a%2Fb"),
        (b"?sig=a%2Fb", "/from/here?sig=a%2Fb"),
        (b"../x//y?z=../q", "/x//y?z=../q"),
    ],
)
async def test_locations_of_all_forms_are_followed(location: bytes, sent: str) -> None:
    seen: list[str] = []
    async with recording_server(seen, location) as port:
        await fetch_from(port, "/from/here")
    assert seen == ["/from/here", sent]


# RFC 3986, 5.4.1 and 5.4.2, as far as they concern http; the fragment is left out.
@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("g", "/b/c/g"), ("./g", "/b/c/g"), ("g/", "/b/c/g/"), ("/g", "/g"), ("?y", "/b/c/d;p?y"), ("g?y", "/b/c/g?y"),
        ("#s", "/b/c/d;p?q"), ("g#s", "/b/c/g"), ("g?y#s", "/b/c/g?y"), (";x", "/b/c/;x"), ("g;x", "/b/c/g;x"),
        ("g;x?y#s", "/b/c/g;x?y"), ("", "/b/c/d;p?q"), (".", "/b/c/"), ("./", "/b/c/"), ("..", "/b/"), ("../", "/b/"),
        ("../g", "/b/g"), ("../..", "/"), ("../../", "/"), ("../../g", "/g"), ("../../../g", "/g"),
        ("../../../../g", "/g"), ("/./g", "/g"), ("/../g", "/g"), ("g.", "/b/c/g."), (".g", "/b/c/.g"),
        ("g..", "/b/c/g.."), ("..g", "/b/c/..g"), ("./../g", "/b/g"), ("./g/.", "/b/c/g/"), ("g/./h", "/b/c/g/h"),
        ("g/../h", "/b/c/h"), ("g;x=1/./y", "/b/c/g;x=1/y"), ("g;x=1/../y", "/b/c/y"), ("g?y/./x", "/b/c/g?y/./x"),
        ("g?y/../x", "/b/c/g?y/../x"), ("g#s/../x", "/b/c/g"),
    ],
)  # fmt: skip
def test_relative_redirects_are_joined_as_the_standard_says(reference: str, target: str) -> None:
    here = parse_url("http://a/b/c/d;p?q")
    assert join_url(here, reference.encode()) == Url("http", "a", 80, target)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("http://EXAMPLE.com/", "example.com"),
        ("http://bücher.example/", "xn--bcher-kva.example"),
        ("http://例え.テスト/", "xn--r8jz45g.xn--zckzah"),
        ("http://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("http://💩.example/", "xn--ls8h.example"),
        ("http://my_bucket.example/", "my_bucket.example"),
        ("http://[2001:DB8::1]:80/", "[2001:db8::1]"),
        ("http://example.com./", "example.com."),
    ],
)
def test_host_names_are_brought_to_the_form_that_is_resolved(text: str, host: str) -> None:
    assert parse_url(text).host == host


@pytest.mark.parametrize(
    ("text", "header"),
    [("http://a.example:80/", "a.example"), ("http://a.example:8080/", "a.example:8080"),
     ("https://a.example:443", "a.example"), ("https://a.example:80/", "a.example:80"),
     ("http://[::1]:8/", "[::1]:8"), ("http://a.example:/", "a.example")],
)  # fmt: skip
def test_the_host_header_names_a_port_that_is_not_the_usual_one(text: str, header: str) -> None:
    assert parse_url(text).host_header == header


@pytest.mark.parametrize(
    "text",
    ["http://a b/", "http://a/\t", "http://a\\b/", "http:a", "http:/a", "http:///a", "//a/b", "a", "", "ftp://a/",
     "http://", "http://a:0/", "http://a:65536/", "http://a:8o/", "http://a:b:c/", "http://u@a/", "http://[::1/",
     "http://[a]/",
     "http://::1/", "http://a%62/", "http://[fe80::1%25lo]/", "http://a..b/", "http://a!b/",
     "http://" + "a" * 300 + "/",
     "http://" + "ü" * 300 + "/", "http://\ud800/", "http://a/\ud800",
     "http://a:" + "9" * 5000 + "/", "http://[v1.x]/"],
)  # fmt: skip
def test_what_is_no_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_url(text)


@pytest.mark.parametrize(
    "url",
    [("http", "A", 80, "/"), ("ftp", "a", 80, "/"), ("http", "a", 0, "/"), ("http", "a", 80, ""),
     ("http", "a", 80, "/ "), ("http", "a", 80, "/\r\nX: y"), ("http", "é", 80, "/"), ("http", "a b", 80, "/")],
)  # fmt: skip
def test_a_url_that_cannot_be_right_cannot_be_built(url: tuple[str, str, int, str]) -> None:
    with pytest.raises(ValueError):
        Url(*url)
