#!/usr/bin/env python3
"""Runs act.py with the simulated microscope in place of pymmcore-plus or pycro-manager.

    try_act.py --engine useq --source scope --wells A01-B03 --sites 1 -- \
        simulated-microscope --out /tmp/scope --wells A01-B03 --sites 1 --fault defocus:B02

After -- stands the microscope's command; --obey --wait are added, so that it images what the
engine says and nothing else. The engines here have the few words of the real ones that are used.
"""

import argparse
import dataclasses
import subprocess
import sys

import act


class Microscope:
    """The simulated microscope, told what to image. It takes all channels of a site at once."""

    def __init__(self, command):
        self._process = subprocess.Popen(
            [*command, "--obey", "--wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._last = None

    def take(self, well, site, channel, again, focus_um):
        """One picture of an engine's; the first of a place makes the microscope image them all."""
        if (well, site, again) == self._last:
            return
        self._last = (well, site, again)
        word = "image_again" if again else "image"
        focus = f" focus={focus_um:+.1f}" if focus_um else ""
        print(f"{word} {well} {site}{focus}", file=self._process.stdin, flush=True)
        print(self._process.stdout.readline().rstrip(), flush=True)

    def close(self):
        self._process.stdin.close()
        return self._process.wait()


# --- pymmcore-plus ---


@dataclasses.dataclass(frozen=True)
class MDAEvent:
    """What useq.MDAEvent has of it."""

    pos_name: str
    channel: str
    z_pos: float | None = None
    metadata: dict = dataclasses.field(default_factory=dict)


class Core:
    """CMMCorePlus, as far as a plan goes."""

    def __init__(self, microscope):
        self._microscope = microscope

    def run_mda(self, events):
        for event in events:
            place = act.place_of_name(event.pos_name)
            self._microscope.take(*place, event.channel, event.metadata.get("again", 0), event.z_pos or 0.0)


def run_useq(microscope, steering, places, channels, linger_s):
    plan = (MDAEvent(f"{well}_{site}", channel) for well, site in places for channel in channels)
    Core(microscope).run_mda(act.steered_mda(plan, steering, linger_s=linger_s))


# --- pycro-manager ---


class Acquisition:
    """pycromanager.Acquisition, as far as hooks and events go."""

    def __init__(self, microscope, pre_hardware_hook_fn):
        self._microscope, self._hook = microscope, pre_hardware_hook_fn

    def acquire(self, events):
        for event in events:
            event = self._hook(event)
            if event is not None:
                axes = event["axes"]
                place = act.place_of_axes(event)
                self._microscope.take(*place, axes["channel"], axes.get("again", 0), event.get("z", 0.0))


def run_pycromanager(microscope, steering, places, channels, linger_s):
    events = (
        {"axes": {"position": f"{well}_{site}", "channel": channel}} for well, site in places for channel in channels
    )
    acquisition = Acquisition(microscope, pre_hardware_hook_fn=act.skip_hook(steering))
    acquisition.acquire(act.steered_dicts(events, steering, linger_s=linger_s))


# --- the command line ---


def wells_of(text):
    """A01-B03, row by row."""
    first, last = (text.split("-") * 2)[:2]
    rows = [chr(row) for row in range(ord(first[0]), ord(last[0]) + 1)]
    return [f"{row}{column:02}" for row in rows for column in range(int(first[1:]), int(last[1:]) + 1)]


def main():
    engines = {"useq": run_useq, "pycro-manager": run_pycromanager}
    parser = argparse.ArgumentParser(description="Runs act.py with the simulated microscope.")
    parser.add_argument("--engine", choices=engines, default="useq")
    parser.add_argument("--source", required=True, help="whose decisions")
    parser.add_argument("--nats", default="nats://127.0.0.1:4222", metavar="URL")
    parser.add_argument("--wells", default="A01-B06", help="the plan: a rectangle of wells")
    parser.add_argument("--sites", type=int, default=2, help="sites in a well")
    parser.add_argument("--step", type=float, default=10.5, metavar="UM", help="how far focus is typically off")
    parser.add_argument("--linger", type=float, default=60, metavar="S", help="wait so long for what is to be repeated")
    parser.add_argument("microscope", nargs="+", help="its command, after --")
    options = parser.parse_args()
    steering = act.Steering(options.source, step_um=options.step)
    steering.start(options.nats)
    microscope = Microscope(options.microscope)
    places = [(well, site + 1) for well in wells_of(options.wells) for site in range(options.sites)]
    engines[options.engine](microscope, steering, places, ["DAPI", "GFP"], options.linger)
    return microscope.close()


if __name__ == "__main__":
    sys.exit(main())
