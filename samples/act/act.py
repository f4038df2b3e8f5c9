"""Act on what scopestream decides, from a microscope that is driven in Python.

    steering = Steering("scope", step_um=10.5)
    steering.start("nats://127.0.0.1:4222")

    # pymmcore-plus: any iterable of useq.MDAEvent is a plan
    core.run_mda(steered_mda(sequence, steering))

    # pycro-manager: events are dicts; the hook drops what was decided on after an event was queued
    with Acquisition(directory, name, pre_hardware_hook_fn=skip_hook(steering)) as acquisition:
        acquisition.acquire(steered_dicts(events, steering))

Needs nats-py (pip install nats-py) to listen, and neither pymmcore-plus nor pycro-manager. What
arrives is described in docs/wire.md; try_act.py runs both ways with the simulated microscope.
"""

import asyncio
import collections
import dataclasses
import json
import queue
import re
import sys
import threading
from datetime import datetime, timezone

ASK_AGAIN_S = 10  # where nobody answered
CONNECT_S = 5  # then the server is not there

# Where a site is out of focus, whether the objective is too high or too low shows only by trying:
# the step up, the step down, then half of it, then twice.
TRIES = (1, -1, 0.5, -0.5, 2, -2)


@dataclasses.dataclass(frozen=True)
class Repeat:
    """A place to be imaged again."""

    plate: str | None
    well: str | None
    site: int | None
    focus_um: float
    reason: str


def _is_over(decision):
    end = decision.get("expires_at")
    return end is not None and datetime.fromisoformat(end.replace("Z", "+00:00")) < datetime.now(timezone.utc)


def _say(words):
    print(f"act.py: {words}", file=sys.stderr, flush=True)


def _is_part(place, of):
    """Whether a place is meant by (well, site): site None is a whole well, both None the plate."""
    return of in (place, (place[0], None), (None, None))


class Steering:
    """What is wanted of one source at this moment: what to image again, what to leave out.

    hear() takes decisions in; run() hears them from NATS. Both may be in another thread than the
    acquisition that asks is_skipped() and takes from repeats.
    """

    def __init__(self, source, plate=None, step_um=10.5, focus_rule="out_of_focus"):
        """step_um: how far focus is typically off where it is off.
        focus_rule: the rule whose sites are imaged again with another focus."""
        self.source, self.plate = source, plate
        self.step_um, self.focus_rule = step_um, focus_rule
        self.repeats = queue.Queue()
        self._skips = {}  # (well, site) to whether to skip it, what was said last stands last
        self._heard = set()  # messages come at least once
        self._tried = {}  # place to (step, offset): the step of the first attempt there, the last offset
        self._listens = threading.Event()

    def is_skipped(self, well, site):
        said = reversed(self._skips.copy().items())
        return next((is_skip for place, is_skip in said if _is_part((well, site), place)), False)

    def hear(self, decision):
        """Takes in a decision, a dict as in docs/wire.md."""
        try:
            action, key = decision["action"], (decision["decision_id"], decision["action"])
            place = decision.get("well"), decision.get("site")
            is_over = action != "continue" and _is_over(decision)
            hash((key, place))
        except (AttributeError, KeyError, TypeError, ValueError) as wrong:
            _say(f"left alone, not understood ({wrong!r}): {decision}")
            return
        plate = decision.get("plate")
        if key in self._heard or None not in (self.plate, plate) and self.plate != plate:
            return
        self._heard.add(key)
        if is_over:
            _say(f"decision {key[0]} expired at {decision['expires_at']}")
            return
        _say(f"{action} {place}: {decision.get('reason')}")
        if action == "image_again":
            self._repeat(place, decision)
        elif action == "skip":
            self._skip(place, True)
        elif action == "continue":
            self._go_on(place, decision)

    def _skip(self, place, is_skip):
        self._skips.pop(place, None)
        self._skips[place] = is_skip

    def _repeat(self, place, decision):
        offset_um = 0.0
        if decision.get("rule") == self.focus_rule:
            attempt = max(decision.get("attempt", 1), 1)
            # Its own step all the way, so that what helped elsewhere makes no attempt come twice.
            step_um = self._tried[place][0] if attempt > 1 and place in self._tried else self.step_um
            offset_um = step_um * TRIES[(attempt - 1) % len(TRIES)]
            self._tried[place] = step_um, offset_um
        self.repeats.put(Repeat(decision.get("plate"), *place, offset_um, decision.get("reason", "")))

    def _go_on(self, place, decision):
        self._skip(place, False)
        tried = self._tried.pop(place, None)
        if decision.get("state") == "done" and tried:
            # The next site is tried with what helped here: neighbours often share their trouble.
            self.step_um = tried[1]
            _say(f"in focus with {self.step_um:+.1f} um")

    async def run(self, url="nats://127.0.0.1:4222"):
        """Listens until cancelled. Asks for what is open at the start and after each reconnection."""
        import nats  # here, so that all else works without it

        must_ask = asyncio.Event()
        must_ask.set()

        async def on_decision(message):
            self._hear_json(message.data)

        async def on_reconnected():
            must_ask.set()

        async def on_error(wrong):
            _say(f"{url}: {wrong!r}")

        connecting = nats.connect(url, max_reconnect_attempts=-1, reconnected_cb=on_reconnected, error_cb=on_error)
        client = await asyncio.wait_for(connecting, CONNECT_S)
        try:
            await client.subscribe(f"scopestream.decision.{self.source}", cb=on_decision)
            while True:
                await must_ask.wait()
                must_ask.clear()
                is_told = await self._ask(client)
                self._listens.set()
                if not is_told:
                    await asyncio.sleep(ASK_AGAIN_S)
                    must_ask.set()
        finally:
            await client.close()

    def _hear_json(self, data):
        try:
            self.hear(json.loads(data))
        except ValueError:
            _say(f"left alone, no JSON: {data[:80]!r}")

    async def _ask(self, client):
        try:
            question = json.dumps({"source": self.source}).encode()
            reply = await client.request("scopestream.decisions", question, timeout=2)
            decisions = json.loads(reply.data)["decisions"]
        except Exception as wrong:  # no store, no answer, or one that is none: all the same here
            _say(f"nobody tells what is open ({wrong!r}); asking again in {ASK_AGAIN_S} s")
            return False
        _say(f"{len(decisions)} open decisions")
        for decision in reversed(decisions):  # they come newest first
            self.hear(decision)
        return True

    def start(self, url="nats://127.0.0.1:4222"):
        """run() in a thread of its own, for acquisitions that know nothing of asyncio. Returns when it
        listens and has heard what is open, and raises what kept it from that."""
        failures = []

        def listen():
            try:
                asyncio.run(self.run(url))
            except Exception as wrong:
                failures.append(wrong)
                _say(f"does not listen any more: {wrong!r}")
                self._listens.set()

        threading.Thread(target=listen, daemon=True).start()
        self._listens.wait()
        if failures:
            raise failures[0]


