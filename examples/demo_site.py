"""A web server on the loopback interface that answers /weather?city=NAME with JSON, for a while, and then ends."""

from __future__ import annotations

import argparse
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Site(BaseHTTPRequestHandler):
    """Answers every request about the weather with the same pleasant one."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path != "/weather":
            self.send_error(404)
            return
        city = parse_qs(address.query).get("city", ["nowhere"])[0]
        body = json.dumps({"city": city, "sky": "clear", "celsius": 21}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=18765)
    parser.add_argument("--for", dest="seconds", type=float, default=25)
    options = parser.parse_args()
    with ThreadingHTTPServer(("127.0.0.1", options.port), Site) as server:
        print(f"serving http://127.0.0.1:{server.server_port}/weather for {options.seconds:g} s", flush=True)
        threading.Timer(options.seconds, server.shutdown).start()
        server.serve_forever()
    print("closed")


if __name__ == "__main__":
    main()
