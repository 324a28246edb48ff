"""A mail server: STARTTLS or TLS from the start, AUTH, SIZE, line lengths, recipients that it refuses, answers by script.

    with far_ends.Smtp(tls=(cert, key), user="u", password="p") as server:
        server.script(MAIL="451 4.7.1 greylisted")     # once, instead of what it would answer
        server.refuse["gone@example.com"] = "550 5.1.1 no such user"
        ... server.mails: (from, recipients, message of email.message)

What breaks the protocol is a problem; what is merely careless is a complaint.
"""
import base64
import email
import email.policy
import re
import socket
import ssl
import threading

from .resend import look_at_html

GONE, HANG = object(), object()  # in a script: the connection is cut; no answer until the server stops


class _Session:
    def __init__(self, server, conn):
        self.server, self.conn, self.file = server, conn, conn.makefile("rb")
        self.encrypted = server.implicit
        self.logged_in, self.sender, self.recipients = False, None, []

    def say(self, *lines):
        for line in lines[:-1]:
            self.conn.sendall(line[:3].encode() + b"-" + line[4:].encode() + b"\r\n")
        self.conn.sendall(lines[-1].encode() + b"\r\n")

    def problem(self, why):
        self.server.problems.append(why)
        self.say(f"500 {why}")

    def told(self, word):
        """Whether a script answers this; what it says is said."""
        answer = self.server.next(word)
        if answer is None:
            return False
        if answer is GONE:
            raise ConnectionAbortedError
        if answer is HANG:
            self.server.stopped.wait()
            raise ConnectionAbortedError
        self.say(answer)
        return True

    def run(self):
        if not self.told("CONNECT"):
            self.say("220 far.example ESMTP")
        while line := self.file.readline(4096):
            if not line.endswith(b"\r\n") or len(line) > 1000:
                self.problem("a line that is too long, or ends with LF alone")
                continue
            line = line[:-2].decode("utf-8", "replace")
            word = line.split(" ")[0].upper()
            self.server.commands.append("AUTH" if word == "AUTH" else line)
            if word == "QUIT":
                self.say("221 bye")
                return
            if self.told(word):
                continue
            getattr(self, f"on_{word.lower()}", lambda _: self.problem(f"no such command: {word}"))(line)

    def on_ehlo(self, line):
        if not re.fullmatch(r"EHLO [A-Za-z0-9.:\[\]_-]+", line):
            return self.problem("EHLO without a name")
        features = ["250 far.example", "250 SIZE 1000000", "250 8BITMIME"]
        if self.server.context and not self.encrypted:
            features.append("250 STARTTLS")
        if self.server.user and (self.encrypted or not self.server.context):
            features.append(f"250 AUTH {self.server.mechanisms}")
        return self.say(*features)

    def on_starttls(self, _):
        if self.encrypted or not self.server.context:
            return self.problem("STARTTLS where there is none")
        self.say("220 go on")
        self.conn = self.server.context.wrap_socket(self.conn, server_side=True)
        self.file = self.conn.makefile("rb")
        self.encrypted = True
        return None

    def read_word(self):
        return base64.b64decode(self.file.readline(4096).strip()).decode()

    def on_auth(self, line):
        if not self.encrypted:
            return self.problem("a password without TLS")
        words = line.split(" ")
        if words[1] == "PLAIN":
            if len(words) < 3:
                self.say("334 ")
            raw = base64.b64decode(words[2]).decode() if len(words) > 2 else self.read_word()
            _, user, password = raw.split("\0")
        elif words[1] == "LOGIN":
            if len(words) > 2:
                user = base64.b64decode(words[2]).decode()
            else:
                self.say("334 VXNlcm5hbWU6")
                user = self.read_word()
            self.say("334 UGFzc3dvcmQ6")
            password = self.read_word()
        else:
            return self.problem(f"no such mechanism: {words[1]}")
        self.logged_in = (user, password) == (self.server.user, self.server.password)
        return self.say("235 welcome" if self.logged_in else f"535 5.7.8 no: {password} is wrong, {line}")

    def on_mail(self, line):
        match = re.fullmatch(r"MAIL FROM:<([^<>@\s]+@[^<>@\s]+)>((?: [A-Z0-9]+=\S+)*)", line)
        if not match:
            return self.problem(f"no sender: {line!r}")
        if self.server.user and not self.logged_in:
            return self.say("530 5.7.0 log in first")
        size = re.search(r"SIZE=(\d+)", match[2])
        if size and int(size[1]) > 1000000:
            return self.say("552 5.3.4 too large")
        self.sender, self.recipients = match[1], []
        return self.say("250 ok")

    def on_rcpt(self, line):
        match = re.fullmatch(r"RCPT TO:<([^<>@\s]+@[^<>@\s]+)>", line)
        if not match or self.sender is None:
            return self.problem(f"no recipient: {line!r}")
        if match[1] in self.server.refuse:
            return self.say(self.server.refuse[match[1]])
        self.recipients.append(match[1])
        return self.say("250 ok")

    def on_data(self, _):
        if not self.recipients:
            return self.say("554 5.5.1 nobody to give it to")
        self.say("354 go on")
        lines = []
        while (line := self.file.readline(1 << 20)) != b".\r\n":
            if not line:
                return None
            if not line.endswith(b"\r\n") or len(line) > 1000 or line.rstrip(b"\r\n").count(b"\r"):
                self.server.problems.append(f"a line of {len(line)} bytes, ending with {line[-2:]!r}")
            lines.append(line[1:] if line.startswith(b".") else line)
        if self.server.peek("BODY") is not GONE or self.server.keeps:
            self.server.take(self.sender, self.recipients, b"".join(lines))
        self.sender = None
        if not self.told("BODY"):
            self.say("250 2.0.0 queued")
        return None


