"""One request to a server: redirections followed, waiting bounded, each failure named."""

import contextlib
import http.client
import socket
import ssl
import string
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping, MutableMapping
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

MOST_REDIRECTIONS = 10
"""A longer chain is a loop."""

REDIRECTIONS = (301, 302, 303, 307, 308)
"""The statuses that send a request elsewhere."""


class RefusalError(Exception):
    """The mirror does not have the file: no use in asking it again."""


class InterruptionError(Exception):
    """The connection failed on the way: what arrived is kept, and the rest may come yet."""


class StallError(InterruptionError):
    """The connection brought nothing, or next to nothing, for too long."""


class UnreachableError(InterruptionError):
    """No connection to a host that has not answered yet: it, or the network, may come back.

    Attributes
    ----------
    host
        The one that failed, which after a redirection is not the one of the URL.
    waited
        Whether it was waited for in vain; other failures take no time.
    """

    def __init__(self, host: str, reason: str, waited: bool) -> None:
        super().__init__(reason)
        self.host = host
        self.waited = waited


def ask(
    url: str, headers: Mapping[str, str], seconds: float, hosts: MutableMapping[str, str]
) -> http.client.HTTPResponse:
    """Send one request, to wherever it is redirected, and return the answer.

    Redirections are followed here and not by `urllib`, which reads their bodies to the end, however
    long they are, and does not tell which host failed.

    Parameters
    ----------
    url
        Where to ask. What no URL may contain is percent-encoded.
    headers
        Sent to each host.
    seconds
        How long each of these may take: a connection to one address, sending the request, and all
        headers of the answer. Looking up a name takes as long as the system lets it.
    hosts
        As `coursework.data.download.download` takes it.

    Returns
    -------
    http.client.HTTPResponse
        Of any status that does not redirect.

    Raises
    ------
    RefusalError
        If a host cannot be asked, now or later.
    InterruptionError
        If asking again may help; `UnreachableError` and `StallError` say more.
    """
    base = ""
    for _ in range(MOST_REDIRECTIONS + 1):
        try:
            host, request = _prepared(urljoin(base, url), headers)
        except ValueError as error:
            raise RefusalError(f"{url!r} cannot be asked: {error}") from error
        if reason := hosts.get(host):
            raise RefusalError(reason)
        response = _open(request, host, seconds, hosts)
        hosts[host] = ""
        location = response.headers.get("Location")
        if response.status not in REDIRECTIONS or location is None:
            return response
        response.close()
        # Headers are read as Latin-1, so that this is what was sent, byte by byte.
        base, url = request.full_url, quote(location, safe=string.punctuation, encoding="latin1")
    raise RefusalError(f"redirected more than {MOST_REDIRECTIONS} times, last to {url}")


def _prepared(url: str, headers: Mapping[str, str]) -> tuple[str, urllib.request.Request]:
    """Return the host to ask, with its port, and the request; raise ValueError if there is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("expected http or https, a host, and a port if any")
    host = parts.netloc.encode("idna").decode("ascii")
    path, query = (quote(part, safe=string.punctuation) for part in (parts.path, parts.query))
    whole = urlunsplit((parts.scheme, host, path, query, ""))
    return host, urllib.request.Request(whole, headers=dict(headers))


def _open(
    request: urllib.request.Request, host: str, seconds: float, hosts: MutableMapping[str, str]
) -> http.client.HTTPResponse:
    """Send one request to one host, and return what it answers, an error too."""
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler, _Handler, _SecureHandler):
        opener.add_handler(handler())
    try:
        response: http.client.HTTPResponse = opener.open(request, timeout=seconds)
    except urllib.error.URLError as error:
        cause = error.reason
        reason = f"no connection to {host}: {getattr(cause, 'strerror', None) or cause}"
        if host in hosts:
            raise InterruptionError(reason) from error
        if isinstance(cause, ConnectionRefusedError | ssl.SSLCertVerificationError):
            # Somebody was there to say no. Everything else may be a network that is not up yet.
            hosts[host] = reason
            raise RefusalError(reason) from error
        raise UnreachableError(host, reason, isinstance(cause, TimeoutError)) from error
    except (ValueError, http.client.InvalidURL) as error:
        raise RefusalError(f"{request.full_url!r} cannot be asked: {error}") from error
    except (OSError, http.client.HTTPException) as error:
        # There was a connection, only no answer.
        hosts[host] = ""
        raise interruption(error, seconds) from error
    return response


def interruption(error: Exception, seconds: float) -> InterruptionError:
    """Return an error of a connection, which may be silent for some seconds, as one of ours."""
    if isinstance(error, TimeoutError):
        return StallError(f"no answer for {seconds:g} s")
    return InterruptionError(f"connection cut ({str(error) or type(error).__name__})")


class _Connection(http.client.HTTPConnection):
    """A connection with a limit for the headers as a whole; each byte renews that of the socket."""

    def getresponse(self) -> http.client.HTTPResponse:
        late = threading.Event()
        connected = self.sock

        def give_up() -> None:
            late.set()
            with contextlib.suppress(OSError):
                # The method of plain sockets: that of TLS takes its state from under the reader.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

        timer = threading.Timer(self.timeout or threading.TIMEOUT_MAX, give_up)
        timer.daemon = True
        timer.start()
        try:
            response = super().getresponse()
        except (OSError, http.client.HTTPException) as error:
            if late.is_set():
                raise TimeoutError("headers that do not end") from error
            raise
        finally:
            timer.cancel()
            timer.join()
        if late.is_set():
            # A connection that ends looks like headers that end.
            response.close()
            raise TimeoutError("headers that do not end")
        return response


class _SecureConnection(_Connection, http.client.HTTPSConnection):
    """The same with TLS."""


class _Handler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, req)


class _SecureHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, req)
