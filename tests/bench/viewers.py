"""So many viewers of the page at once, each doing what its script does: listens, and with all news asks for the map,
the newest frames and their pictures.

    viewers.py URL VIEWERS SECONDS

Prints how often they were told, and how long answers took. A viewer looks at the plate being imaged and one of
four measures. Exit status 1 if one of them was told nothing.
"""
import asyncio
import json
import statistics
import sys
import time
from urllib.parse import urlencode, urlsplit

MEASURES = ['frames', 'score', 'bench_01', 'bench_02']  # of bench_store_batch
PLACE = urlsplit(sys.argv[1])
VIEWERS, SECONDS = int(sys.argv[2]), float(sys.argv[3])
gaps, maps, refused = [], [], []


async def connect(path):
    reader, writer = await asyncio.open_connection(PLACE.hostname, PLACE.port, limit=1 << 22)
    writer.write(f'GET {path} HTTP/1.1\r\nHost: {PLACE.netloc}\r\n'
                 f'Connection: {"keep-alive" if path == "/events" else "close"}\r\n\r\n'.encode())
    await writer.drain()
    return reader, writer


async def ask(path):
    begun = time.perf_counter()
    reader, writer = await connect(path)
    answer = await reader.read(-1)
    writer.close()
    status = int(answer.split(b' ', 2)[1])
    if status != 200:
        refused.append(status)
    return time.perf_counter() - begun, answer.partition(b'\r\n\r\n')[2]


async def look(told, number, seen):
    plate = told['plates'][0]
    words = {'plate': plate['plate'], 'source': plate['source'], 'measure': MEASURES[number % len(MEASURES)]}
    took, _ = await ask(f'/map?{urlencode(words)}')
    maps.append(took)
    _, body = await ask(f'/frames?{urlencode({**words, "show": "newest"})}')
    try:
        frames = json.loads(body).get('frames', [])
    except ValueError:
        return  # cut off at the end
    fresh = [f['id'] for f in frames if f['has_picture'] and f['id'] not in seen][:8]
    for identity in fresh:
        seen.add(identity)
        await ask(f'/thumbnail/{identity}')


async def view(number):
    reader, writer = await connect('/events')
    last, stamp, seen, looking = None, None, set(), None
    told_times = 0
    while True:
        line = await reader.readline()
        if not line:
            break
        at = line.find(b'data: ')
        if at < 0:
            continue
        now = time.perf_counter()
        if last is not None:
            gaps.append(now - last)
        last = now
        told_times += 1
        told = json.loads(line[at + 6:]).get('told')
        if told and told['plates'] and (looking is None or looking.done()):
            news = (told['plates'][0]['ok'], told['plates'][0]['plate'])
            if news != stamp:
                stamp = news
                looking = asyncio.ensure_future(look(told, number, seen))


async def main():
    tasks = [asyncio.ensure_future(view(number)) for number in range(VIEWERS)]
    await asyncio.sleep(SECONDS)
    broken = [task.exception() for task in tasks if task.done() and task.exception()]
    for task in tasks:
        task.cancel()
    print(f'{VIEWERS} viewers for {SECONDS:.0f} s: told every {statistics.median(gaps):.2f} s (longest gap {max(gaps):.2f} s); '
          f'{len(maps)} maps, median {1000 * statistics.median(maps):.0f} ms, 95 of 100 within '
          f'{1000 * statistics.quantiles(maps, n=20)[-1]:.0f} ms; {len(refused)} refused, {len(broken)} cut off')
    return 1 if broken or len(gaps) < VIEWERS else 0


sys.exit(asyncio.run(main()))
