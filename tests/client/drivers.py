"""One set of cases, six drivers: blocking and asynchronous, each with httpx, with httpx2, and with connections of its own."""

import asyncio

import httpx
import httpx2

from diptych import AsyncClient, Client


class Sync:
    """Calls of the blocking client."""

    def __init__(self, library):
        self.library = library

    def call(self, base_url, x, *, stream=False, options=None, **params):
        with self.library.Client(timeout=None) as http, Client(base_url, http=http, **(options or {})) as client:
            if not stream:
                return client.send(x, **params)
            with client.stream(x, **params) as deltas:
                for _ in deltas:
                    pass
                return deltas.reply


class Own(Sync):
    """The blocking client with connections of its own."""

    def __init__(self):
        super().__init__(None)

    def call(self, base_url, x, *, stream=False, options=None, **params):
        with Client(base_url, **(options or {})) as client:
            if not stream:
                return client.send(x, **params)
            with client.stream(x, **params) as deltas:
                for _ in deltas:
                    pass
                return deltas.reply


class Async(Sync):
    """The same calls awaited."""

    def call(self, base_url, x, *, stream=False, options=None, **params):
        async def run():
            async with (
                self.library.AsyncClient(timeout=None) as http,
                AsyncClient(base_url, http=http, **(options or {})) as client,
            ):
                if not stream:
                    return await client.send(x, **params)
                async with client.stream(x, **params) as deltas:
                    async for _ in deltas:
                        pass
                    return deltas.reply

        return asyncio.run(run())


class OwnAsync(Sync):
    """The asynchronous client with connections of its own."""

    def __init__(self):
        super().__init__(None)

    def call(self, base_url, x, *, stream=False, options=None, **params):
        async def run():
            async with AsyncClient(base_url, **(options or {})) as client:
                if not stream:
                    return await client.send(x, **params)
                async with client.stream(x, **params) as deltas:
                    async for _ in deltas:
                        pass
                    return deltas.reply

        return asyncio.run(run())


DRIVERS = {
    "sync-own": Own(),
    "async-own": OwnAsync(),
    "sync-httpx": Sync(httpx),
    "sync-httpx2": Sync(httpx2),
    "async-httpx": Async(httpx),
    "async-httpx2": Async(httpx2),
}