def _steered(events, steering, place_of, changed, linger_s):
    """The events of a plan, those of skipped places left out, with repeats in between.

    When the plan is done, waits for repeats until none came for linger_s. place_of(event): its
    (well, site). changed(event, repeat, n): the event once more for that repeat, the n-th there.
    """
    taken = collections.defaultdict(list)  # place to its events: what imaging it again means
    times = collections.Counter()

    def repeated(repeat):
        for place in [each for each in taken if _is_part(each, (repeat.well, repeat.site))]:
            times[place] += 1
            yield from (changed(event, repeat, times[place]) for event in taken[place])

    def waiting(wait_s):
        try:
            while True:
                yield steering.repeats.get(block=wait_s > 0, timeout=wait_s or None)
        except queue.Empty:
            return

    here = None
    for event in events:
        if place_of(event) != here:  # a place is finished before the stage goes elsewhere
            for repeat in waiting(0):
                yield from repeated(repeat)
            here = place_of(event)
        if not steering.is_skipped(*here):
            taken[here].append(event)
            yield event
    for repeat in waiting(linger_s):
        yield from repeated(repeat)


def place_of_name(name):
    """("B02", 1) of a position's name such as "B2_0001", as useq's well plates name them, or "B02_1"."""
    parts = re.fullmatch(r"([A-Z]{1,2})(\d+)_(\d+)", name)
    if not parts:
        raise ValueError(f'position "{name}": expected a well and a site, such as B02_1')
    return f"{parts[1]}{int(parts[2]):02}", int(parts[3])


# --- pymmcore-plus: events are useq.MDAEvent ---


def steered_mda(events, steering, place_of=lambda event: place_of_name(event.pos_name), linger_s=60):
    """A plan for CMMCorePlus.run_mda, steered. What is imaged again tells so in its metadata."""

    def changed(event, repeat, again):
        update = {
            "z_pos": (event.z_pos or 0.0) + repeat.focus_um,
            "metadata": {**event.metadata, "again": again, "focus_um": repeat.focus_um, "reason": repeat.reason},
        }
        copy = getattr(event, "model_copy", None)  # pydantic's; a dataclass has none
        return copy(update=update) if copy else dataclasses.replace(event, **update)

    return _steered(events, steering, place_of, changed, linger_s)


# --- pycro-manager: events are dicts ---


def place_of_axes(event):
    """By the label of axis position: multi_d_acquisition_events(position_labels=["A01_1", ...])."""
    return place_of_name(event["axes"]["position"])


def steered_dicts(events, steering, place_of=place_of_axes, linger_s=60):
    """Events for Acquisition.acquire, steered. Axis `again` keeps pictures of one place apart."""

    def changed(event, repeat, again):
        return {**event, "z": event.get("z", 0.0) + repeat.focus_um, "axes": {**event["axes"], "again": again}}

    return _steered(events, steering, place_of, changed, linger_s)


def skip_hook(steering, place_of=place_of_axes):
    """A pre_hardware_hook_fn: events are taken from a generator long before their turn, so whether a
    place is skipped is asked once more just before the stage moves. Hardware sequences are lists."""

    def hook(event):
        if isinstance(event, list):
            return [each for each in event if hook(each) is not None] or None
        is_again = "again" in event["axes"]
        return event if is_again or not steering.is_skipped(*place_of(event)) else None

    return hook
