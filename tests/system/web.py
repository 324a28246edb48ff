"""HTTP servers that behave, or misbehave, as a test says: raw bytes, one thread a connection.

    with web.Web({"/": web.ok(b"hello")}) as server:
        server.url("/")

A route is bytes to send, or a function of a Request that returns bytes (the connection lives on), or None
(it is closed). A request's `send` sends at once; `wait()` blocks until the server is stopped.
"""
import contextlib
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time


def answer(status, body=b"", *headers, reason="Whatever", length=True):
    lines = [f"HTTP/1.1 {status} {reason}".encode(), *(header.encode() for header in headers)]
    if length:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def ok(body=b"ok", *headers):
    return answer(200, body, *headers)


def redirect(location, status=302):
    return answer(status, b"elsewhere", f"Location: {location}")


def hang(request):
    request.wait()


def drip(request):
    """A byte now and then, without end."""
    request.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not request.stopped.wait(0.05):
        request.send(b"x")


class Request:
    def __init__(self, server, conn, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.conn, self.stopped = conn, server.stopped

    def send(self, data):
        self.conn.sendall(data)

    def wait(self):
        self.stopped.wait()


class Certificates:
    """A CA and certificates signed by it, in a folder of their own."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tmon-ca-", dir="/tmp"))
        self.ca = self.dir / "ca.crt"
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "300",
                 "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.crt")
        (self.dir / "index").touch()
        (self.dir / "ca.conf").write_text(
            "[ca]\ndefault_ca = test\n[test]\ndatabase = index\nnew_certs_dir = .\nserial = serial\nrand_serial = yes\n"
            "unique_subject = no\ndefault_md = sha256\npolicy = any\ncertificate = ca.crt\nprivate_key = ca.key\n"
            "[any]\ncommonName = supplied\n")

    def run(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.dir, check=True, capture_output=True, timeout=60)

    def make(self, name="localhost", days=30):
        """Certificate and key for `name` and 127.0.0.1; negative days: it has run out."""
        stem = f"{name}-{days}".replace("*", "_")
        if not (self.dir / f"{stem}.crt").exists():
            (self.dir / f"{stem}.ext").write_text(f"subjectAltName=DNS:{name},IP:127.0.0.1\n")
            self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                     "-keyout", f"{stem}.key", "-out", f"{stem}.csr")
            end = time.gmtime(time.time() + days * 86400)  # `openssl x509 -days` knows no past
            self.run("ca", "-batch", "-config", "ca.conf", "-in", f"{stem}.csr", "-out", f"{stem}.crt", "-notext",
                     "-startdate", "20200101000000Z", "-enddate", time.strftime("%Y%m%d%H%M%SZ", end),
                     "-extfile", f"{stem}.ext")
        return self.dir / f"{stem}.crt", self.dir / f"{stem}.key"

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class Web:
    def __init__(self, routes, tls=None, unix=False, family=socket.AF_INET, host="127.0.0.1"):
        self.routes, self.host = routes, host
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.seen = []  # requests, as they came in
        self.connections = 0
        self.open = set()
        self.dir = None
        self.tls = None
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
        if unix:
            self.dir = tempfile.mkdtemp(prefix="tmon-web-", dir="/tmp")
            self.path = os.path.join(self.dir, "socket")
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.bind(self.path)
            self.port = None
        else:
            self.sock = socket.socket(family)
            self.sock.bind((host, 0))
            self.port = self.sock.getsockname()[1]
        self.sock.listen(128)

    def url(self, path="/", host=None):
        return f"{'https' if self.tls else 'http'}://{host or self.host}:{self.port}{path}"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        with self.lock:
            for conn in self.open:
                with contextlib.suppress(OSError):
                    conn.shutdown(socket.SHUT_RDWR)
        if self.dir:
            shutil.rmtree(self.dir, ignore_errors=True)

    def accept(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            if self.port:
                conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections += 1
                self.open.add(conn)
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, raw):
        conn = raw
        try:
            if self.tls:
                conn = self.tls.wrap_socket(raw, server_side=True)
                with self.lock:
                    self.open.add(conn)
            with conn.makefile("rb") as file:
                while self.one(conn, file):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.open.discard(raw)
                self.open.discard(conn)
            with contextlib.suppress(OSError):
                conn.close()

    def one(self, conn, file):
        words = file.readline(65536).decode("latin-1").split()
        if len(words) < 3:
            return False
        headers = {}
        while True:
            line = file.readline(65536).decode("latin-1").strip()
            if not line:
                break
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = file.read(int(headers.get("content-length") or 0))
        request = Request(self, conn, words[0], words[1], headers, body)
        with self.lock:
            self.seen.append(request)
        route = self.routes.get(words[1].split("?")[0], answer(404))
        data = route(request) if callable(route) else route
        if data is None:
            return False
        conn.sendall(data)
        return b"connection: close" not in data.split(b"\r\n\r\n")[0].lower()
