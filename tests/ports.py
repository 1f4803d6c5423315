"""Ports for the programs under test, which bind them some time after they were chosen."""
import random
import socket

CLAIMS = []   # sockets, open as long as this process: a port of UDP says that a test has the same port of TCP


def free_port():
    """A port that nobody has, and that no other test will choose. It is below those that the kernel gives to clients:
    one of them could take it before the program does. Browsers refuse 10080."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as limits:
        first = int(limits.read().split()[0])
    while True:
        port = random.randrange(min(10100, first // 2), first)
        claim = socket.socket(type=socket.SOCK_DGRAM)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                claim.bind(("127.0.0.1", port))
                probe.bind(("127.0.0.1", port))
            except OSError:
                claim.close()   # somebody has it
                continue
        CLAIMS.append(claim)
        return port


if __name__ == "__main__":
    print(free_port())
