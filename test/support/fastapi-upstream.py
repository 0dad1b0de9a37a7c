"""A FastAPI server behind the gateway, with the middleware of docs/upstream-identity.md: fastapi-upstream.py MIDDLEWARE KEYS."""
import asyncio
import importlib.util
import json
import socket
import sys

import uvicorn
from fastapi import FastAPI, Request, WebSocket

_, middleware, keys = sys.argv
spec = importlib.util.spec_from_file_location("middleware", middleware)
documented = importlib.util.module_from_spec(spec)
spec.loader.exec_module(documented)

app = FastAPI()
app.add_middleware(documented.GatewayIdentity, audience="jaaz", keys=keys)


async def agent():
    await asyncio.sleep(0)
    return documented.current_user.get()["sub"]


def tool():
    return documented.current_user.get()["sub"]


@app.get("/api/canvas/{canvas}")
@app.post("/api/canvas/{canvas}/rename")
async def whoami(request: Request, canvas: str):
    working = asyncio.create_task(agent())
    threaded = await asyncio.to_thread(tool)
    return {
        "canvas": canvas,
        "user": request.state.user,
        "agent": await working,
        "tool": threaded,
        "assertion": request.headers.get("x-jaaz-assertion"),
        "headers": dict(request.headers),
    }


@app.websocket("/ws")
async def greet(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_json(documented.current_user.get())
    await websocket.close()


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(128)
print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
