"""The client in Python: what it makes of decisions, and both kinds of plan, steered. The last tests
need nats-py and a nats-server, and are skipped without them. SCOPESTREAM_BIN: the programs."""

import asyncio
import csv
import importlib.util
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

samples = pathlib.Path(__file__).resolve().parents[2] / "samples" / "act"
sys.dont_write_bytecode = True
sys.path.insert(0, str(samples))
import act  # noqa: E402
import try_act  # noqa: E402

act._say = lambda words: None
os.environ["PATH"] += ":/usr/sbin"  # where Debian puts nats-server


def decision(number, action, well="B02", site=1, **more):
    return {"decision_id": number, "action": action, "well": well, "site": site, "reason": "why not", **more}


def blurred(number, attempt=1, **more):
    return decision(number, "image_again", rule="out_of_focus", attempt=attempt, **more)


class WhatIsDecided(unittest.TestCase):
    def setUp(self):
        self.steering = act.Steering("demo", step_um=8)

    def hear(self, *decisions):
        for each in decisions:
            self.steering.hear(each)

    def repeats(self):
        return [self.steering.repeats.get_nowait() for _ in range(self.steering.repeats.qsize())]

    def test_a_skipped_place_is_skipped_until_it_may_continue(self):
        self.hear(decision(1, "skip"), decision(2, "skip", well="C03", site=None))
        self.assertTrue(self.steering.is_skipped("B02", 1))
        self.assertFalse(self.steering.is_skipped("B02", 2))
        self.assertTrue(self.steering.is_skipped("C03", 7))
        self.hear(decision(1, "continue", state="withdrawn"))
        self.assertFalse(self.steering.is_skipped("B02", 1))

    def test_what_was_said_last_counts(self):
        self.hear(decision(1, "skip", site=None), decision(2, "continue", site=1))
        self.assertFalse(self.steering.is_skipped("B02", 1))
        self.assertTrue(self.steering.is_skipped("B02", 2))
        self.hear(decision(3, "skip", site=None))
        self.assertTrue(self.steering.is_skipped("B02", 1))

    def test_what_comes_twice_counts_once(self):
        self.hear(decision(1, "image_again"), decision(1, "image_again"))
        self.assertEqual(len(self.repeats()), 1)

    def test_what_expired_is_left_alone_but_one_may_always_continue(self):
        late = "2026-01-01T00:00:00.000000Z"
        self.hear(decision(1, "image_again", expires_at=late), decision(2, "skip"))
        self.hear(decision(2, "continue", expires_at=late))
        self.assertEqual(self.repeats(), [])
        self.assertFalse(self.steering.is_skipped("B02", 1))

    def test_what_is_still_open_is_done(self):
        self.hear(decision(1, "image_again", expires_at="2099-01-01T00:00:00.000000Z"))
        self.assertEqual(len(self.repeats()), 1)

    def test_focus_is_tried_to_both_sides_and_what_helped_comes_first(self):
        self.hear(blurred(1, 1), blurred(2, 2), decision(2, "continue", state="done"))
        self.hear(blurred(3, 1, well="B05"), blurred(4, 2, well="B05"), blurred(5, 3, well="B05"))
        self.assertEqual([repeat.focus_um for repeat in self.repeats()], [8, -8, -8, 8, -4])

    def test_what_helped_elsewhere_makes_no_attempt_come_twice(self):
        self.hear(blurred(1, 1), blurred(2, 1, site=2), blurred(3, 2, site=2))
        self.hear(decision(3, "continue", site=2, state="done"), blurred(4, 2), blurred(5, 3))
        self.assertEqual([repeat.focus_um for repeat in self.repeats()], [8, 8, -8, -8, 4])

    def test_what_did_not_help_is_not_learned(self):
        self.hear(blurred(1, 1), decision(1, "continue", state="expired"), blurred(3, 2, well="B05"))
        self.assertEqual([repeat.focus_um for repeat in self.repeats()], [8, -8])

    def test_only_the_rule_for_focus_changes_the_focus(self):
        self.hear(decision(1, "image_again", rule="stuck_camera"), decision(2, "image_again", well="B03"))
        self.assertEqual([repeat.focus_um for repeat in self.repeats()], [0, 0])

    def test_other_plates_are_others_business(self):
        self.steering.plate = "P1"
        self.hear(decision(1, "skip", plate="P2"), decision(2, "skip", well="B03", plate="P1"))
        self.hear(decision(3, "skip", well="B04"))
        self.assertFalse(self.steering.is_skipped("B02", 1))
        self.assertTrue(self.steering.is_skipped("B03", 1))
        self.assertTrue(self.steering.is_skipped("B04", 1))

    def test_a_whole_plate_may_be_skipped(self):
        self.hear(decision(1, "skip", well=None, site=None))
        self.assertTrue(self.steering.is_skipped("B02", 1))
        self.hear(decision(1, "continue", well=None, site=None))
        self.assertFalse(self.steering.is_skipped("B02", 1))

    def test_what_is_no_decision_changes_nothing(self):
        for odd in ([], None, {}, {"decision_id": 1}, decision(1, "skip", expires_at="soon"), decision([], "skip")):
            self.steering.hear(odd)
        self.assertFalse(self.steering.is_skipped("B02", 1))


