#!/usr/bin/python3
"""Grafana's alert rules, evaluated by hand: quiet while all is well, and each raised by what it is there for."""
import datetime
import os
import sys
import unittest

import yaml

sys.dont_write_bytecode = True
import boards
import seeded


def setUpModule():
    global cluster, admin, reader
    cluster = seeded.Cluster()
    cluster.__enter__()
    unittest.addModuleCleanup(cluster.__exit__)
    cluster.migrate("healthy")
    cluster.make_readers("healthy")
    admin = cluster.connect("healthy")
    reader = boards.Reader(cluster.connect("healthy", "grafana"))
    now = datetime.datetime.now(datetime.timezone.utc)
    good = seeded.imaged(["--wells", "A01-D06", "--sites", "1", "--channels", "DAPI", "--plate", "P1", "--seed", "3"],
                         now - datetime.timedelta(minutes=2), 1, with_picture=False)
    with admin.cursor() as cursor:
        seeded.send(cursor, [seeded.catalogue(good[0]["values"])] + good)
        cursor.execute("update scopestream_data.result set stored_at = measured_at + interval '20 ms'")


def rules():
    with open(os.path.join(boards.folder, "provisioning", "alerting", "scopestream.yaml")) as file:
        return {rule["uid"]: rule for group in yaml.safe_load(file)["groups"] for rule in group["rules"]}


def value_of(rule):
    """As Grafana takes it: one row, one number, no other column but texts."""
    columns, rows = reader.ask(rule["data"][0]["model"]["rawSql"])
    assert len(rows) == 1 and len([kind for _, kind in columns if kind in boards.numbers]) == 1, columns
    assert all(kind in boards.numbers | boards.texts for _, kind in columns), columns
    return float(rows[0][[kind in boards.numbers for _, kind in columns].index(True)])


def is_raised(rule):
    evaluator = rule["data"][1]["model"]["conditions"][0]["evaluator"]
    bound, = evaluator["params"]
    return {"gt": value_of(rule) > bound, "lt": value_of(rule) < bound}[evaluator["type"]]


broken = {
    "scopestream-critical": "insert into scopestream_data.alert (rule, severity, source, title, sent) "
                            "values ('stuck_camera', 'critical', 'scope', 'stuck_camera: 2 frames', true)",
    "scopestream-failing": "update scopestream_data.result set status = 'broken', reason = 'of a test', stored_at = now() "
                           "where frame_id in (select frame_id from scopestream_data.frame where well ~ '^[AB]')",
    "scopestream-late": "update scopestream_data.result set stored_at = now(); "
                        "update scopestream_data.frame set closed_at = now() - interval '2 min'",
    "scopestream-refused": "insert into scopestream_data.rejected (error, document, document_md5) values ('no', '{', md5('{')::uuid)",
    "scopestream-unsteered": "insert into scopestream_data.unsteered (keys, error, since) select array_agg("
                             "(frame_id, acquired_at, pipeline_id)::scopestream_data.row_key), 'of a test', now() - interval '6 min' "
                             "from scopestream_data.result",
    "scopestream-unposted": "insert into scopestream_data.webhook (name) values ('chat'); insert into scopestream_data.webhook_post "
                            "(webhook, body, given_up) values ('chat', '{}', true)",
}


class AlertRules(unittest.TestCase):
    def test_all_is_well_and_nothing_is_raised(self):
        for uid, rule in rules().items():
            if "rawSql" in rule["data"][0]["model"]:
                with self.subTest(rule=uid):
                    self.assertFalse(is_raised(rule))

    def test_each_is_raised_by_what_it_is_there_for(self):
        made = {uid for uid, rule in rules().items() if "rawSql" in rule["data"][0]["model"]}
        self.assertEqual(made, set(broken), "a rule without a case here")
        for uid, sql in broken.items():
            with self.subTest(rule=uid), admin.cursor() as cursor:
                self.assertFalse(is_raised(rules()[uid]))
                cursor.execute(sql)
                self.assertTrue(is_raised(rules()[uid]))


if __name__ == "__main__":
    unittest.main()
