#!/usr/bin/env python3
"""Serves the time-stamp authority that authority.sh made in this folder: questions (RFC 3161, section 3.4) are answered by `openssl ts`, and its revocation list is there.

usage: authority.py ADDRESS PORT
"""
import http.server, subprocess, sys, tempfile


class Authority(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        with tempfile.NamedTemporaryFile() as question, tempfile.NamedTemporaryFile() as answer:
            question.write(self.rfile.read(int(self.headers["Content-Length"])))
            question.flush()
            subprocess.run(["openssl", "ts", "-reply", "-config", "authority.cnf", "-queryfile", question.name, "-out", answer.name], check=True, stderr=subprocess.DEVNULL)
            self.give("application/timestamp-reply", answer.read())

    def do_GET(self):
        if self.path != "/root.crl":
            self.send_error(404)
            return
        with open("root.crl", "rb") as file:
            self.give("application/pkix-crl", file.read())

    def give(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Authority)
print(f"The authority answers on http://{sys.argv[1]}:{sys.argv[2]}/", flush=True)
server.serve_forever()
