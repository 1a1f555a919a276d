"""Starts the BigQuery emulator on a free port of the loopback interface and writes its address.

Usage: bigquery_emulator.py ADDRESS_FILE [OWNER_PID]

The file gets `127.0.0.1:PORT` once the emulator answers. It ends on SIGTERM or SIGINT, and with its owner.
"""

import asyncio
import os
import signal
import sys
import urllib.request

from bqemulator.config import LogLevel, Settings
from bqemulator.server import EmulatorServer
from bqemulator.storage.engine import DuckDBEngine

# The geography extension would be downloaded at every start; no table here has a geography.
DuckDBEngine._load_spatial = lambda self: None


async def serve(address_file: str, owner: int | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if owner is not None:
        # Readable when the process has ended, in whatever way.
        loop.add_reader(os.pidfd_open(owner), stop.set)
    server = EmulatorServer(
        Settings(
            rest_host="127.0.0.1",
            rest_port=0,
            grpc_host="127.0.0.1",
            grpc_port=0,
            enable_format_extensions=False,
            log_level=LogLevel.WARNING,
        )
    )
    await server.start()
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        await asyncio.to_thread(direct.open, f"{server.rest_url}/readyz", None, 10)
        # Whole or not at all: the script waits for the file.
        with open(f"{address_file}.new", "w") as file:
            file.write(f"127.0.0.1:{server.rest_port}\n")
        os.replace(f"{address_file}.new", address_file)
        await stop.wait()
    finally:
        await server.stop()


asyncio.run(serve(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None))
