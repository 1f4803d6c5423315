#!/usr/bin/python3
"""An echo server with Python's websockets: python_server.py [CERTIFICATE KEY]. Prints its port. Serves until end of
input."""
import asyncio
import contextlib
import ssl
import sys

import websockets


async def echo(connection):
    with contextlib.suppress(websockets.ConnectionClosed):
        async for message in connection:
            await connection.send(message)


async def main():
    tls = None
    if len(sys.argv) > 2:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*sys.argv[1:3])
    async with websockets.serve(echo, "127.0.0.1", 0, ssl=tls, max_size=1 << 25) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
