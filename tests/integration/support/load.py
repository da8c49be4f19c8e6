"""Many calls at the same moment."""
import asyncio

from .http import AsyncClient


async def all_at_once(requests):
    """Opens one connection for each (address, method, path, headers, body), then sends them all.

    The replies come back in the order of the requests.
    """
    clients = [await AsyncClient.open(address) for address, *_ in requests]
    try:
        return await asyncio.gather(*(client.call(*request)
                                      for client, (_, *request) in zip(clients, requests)))
    finally:
        for client in clients:
            client.close()