class Smtp:
    """`tls`: (certificate, key) or None; `implicit`: from the first byte on."""

    def __init__(self, tls=None, implicit=False, user=None, password=None, mechanisms="PLAIN LOGIN"):
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*tls)
        self.implicit, self.user, self.password, self.mechanisms = implicit, user, password, mechanisms
        self.mails, self.problems, self.complaints, self.commands = [], [], [], []
        self.refuse, self.scripted, self.keeps = {}, {}, False
        self.lock, self.stopped = threading.Lock(), threading.Event()

    def script(self, **answers):
        """For the next command of each word; CONNECT is the greeting, BODY what follows a message."""
        with self.lock:
            for word, answer in answers.items():
                self.scripted.setdefault(word, []).append(answer)

    def peek(self, word):
        with self.lock:
            return (self.scripted.get(word) or [None])[0]

    def next(self, word):
        with self.lock:
            return self.scripted[word].pop(0) if self.scripted.get(word) else None

    def take(self, sender, recipients, data):
        message = email.message_from_bytes(data, policy=email.policy.SMTP)
        try:
            data.decode("ascii")
        except UnicodeDecodeError:
            self.problems.append("the message is not ASCII")
        if message.defects:
            self.problems.append(f"the message has defects: {message.defects}")
        parts = [part.get_content_type() for part in message.walk()]
        if parts != ["multipart/alternative", "text/plain", "text/html"]:
            self.problems.append(f"the message has {parts}")
        for name in ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version"):
            if len(message.get_all(name, [])) != 1:
                self.problems.append(f"the message has {len(message.get_all(name, []))} {name}")
        if any(len(line) > 78 for line in data.split(b"\r\n\r\n")[0].split(b"\r\n") if b"@" not in line):
            self.complaints.append("a line of the head is longer than 78")
        body = message.get_body(("html",))
        if body is not None:
            self.complaints += look_at_html(body.get_content())[0]
        with self.lock:
            self.mails.append((sender, list(recipients), message))

    def serve(self, conn):
        try:
            conn.settimeout(30)
            if self.implicit:
                conn = self.context.wrap_socket(conn, server_side=True)
            _Session(self, conn).run()
        except (OSError, ValueError):
            pass
        finally:
            conn.close()

    def accept(self):
        while not self.stopped.is_set():
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def __enter__(self):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(32)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
