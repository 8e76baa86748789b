"""The site on a port of this machine."""

from __future__ import annotations

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler, get_internal_wsgi_application

__all__ = ["serve"]


class Quiet(WSGIRequestHandler):
    """Handles requests and logs none."""

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing; errors are Django's to report."""


def serve(host: str, port: int) -> None:
    """Serve until an interrupt, and print the URL first; port 0 is any that is free.

    Raises ``OSError`` where the port cannot be had.
    """
    ThreadedWSGIServer.daemon_threads = True
    with ThreadedWSGIServer((host, port), Quiet, ipv6=False) as server:
        server.set_app(StaticFilesHandler(get_internal_wsgi_application()))
        print(f"http://{host}:{server.server_port}/  (Ctrl-C ends it)", flush=True)
        server.serve_forever()
