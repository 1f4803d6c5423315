#!/usr/bin/python3
"""What a publish costs: CPU time of the server, by the subscribers of the topic, beside other connections and topics.

    publish.py [--connections N] [--publishes N] OSPREY_PUBLISH

A client sends small messages, each of which the server publishes to one topic. Its other connections are idle, and have
no topic, one topic in common, or a topic each. A cell is the CPU time of one message in microseconds, its reading and
the writing to the subscribers included.
"""
import argparse
import os
import pathlib
import select
import socket
import threading

from measure import Server, free_port

SUBSCRIBERS = 0, 1, 10, 100
BATCH = 50
REQUEST = (b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


def frame(text):
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text.encode()


def join(port, topic=None):
    sock = socket.create_connection(("127.0.0.1", port))
    sock.sendall(REQUEST)
    while not sock.recv(4096).endswith(b"\r\n\r\n"):
        pass
    if topic:
        sock.sendall(frame("+" + topic))
    return sock


def settle(sock, batch=b""):
    """Sends a batch, and waits until the server has handled it."""
    sock.sendall(batch + frame("?"))
    while not sock.recv(4096).endswith(b"?"):
        pass


def cpu_nanoseconds(pid):
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


def drain(socks):
    """Reads from the sockets until they close."""
    poller = select.epoll()
    for sock in socks:
        poller.register(sock, select.EPOLLIN)
    while socks:
        for fd, _ in poller.poll():
            if not os.read(fd, 1 << 16):
                return


def cost(pid, publisher, publishes):
    batch = frame("published") * BATCH
    settle(publisher, batch)
    before = cpu_nanoseconds(pid)
    for _ in range(publishes // BATCH):
        settle(publisher, batch)
    return (cpu_nanoseconds(pid) - before) / (publishes // BATCH * BATCH) / 1000


def measure(program, connections, topic_of, publishes):
    """The costs beside each number of subscribers."""
    server = Server([program, str(port := free_port())], port)
    try:
        idle = [join(port, topic_of(i)) for i in range(connections - SUBSCRIBERS[-1] - 1)]
        publisher, listening, costs = join(port), [], []
        for sock in idle[-1:]:
            settle(sock)   # all topics are known
        for subscribers in SUBSCRIBERS:
            joining = [join(port, "target") for _ in range(subscribers - len(listening))]
            for sock in joining:
                settle(sock)
            threading.Thread(target=drain, args=(joining,), daemon=True).start()
            listening += joining
            costs.append(cost(server.child.pid, publisher, publishes))
        for sock in idle + [publisher]:
            sock.close()
        return costs
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--publishes", type=int, default=20000)
    parser.add_argument("program")
    arguments = parser.parse_args()
    few, many = SUBSCRIBERS[-1] + 1, arguments.connections
    rows = [(few, "no topic", lambda i: None), (many, "no topic", lambda i: None),
            (many, "one topic", lambda i: "other"), (many, "a topic each", lambda i: f"topic {i}")]
    print(f"{'connections':>11}  {'the others have':15}" + "".join(f"{f'{n} subscribers':>16}" for n in SUBSCRIBERS))
    for connections, name, topic_of in rows:
        costs = measure(arguments.program, connections, topic_of, arguments.publishes)
        print(f"{connections:11}  {name:15}" + "".join(f"{each:13.2f} µs" for each in costs), flush=True)


main()