def names_of(events):
    return [(event.pos_name, event.channel, event.z_pos) for event in events]


class Plans(unittest.TestCase):
    def setUp(self):
        self.steering = act.Steering("demo", step_um=8)
        self.plan = [try_act.MDAEvent(f"{w}_1", c, 100.0) for w in ("A01", "A02", "A03") for c in ("DAPI", "GFP")]
        self.dicts = [
            {"axes": {"position": event.pos_name, "channel": event.channel}, "z": event.z_pos} for event in self.plan
        ]

    def test_without_decisions_a_plan_is_what_it_was(self):
        self.assertEqual(list(act.steered_mda(self.plan, self.steering, linger_s=0)), self.plan)
        self.assertEqual(list(act.steered_dicts(self.dicts, self.steering, linger_s=0)), self.dicts)

    def test_a_place_is_imaged_again_in_all_its_channels_once_it_was_finished(self):
        steered = act.steered_mda(self.plan, self.steering, linger_s=0)
        taken = [next(steered)]
        self.steering.hear(blurred(1, well="A01"))
        taken += steered
        self.assertEqual(taken[:2] + taken[4:], self.plan)
        self.assertEqual(names_of(taken[2:4]), [("A01_1", "DAPI", 108.0), ("A01_1", "GFP", 108.0)])
        self.assertEqual([event.metadata["again"] for event in taken[2:4]], [1, 1])

    def test_repeats_after_the_plan_are_waited_for(self):
        steered = act.steered_mda(self.plan, self.steering, linger_s=0.5)
        threading.Timer(0.2, self.steering.hear, [blurred(1, well="A03")]).start()
        self.assertEqual(names_of(list(steered)[6:]), [("A03_1", "DAPI", 108.0), ("A03_1", "GFP", 108.0)])

    def test_a_whole_well_may_be_imaged_again(self):
        plan = [try_act.MDAEvent(name, "DAPI") for name in ("A01_1", "A01_2", "A02_1", "A02_2")]
        steered = act.steered_mda(plan, self.steering, linger_s=0)
        taken = [next(steered), next(steered), next(steered)]
        self.steering.hear(decision(1, "image_again", well="A01", site=None))
        taken += steered
        self.assertEqual([event.pos_name for event in taken[3:]], ["A01_1", "A01_2", "A02_2"])

    def test_what_was_not_imaged_yet_is_not_imaged_again(self):
        steered = act.steered_mda(self.plan, self.steering, linger_s=0)
        taken = [next(steered)]
        self.steering.hear(decision(1, "image_again", well="A03"))
        self.assertEqual(taken + list(steered), self.plan)

    def test_skipped_places_are_left_out(self):
        self.steering.hear(decision(1, "skip", well="A02"))
        taken = list(act.steered_mda(self.plan, self.steering, linger_s=0))
        self.assertEqual(taken, self.plan[:2] + self.plan[4:])

    def test_pictures_of_one_place_keep_apart_by_an_axis(self):
        steered = act.steered_dicts(self.dicts, self.steering, linger_s=0)
        taken = [next(steered), next(steered)]
        self.steering.hear(blurred(1, well="A01"))
        self.steering.hear(blurred(2, 2, well="A01"))
        taken += steered
        again = [(event["axes"]["again"], event["z"]) for event in taken if "again" in event["axes"]]
        self.assertEqual(again, [(1, 108.0), (1, 108.0), (2, 92.0), (2, 92.0)])
        self.assertNotIn("again", self.dicts[0]["axes"])

    def test_the_hook_drops_what_was_skipped_after_it_was_queued(self):
        hook = act.skip_hook(self.steering)
        self.assertEqual(hook(self.dicts[0]), self.dicts[0])
        self.steering.hear(decision(1, "skip", well="A01"))
        self.assertIsNone(hook(self.dicts[0]))
        self.assertEqual(hook(self.dicts[1:4]), self.dicts[2:4])
        self.assertIsNone(hook(self.dicts[:2]))

    def test_positions_tell_their_place(self):
        self.assertEqual(act.place_of_name("B2_0001"), ("B02", 1))
        self.assertEqual(act.place_of_name("AF48_12"), ("AF48", 12))
        with self.assertRaisesRegex(ValueError, "Pos0"):
            act.place_of_name("Pos0")


