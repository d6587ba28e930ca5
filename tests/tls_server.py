"""An HTTPS server on a free port of 127.0.0.1: tls_server.py CERT KEY

It prints the port, and serves one connection after the other.  Each answer
tells which connection it came on, which request of it it answers, and whether
the TLS session was resumed: "connection 2, request 1, new session".  The path
/close has it say so and close behind the answer.
"""

import socket
import ssl
import sys


def head(stream):
    lines = []
    while (line := stream.readline().strip()):
        lines.append(line.decode("latin1"))
    return lines


def serve(conn, number):
    stream = conn.makefile("rb")
    session = "resumed" if conn.session_reused else "new"
    n = 0
    while (lines := head(stream)):
        n += 1
        last = lines[0].split(" ")[1] == "/close"
        body = f"connection {number}, request {n}, {session} session"
        conn.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
                     f"Connection: {'close' if last else 'keep-alive'}\r\n"
                     f"\r\n{body}".encode())
        if last:
            return


def main(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    number = 0
    while True:
        plain, _ = listener.accept()
        number += 1
        try:
            with context.wrap_socket(plain, server_side=True) as conn:
                serve(conn, number)
        except OSError:     # no handshake, or the client is gone
            plain.close()


main(*sys.argv[1:])
