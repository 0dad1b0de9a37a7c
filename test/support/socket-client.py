"""A Socket.IO client of the Python line, told what to do on standard input and telling what it hears on standard output.

Arguments: sync or async, the URL, the transports, where the token is shown (auth, header or nowhere), the token. Each
line of either stream is JSON.
"""

import asyncio
import base64
import json
import sys
import threading

import socketio

KIND, URL, TRANSPORTS, PLACE, TOKEN = sys.argv[1:6]
AUTH = {'token': TOKEN} if PLACE == 'auth' else None
HEADERS = {'Authorization': 'Bearer ' + TOKEN} if PLACE == 'header' else {}
# By itself it would also come back when it was refused, for ever.
OPTIONS = {'reconnection': PLACE != 'nowhere', 'reconnection_delay': 0.05, 'randomization_factor': 0}
WAIT_SECONDS = 2 if PLACE == 'nowhere' else 20


# The handlers of the one client are called in threads.
SPEAKING = threading.Lock()


def say(event, *data):
    plain = [{'base64': base64.b64encode(one).decode()} if isinstance(one, bytes) else one for one in data]
    with SPEAKING:
        print(json.dumps({'event': event, 'data': plain}), flush=True)


def payload_of(order):
    return base64.b64decode(order['base64']) if 'base64' in order else order['value']


def listen(client):
    """Handlers may be plain functions for either client."""
    for event in ('connect', 'disconnect', 'connect_error', 'connected', 'session_update', 'pong'):
        client.on(event, lambda *data, event=event: say(event, *data))


def orders():
    for line in sys.stdin:
        yield json.loads(line)


def main():
    client = socketio.Client(**OPTIONS)
    listen(client)
    try:
        client.connect(URL, auth=AUTH, headers=HEADERS, transports=TRANSPORTS.split(','), wait_timeout=WAIT_SECONDS)
    except socketio.exceptions.ConnectionError as error:
        say('refused', str(error))
        return
    for order in orders():
        if order['do'] == 'quit':
            break
        acknowledged = (lambda *data: say('acknowledged', *data)) if order['do'] == 'call' else None
        try:
            client.emit(order['name'], payload_of(order), callback=acknowledged)
        except socketio.exceptions.BadNamespaceError:
            say('unsent')
    client.disconnect()
    say('left')


async def main_async():
    import aiohttp

    loop = asyncio.get_running_loop()
    # Only what stands in the session itself goes with every request of one that polls.
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        client = socketio.AsyncClient(http_session=session, **OPTIONS)
        listen(client)
        try:
            await client.connect(URL, auth=AUTH, transports=TRANSPORTS.split(','), wait_timeout=WAIT_SECONDS)
        except socketio.exceptions.ConnectionError as error:
            say('refused', str(error))
            return
        waiting = orders()
        while (order := await loop.run_in_executor(None, next, waiting, {'do': 'quit'}))['do'] != 'quit':
            acknowledged = (lambda *data: say('acknowledged', *data)) if order['do'] == 'call' else None
            try:
                await client.emit(order['name'], payload_of(order), callback=acknowledged)
            except socketio.exceptions.BadNamespaceError:
                say('unsent')
        await client.disconnect()
        say('left')


if KIND == 'sync':
    main()
else:
    asyncio.run(main_async())
