#!/usr/bin/python3
"""What a publish costs: CPU time of the server, by the subscribers of the topic, beside other connections and topics.

    publish.py [--connections N] [--publishes N] [--rounds N] OSPREY_PUBLISH

A client sends small messages, each of which the server publishes to one topic. Its other connections are idle, and have
no topic, one topic in common, or a topic each. A cell is the CPU time of one message in microseconds, its reading and
the writing to the subscribers included.

Then the same in clusters of one to four members, each with as many subscribers: the CPU time of the member that
publishes, beside a server without a cluster in the same round, of another member, and of the engine (medians of the
rounds). And the time from a client's message to another client's, of the same member and of another one, when there is
one message at a time.
"""
import argparse
import contextlib
import os
import pathlib
import select
import shutil
import socket
import statistics
import subprocess
import threading
import time

from measure import free_port, running

SUBSCRIBERS = 0, 1, 10, 100
BATCH = 50
REQUEST = (b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


def frame(text):
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text.encode()


def receive(sock):
    data = sock.recv(4096)
    if not data:
        raise SystemExit("the server has closed a connection")
    return data


def join(port, topic=None):
    sock = socket.create_connection(("127.0.0.1", port))
    sock.sendall(REQUEST)
    while not receive(sock).endswith(b"\r\n\r\n"):
        pass
    if topic:
        sock.sendall(frame("+" + topic))
    return sock


def settle(sock, batch=b""):
    """Sends a batch, and waits until the server has handled it. What is published may come behind the answer."""
    sock.sendall(batch + frame("?"))
    while b"?" not in receive(sock):
        pass


def cpu_nanoseconds(pid):
    """Of all threads."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


def cpu_when_quiet(pid):
    """Once no thread works any more."""
    before = -1
    while (now := cpu_nanoseconds(pid)) != before:
        before = now
        time.sleep(0.02)
    return now


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
    before = cpu_when_quiet(pid)
    for _ in range(publishes // BATCH):
        settle(publisher, batch)
    return (cpu_when_quiet(pid) - before) / (publishes // BATCH * BATCH) / 1000


def listen_in(port, count):
    """Subscribers that read from now on."""
    socks = [join(port, "target") for _ in range(count)]
    for sock in socks:
        settle(sock)
    threading.Thread(target=drain, args=(socks,), daemon=True).start()


def measure(program, connections, topic_of, publishes):
    """The costs beside each number of subscribers."""
    with running([program, str(port := free_port())], port) as (child, port):
        idle = [join(port, topic_of(i)) for i in range(connections - SUBSCRIBERS[-1] - 1)]
        publisher, listening, costs = join(port), 0, []
        for sock in idle[-1:]:
            settle(sock)   # all topics are known
        for subscribers in SUBSCRIBERS:
            listen_in(port, subscribers - listening)
            listening = subscribers
            costs.append(cost(child.pid, publisher, publishes))
        child.kill()
        return costs


CLUSTERS = 0, 1, 2, 3, 4   # members; none: a server alone, without an engine
SENDER, RECEIVER, ENGINE = range(3)


@contextlib.contextmanager
def cluster(program, members):
    """The processes: members, then the engine if there is one. And the ports of the members."""
    with contextlib.ExitStack() as stack:
        words, engines = [], []
        if members > 0:
            port = free_port()
            engine = subprocess.Popen([shutil.which("nats-server") or "/usr/sbin/nats-server", "-a", "127.0.0.1", "-p",
                                       str(port)], stderr=subprocess.PIPE, text=True)
            stack.callback(engine.wait)
            stack.callback(engine.kill)
            while "Server is ready" not in engine.stderr.readline():
                pass
            words, engines = [f"nats://127.0.0.1:{port}/bench"], [engine]
        ports = [free_port() for _ in range(max(members, 1))]
        children = [stack.enter_context(running([program, str(port), *words], port))[0] for port in ports]
        for child in children:
            stack.callback(child.kill)
        yield children + engines, ports


def hear_across(publisher, ports):
    """Returns once the topic of every member is heard from this publisher."""
    for port in ports:
        hearer = join(port, "target")
        hearer.settimeout(0.05)
        heard = False
        while not heard:
            publisher.sendall(frame("published"))
            with contextlib.suppress(TimeoutError):
                heard = receive(hearer) != b""
        hearer.close()


def measure_cluster(program, members, publishes):
    """For each number of subscribers, the CPU time of the publishing member, of another one, and of the engine."""
    with cluster(program, members) as (children, ports):
        publisher, listening, rows = join(ports[0]), 0, []
        for subscribers in SUBSCRIBERS[1:]:
            for port in ports:
                listen_in(port, subscribers - listening)
            listening = subscribers
            hear_across(publisher, ports)
            batch = frame("published") * BATCH
            settle(publisher, batch)
            before = [cpu_when_quiet(child.pid) for child in children]
            for _ in range(publishes // BATCH):
                settle(publisher, batch)
            spent = [(cpu_when_quiet(child.pid) - at) / (publishes // BATCH * BATCH) / 1000
                     for child, at in zip(children, before)]
            rows.append((spent[0], spent[1] if members > 1 else None, spent[-1] if members else None))
        publisher.close()
        return rows


def latencies(program, other):
    """Milliseconds from a message to its arrival at a client of the same member, or of the other one; in order."""
    times = []
    with cluster(program, 2) as (_, ports):
        publisher = join(ports[0])
        hear_across(publisher, ports)
        hearer = join(ports[other], "target")
        settle(hearer)
        hear_across(publisher, ports)
        hearer.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while receive(hearer):
                pass
        hearer.settimeout(60)
        for _ in range(2000):
            begun = time.perf_counter()
            publisher.sendall(frame("published"))
            receive(hearer)
            times.append((time.perf_counter() - begun) * 1000)
    return sorted(times)


def print_clusters(program, publishes, rounds):
    measured = [[measure_cluster(program, members, publishes) for members in CLUSTERS] for _ in range(rounds)]
    print(f"\n{'members':>7}  {'CPU of':12}" + "".join(f"{f'{n} subscribers each':>26}" for n in SUBSCRIBERS[1:]))
    for at, members in enumerate(CLUSTERS):
        for who, name in enumerate(("the sender", "another one", "the engine")):
            cells = []
            for column in range(len(SUBSCRIBERS) - 1):
                of_rounds = [each[at][column][who] for each in measured]
                if None in of_rounds:
                    continue
                ratio = statistics.median(each[at][column][who] / each[0][column][who] for each in measured
                                          ) if who == SENDER else None
                cells.append(f"{statistics.median(of_rounds):10.2f} µs" +
                             (f" {ratio:8.2f} times" if ratio else " " * 15))
            if cells:
                print(f"{members:7}  {name:12}" + "".join(f"{cell:>26}" for cell in cells))
    for other, name in enumerate(("the same member", "another member")):
        times = latencies(program, other)
        print(f"to a client of {name}: median {statistics.median(times):.3f} ms, "
              f"99th percentile {times[len(times) * 99 // 100]:.3f} ms")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=10000)
    parser.add_argument("--publishes", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("program")
    arguments = parser.parse_args()
    few, many = SUBSCRIBERS[-1] + 1, arguments.connections
    rows = [(few, "no topic", lambda i: None), (many, "no topic", lambda i: None),
            (many, "one topic", lambda i: "other"), (many, "a topic each", lambda i: f"topic {i}")]
    print(f"{'connections':>11}  {'the others have':15}" + "".join(f"{f'{n} subscribers':>16}" for n in SUBSCRIBERS))
    for connections, name, topic_of in rows:
        costs = measure(arguments.program, connections, topic_of, arguments.publishes)
        print(f"{connections:11}  {name:15}" + "".join(f"{each:13.2f} µs" for each in costs), flush=True)
    print_clusters(arguments.program, arguments.publishes, arguments.rounds)


if __name__ == "__main__":
    main()
