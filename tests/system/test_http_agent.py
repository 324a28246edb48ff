"""What the YAML says about HTTP reaches the server: addresses, the Unix socket, TLS, hosts, the token."""
import os
import shutil
import socket
import ssl
import stat
import subprocess
import unittest

import lab


def make_certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-keyout", folder / "key", "-out", folder / "cert"],
                   check=True, capture_output=True)


def over_tls(port, path="/livez"):
    """(status line, the certificate in DER, all of the answer)"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=10 * lab.PATIENCE) as sock:
        with context.wrap_socket(sock, server_hostname="localhost") as tls:
            certificate = tls.getpeercert(binary_form=True)
            tls.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = tls.makefile("rb").read().decode()
            return answer.split("\r\n", 1)[0], certificate, answer


class HttpOfTheAgent(unittest.TestCase):
    def setUp(self):
        self.dir = lab.scratch("httpa")

    def tearDown(self):
        shutil.rmtree(self.dir)

    def test_socket_and_addresses_follow_a_reload(self):
        port, path = lab.free_port(), self.dir / "s"
        with lab.Agent(until="ready") as agent:
            both = [f"127.0.0.1:{agent.port}", f"unix:{path}"]
            agent.write(agent.render(agent={"listen": both}))
            self.assertEqual(agent.cli("reload")[0], 0)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
            self.assertEqual(lab.get("/livez", unix=str(path)).status, 200)
            agent.write(agent.render(agent={"listen": [both[0], f"127.0.0.1:{port}"]}))
            self.assertEqual(agent.cli("reload")[0], 0)
            self.assertEqual(lab.get("/livez", port=port).status, 200)
            self.assertFalse(path.exists())

    def test_an_address_that_is_taken_fails_the_reload_and_changes_nothing(self):
        with lab.Agent(until="ready") as agent, socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            number = taken.getsockname()[1]
            agent.write(agent.render(agent={"listen": [f"127.0.0.1:{agent.port}", f"127.0.0.1:{number}"]}))
            answer = agent.get("/api/v1/reload", method="POST")
            self.assertGreaterEqual(answer.status, 400)
            self.assertIn(str(number), answer.text)
            self.assertEqual(agent.get("/livez").status, 200)

    @unittest.skipUnless(shutil.which("openssl"), "needs openssl")
    def test_tls_and_a_new_certificate(self):
        make_certificate(self.dir, "first")
        tls = {"tls": {"certificate": str(self.dir / "cert"), "key": str(self.dir / "key")}}
        with lab.Agent(agent=tls, until=None) as agent:
            def live():
                line, certificate, answer = over_tls(agent.port)
                self.assertIn(" 200 ", line)
                self.assertIn("strict-transport-security", answer.lower())
                return certificate
            first = lab.wait_for(live, 20, "TLS")
            agent.wait_log("toiletmon is running")
            make_certificate(self.dir, "second")
            agent.reload()
            lab.wait_for(lambda: live() != first, 10, "the new certificate")
            second = live()
            (self.dir / "cert").write_text("nothing")
            agent.reload()
            agent.wait_log("(?i)tls|certificate")
            self.assertEqual(live(), second)

    def test_hosts_and_token(self):
        token = "canary-of-the-write-token"
        with lab.Agent(agent={"hosts": ["status.example.org"], "tokens": {"write": token}}, until="ready") as agent:
            self.assertEqual(agent.get("/livez", headers={"Host": "status.example.org"}).status, 200)
            self.assertEqual(agent.get("/livez", headers={"Host": "evil.example"}).status, 421)
            proxied = {"X-Forwarded-For": "203.0.113.9"}
            refused = agent.get("/api/v1/reload", method="POST", headers=proxied)
            self.assertEqual(refused.status, 401)
            done = agent.get("/api/v1/reload", method="POST", headers={**proxied, "Authorization": f"Bearer {token}"})
            self.assertEqual(done.status, 200, done.text)
            for path in ("/api/v1/status", "/api/v1/plugins", "/api/v1/checks", "/api/health", "/metrics"):
                self.assertNotIn(token, agent.get(path).text)
            self.assertNotIn(token, agent.log())


if __name__ == "__main__":
    unittest.main()