# --- with a server and the microscope ---


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@unittest.skipUnless(importlib.util.find_spec("nats"), "nats-py is not installed")
@unittest.skipUnless(shutil.which("nats-server"), "nats-server is not installed")
@unittest.skipUnless(os.environ.get("SCOPESTREAM_BIN"), "SCOPESTREAM_BIN names no folder of programs")
class WithTheMicroscope(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="scopestream-act-"))
        self.addCleanup(shutil.rmtree, self.folder)
        port = free_port()
        self.url = f"nats://127.0.0.1:{port}"
        self.server = subprocess.Popen(["nats-server", "-a", "127.0.0.1", "-p", str(port), "-l", self.folder / "log"])
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        for _ in range(200):
            try:
                return socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                time.sleep(0.05)

    def rows(self):
        try:
            with open(self.folder / "images-written.csv", newline="") as written:
                return list(csv.DictReader(written))
        except FileNotFoundError:
            return []

    async def until(self, condition):
        for _ in range(600):
            if condition():
                return
            await asyncio.sleep(0.05)
        self.fail("waited in vain")

    async def play_store(self, engine):
        """A01 is to be skipped from the start; A03 is out of focus, and imaged twice again."""
        import nats

        store = await nats.connect(self.url)

        async def answer(question):
            self.assertEqual(json.loads(question.data), {"source": "demo"})
            await question.respond(json.dumps({"decisions": [decision(1, "skip", well="A01")]}).encode())

        await store.subscribe("scopestream.decisions", cb=answer)
        await store.flush()
        program = pathlib.Path(os.environ["SCOPESTREAM_BIN"]) / "simulated-microscope"
        command = [sys.executable, "-B", samples / "try_act.py", "--engine", engine, "--source", "demo", "--nats"]
        command += [self.url, "--wells", "A01-A03", "--sites", "1", "--step", "10.5", "--linger", "2", "--", program]
        command += ["--out", self.folder / "images", "--wells", "A01-A03", "--sites", "1", "--side", "64", "--rate"]
        command += ["0", "--fault", "defocus:A03", "--quiet"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        client = await asyncio.create_subprocess_exec(*map(str, command), **quiet)
        for attempt in (1, 2):
            await self.until(lambda: len([row for row in self.rows() if row["well"] == "A03"]) == 2 * attempt)
            again = blurred(10 + attempt, attempt, well="A03")
            await store.publish("scopestream.decision.demo", json.dumps(again).encode())
        self.assertEqual(await client.wait(), 0)
        await store.close()

    def check(self, engine):
        asyncio.run(self.play_store(engine))
        a03 = [row for row in self.rows() if row["well"] == "A03"]
        self.assertEqual([row["well"] for row in self.rows()][:2], ["A02", "A02"])
        self.assertEqual([row["faults"] for row in a03[:2]], ["defocus"] * 2)
        self.assertEqual(len(a03), 6)
        sharp = [row["file"] for row in a03 if row["faults"] == ""]
        self.assertEqual(len(sharp), 2)  # both channels, at one of the two attempts
        self.assertTrue(all(name.startswith("again-") for name in sharp))

    def test_a_plan_of_mda_events_is_steered(self):
        self.check("useq")

    def test_a_plan_of_dicts_is_steered(self):
        self.check("pycro-manager")


class WithoutAServer(unittest.TestCase):
    @unittest.skipUnless(importlib.util.find_spec("nats"), "nats-py is not installed")
    def test_a_server_that_is_away_is_told_soon(self):
        with self.assertRaises(asyncio.TimeoutError):
            act.Steering("demo").start("nats://127.0.0.1:1")

    @unittest.skipIf(importlib.util.find_spec("nats"), "nats-py is installed")
    def test_that_nats_py_is_missing_is_told_at_once(self):
        with self.assertRaisesRegex(ImportError, "nats"):
            act.Steering("demo").start("nats://127.0.0.1:1")


if __name__ == "__main__":
    unittest.main()
