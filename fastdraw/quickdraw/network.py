"""Connections as the machine is set up for them, with its proxies and certificates, and what their errors mean."""

from __future__ import annotations

import importlib.util
import os
import socket
import ssl
import urllib.request
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import urllib3

from fastdraw.errors import FastdrawError

_CERTIFICATES = "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"  # the first that is set
_CONNECT = 10.0  # seconds for each address of a host
_REFUSED = 401, 403, 404, 407  # statuses of a proxy that do not change


class Failure(NamedTuple):
    """Why there was no answer."""

    reason: str
    is_final: bool  # another try cannot help


def is_address(url: str) -> bool:
    """Whether a text is the address of a web server."""
    try:
        parts = urllib3.util.parse_url(url)
    except urllib3.exceptions.LocationParseError:
        return False
    return parts.scheme in ("http", "https") and parts.host is not None


def open_pool(url: str, connections: int, timeout: float) -> urllib3.PoolManager:
    """Connections to the server of an address, through its proxy if there is one.

    As in other programs, ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy`` name the proxies, in small or
    capital letters; ``REQUESTS_CA_BUNDLE``, ``CURL_CA_BUNDLE`` or ``SSL_CERT_FILE`` names the trusted certificates.

    Parameters
    ----------
    url : str
    connections : int
        At the same time.
    timeout : float
        Seconds without a byte after which a connection counts as lost.

    Raises
    ------
    FastdrawError
        If a variable names no proxy or no certificates.
    """
    options: dict[str, Any] = {
        "maxsize": connections,
        "timeout": urllib3.Timeout(connect=min(_CONNECT, timeout), read=timeout),
        "retries": urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=5),
    } | _certificates()
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return urllib3.PoolManager(**options)
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    try:
        login = urllib3.util.parse_url(proxy).auth
        if proxy.startswith("socks"):
            if importlib.util.find_spec("socks") is None:
                raise FastdrawError('expected PySocks, for a SOCKS proxy: pip install "urllib3[socks]"')
            from urllib3.contrib.socks import SOCKSProxyManager

            return SOCKSProxyManager(proxy, **options)
        headers = urllib3.make_headers(proxy_basic_auth=unquote(login)) if login else None
        return urllib3.ProxyManager(proxy, proxy_headers=headers, **options)
    except ValueError as error:
        raise FastdrawError(f"{parts.scheme}_proxy: expected the address of a proxy: {error}") from None


def _certificates() -> dict[str, str]:
    for name in _CERTIFICATES:
        if path := os.environ.get(name):
            if not os.path.exists(path):
                raise FastdrawError(f"{name}: expected a file of certificates, received {path!r}, which does not exist")
            return {"ca_cert_dir" if os.path.isdir(path) else "ca_certs": path}
    return {}


def explain(error: BaseException, timeout: float) -> Failure:
    """Say in a few words why a request failed.

    Parameters
    ----------
    error : urllib3.exceptions.HTTPError
    timeout : float
        As for `open_pool`.
    """
    while isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        error = error.reason
    if isinstance(error, urllib3.exceptions.ProxyError):
        reason, is_final = explain(error.original_error, timeout)
        refused = any(f"failed: {status}" in reason for status in _REFUSED)
        return Failure(f"the proxy: {reason}", is_final or refused)
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        unknown = isinstance(error.__cause__, socket.gaierror) and error.__cause__.errno != socket.EAI_AGAIN
        return Failure("no such host" if unknown else "the name of the host cannot be looked up", unknown)
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return Failure(getattr(error.__cause__, "strerror", None) or str(error), False)
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return Failure(f"no connection within {min(_CONNECT, timeout):g} seconds", False)
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return Failure(f"nothing arrived for {timeout:g} seconds", False)
    cause = error.args[0] if isinstance(error, urllib3.exceptions.SSLError) and error.args else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        variable = next((name for name in _CERTIFICATES if os.environ.get(name)), _CERTIFICATES[-1])
        reason = f"its certificate is not trusted: {cause.verify_message}"
        return Failure(f"{reason}; {variable} names the certificates to trust", True)
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return Failure("the connection was lost", False)
    too_many = isinstance(error, urllib3.exceptions.ResponseError)  # redirects
    return Failure(str(error), too_many or isinstance(error, ValueError))
