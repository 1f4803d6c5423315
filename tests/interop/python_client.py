#!/usr/bin/python3
"""A client with Python's websockets for an echo server: python_client.py URL [CERTIFICATE]"""
import asyncio
import ssl
import sys

import websockets

PAYLOADS = ["Hello", "", "κόσμε 🦅 \0 end", "x" * 70000, b"\0\1\xfe\xff", b"", b"\7" * (1 << 20)]


async def talk(url, tls, compression):
    async with websockets.connect(url, ssl=tls, compression=compression, max_size=1 << 25) as connection:
        agreed = [extension.name for extension in connection.extensions]
        assert agreed == (["permessage-deflate"] if compression else []), agreed
        for payload in PAYLOADS:
            await connection.send(payload)
        await connection.send(["part 1 ", "part 2 ", "part 3"])
        for payload in [*PAYLOADS, "part 1 part 2 part 3"]:
            heard = await connection.recv()
            assert heard == payload, (payload[:40], heard[:40])
        await asyncio.wait_for(await connection.ping(), 10)
        await connection.close(3001, "enough")
        assert connection.close_code == 3001, connection.close_code


async def main():
    tls = ssl.create_default_context(cafile=sys.argv[2]) if len(sys.argv) > 2 else None
    await talk(sys.argv[1], tls, None)
    await talk(sys.argv[1], tls, "deflate")
    print("done")


asyncio.run(main())
