"""Programs that are not ours between the gateway and the cloud: nginx and nghttpx, which end TLS with
a certificate of their own, and tinyproxy, which lets TLS through.

    with Nginx(tmp_path, cloud, http2=True) as front:
        Gateway(base_url=front.base_url, ca=front.ca, …)
        front.requests()        # by its own log

Each runs in the foreground in a folder of its own and is ended by its pid.
"""
import collections
import os
import pathlib
import shutil
import signal
import socket
import subprocess

from ports import free_port
from waiting import wait_for

SBIN = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"


def program(name):
    found = shutil.which(name, path=SBIN)
    assert found, f"{name} is not installed: ./dev deps"
    return found


def openssl(*args, text=None):
    return subprocess.run([program("openssl"), *map(str, args)], check=True, input=text,
                          capture_output=True).stdout


class Certificate:
    """A CA and a certificate of 127.0.0.1 and localhost by it: ca, cert and key are files."""

    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.ca, self.cert, self.key = (folder / n for n in ("ca.pem", "cert.pem", "key.pem"))
        ca_key, request, names = folder / "ca.key", folder / "request", folder / "names"
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        names.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        openssl("req", "-x509", *new_key, "-keyout", ca_key, "-out", self.ca, "-days", "2",
                "-subj", "/CN=a CA of a test")
        openssl("req", *new_key, "-keyout", self.key, "-out", request, "-subj", "/CN=front")
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key,
                "-CAcreateserial", "-days", "2", "-extfile", names, "-out", self.cert)


# One line a request, as the front's own log has it.
Request = collections.namedtuple("Request", "connection protocol status line")


class Front:
    """What the three share. cloud: the Sandbox behind it."""

    def __init__(self, under, cloud):
        self.dir = pathlib.Path(under) / type(self).__name__.lower()
        self.dir.mkdir(parents=True)
        self.cloud = cloud
        self.port = free_port()
        self.access, self.errors = self.dir / "access", self.dir / "errors"
        self.process = None

    def command(self):
        raise NotImplementedError

    def __enter__(self):
        with open(self.dir / "output", "ab") as output:
            self.process = subprocess.Popen(self.command(), cwd=self.dir, stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output)
        wait_for(self._listens, f"it listens; see {self.dir}")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def _listens(self):
        assert self.process.poll() is None, (self.dir / "output").read_text()
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def requests(self, what=""):
        """Those whose first line begins so."""
        return [r for r in (Request(*line.split(" ", 3)) for line in
                            self.access.read_text().splitlines()) if r.line.startswith(what)]


class Terminator(Front):
    """It ends TLS."""

    def __init__(self, under, cloud):
        super().__init__(under, cloud)
        self.certificate = Certificate(self.dir / "certificate")
        self.ca = self.certificate.ca
        self.base_url = f"https://127.0.0.1:{self.port}/v1"


class Nginx(Terminator):
    """keepalive: so many requests a connection, then it is closed (HTTP/1.1) or drained (HTTP/2)."""

    def __init__(self, under, cloud, http2, keepalive=1000):
        super().__init__(under, cloud)
        self.config = self.dir / "nginx.conf"
        temporary = "\n".join(f"{kind}_temp_path {self.dir / kind};" for kind in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.config.write_text(f"""
daemon off;
master_process off;
pid {self.dir / "pid"};
error_log {self.errors} info;
events {{ worker_connections 256; }}
http {{
	{temporary}
	log_format mine '$connection $server_protocol $status $request';
	access_log {self.access} mine;
	upstream cloud {{ server 127.0.0.1:{cloud.port}; keepalive 16; }}
	server {{
		listen 127.0.0.1:{self.port} ssl {"http2" if http2 else ""};
		ssl_certificate {self.certificate.cert};
		ssl_certificate_key {self.certificate.key};
		keepalive_requests {keepalive};
		location / {{
			proxy_pass https://cloud;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_next_upstream off;
			proxy_ssl_trusted_certificate {cloud.ca};
			proxy_ssl_verify on;
			proxy_ssl_name localhost;
		}}
	}}
}}
""")

    def command(self):
        return [program("nginx"), "-p", str(self.dir), "-e", str(self.errors), "-c", str(self.config)]


class Nghttpx(Terminator):
    """HTTP/2 by the library that curl speaks it with, on the other side."""

    def command(self):
        return [program("nghttpx"), "--conf=/dev/null", "--workers=1",
                f"--frontend=127.0.0.1,{self.port}",
                f"--backend=127.0.0.1,{self.cloud.port};;tls;proto=http/1.1;sni=localhost",
                f"--cacert={self.cloud.ca}", f"--accesslog-file={self.access}",
                "--accesslog-format=$remote_port $alpn $status $request",
                f"--errorlog-file={self.errors}", str(self.certificate.key),
                str(self.certificate.cert)]


class Tinyproxy(Front):
    """A forward proxy that wants a login. It sees names and bytes, nothing of what is in TLS."""

    def __init__(self, under, cloud, user, password):
        super().__init__(under, cloud)
        self.config = self.dir / "tinyproxy.conf"
        self.config.write_text(f"""
Port {self.port}
Listen 127.0.0.1
Timeout 600
LogFile "{self.access}"
LogLevel Connect
MaxClients 100
Allow 127.0.0.1
BasicAuth {user} {password}
""")

    def command(self):
        return [program("tinyproxy"), "-d", "-c", str(self.config)]

    def tunnels(self):
        """How many times it was asked for the cloud."""
        return self.access.read_text().count(f"CONNECT 127.0.0.1:{self.cloud.port} ")
