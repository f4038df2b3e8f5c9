#!/usr/bin/python3
"""What Grafana reads, without a database: the files are what the description says, and hold nothing that Grafana would
stumble over."""
import glob
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

sys.dont_write_bytecode = True
import boards
import seeded

loader = importlib.machinery.SourceFileLoader("generate", os.path.join(boards.folder, "generate"))
generate = importlib.util.module_from_spec(importlib.util.spec_from_loader("generate", loader))
loader.exec_module(generate)

sources = {"scopestream-postgres": "grafana-postgresql-datasource", "scopestream-prometheus": "prometheus"}
expected_uids = {"scopestream-live", "scopestream-quality", "scopestream-experiment", "scopestream-alerts", "scopestream-system",
        "scopestream-trace"}


def described():
    with open(os.path.join(boards.folder, "dashboards.yaml")) as file:
        return yaml.safe_load(file)


def provisioned(name):
    with open(os.path.join(boards.folder, "provisioning", name, "scopestream.yaml")) as file:
        return yaml.safe_load(file)


def all_panels():
    return [(board, panel) for board in boards.load() for panel in boards.panels(board)]


class Files(unittest.TestCase):
    def test_files_are_what_the_description_says(self):
        self.assertEqual(generate.stale(generate.generated()), [], "run deploy/grafana/generate")

    def test_six_dashboards_have_their_uids(self):
        made = boards.load()
        self.assertEqual({board["uid"] for board in made}, expected_uids)
        for board in made:
            self.assertTrue(os.path.exists(os.path.join(boards.folder, "dashboards", board["uid"] + ".json")))
            self.assertNotIn("id", board, "Grafana gives ids")
            self.assertGreaterEqual(board["schemaVersion"], 37, "older ones are migrated in the browser only")
            self.assertFalse(board["editable"])
            self.assertTrue(board["description"])

    def test_nothing_is_left_of_an_import(self):
        for path in glob.glob(os.path.join(boards.folder, "dashboards", "*.json")):
            with open(path) as file:
                text = file.read()
            for rest in ("${DS_", "__inputs", "__requires", "__elements"):
                self.assertNotIn(rest, text, path)

    def test_ids_and_titles_are_unique(self):
        for board in boards.load():
            for key in ("id", "title"):
                told = [panel[key] for panel in board["panels"]]
                self.assertEqual(len(told), len(set(told)), f"{board['uid']}: {key} given twice")

    def test_every_target_has_its_source_and_letter(self):
        for board, panel in all_panels():
            where = f"{board['uid']}, {panel['title']}"
            self.assertEqual(sources.get(panel["datasource"]["uid"]), panel["datasource"]["type"], where)
            letters = [target["refId"] for target in panel["targets"]]
            self.assertEqual(len(letters), len(set(letters)), where)
            for target in panel["targets"]:
                self.assertEqual(target["datasource"], panel["datasource"], where)
                if "rawSql" in target:
                    self.assertTrue(target["rawQuery"], where)
                    series = panel["type"] in ("timeseries", "state-timeline")
                    self.assertEqual(target["format"], "time_series" if series else "table", where)

    def test_every_panel_says_what_it_is(self):
        for board, panel in all_panels():
            where = f"{board['uid']}, {panel['title']}"
            self.assertTrue(panel["fieldConfig"]["defaults"].get("unit"), where)
            self.assertTrue(panel["fieldConfig"]["defaults"].get("noValue"), where)
            self.assertGreater(len(panel["description"]), 20, where)

    def test_panels_stand_beside_and_below_each_other(self):
        for board in boards.load():
            taken = {}
            for panel in board["panels"]:
                place = panel["gridPos"]
                self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
                for x in range(place["x"], place["x"] + place["w"]):
                    for y in range(place["y"], place["y"] + place["h"]):
                        self.assertNotIn((x, y), taken, f"{panel['title']} lies over {taken.get((x, y))}")
                        taken[x, y] = panel["title"]

    def test_variables_stand_in_sql_as_quoted_text_only(self):
        texts = [(f"{board['uid']}, {panel['title']}", boards.sql_of(panel)) for board, panel in all_panels()]
        texts += [(f"{board['uid']}, variable {told['name']}", told["query"]) for board in boards.load()
                  for told in board["templating"]["list"] if told["type"] == "query"]
        for where, sql in texts:
            for told in re.findall(r"\$(?!__)\w+|\$\{[^}]*\}|\[\[[^\]]*\]\]", sql or ""):
                self.assertRegex(told, r"^\$\{[a-z]+:sqlstring\}$", where)

    def test_every_query_is_bounded(self):
        for board, panel in all_panels():
            sql = boards.sql_of(panel)
            self.assertTrue(sql is None or re.search(r"\blimit \d+|\$__time|generate_series", sql) or panel["type"] == "stat"
                            or "asked" in sql, f"{board['uid']}, {panel['title']}: neither a limit nor a time")

    def test_variables_are_in_the_dashboards_that_use_them(self):
        for board, panel in all_panels():
            names = {told["name"] for told in board["templating"]["list"]}
            used = set(re.findall(r"\$\{(\w+)(?::\w+)?\}", json.dumps(panel)))
            self.assertLessEqual({name for name in used if not name.startswith("__")}, names, panel["title"])

    def test_links_lead_to_dashboards_there_are(self):
        for board, panel in all_panels():
            for uid in re.findall(r'"url": "/d/([\w-]+)', json.dumps(panel)):
                self.assertIn(uid, expected_uids, panel["title"])

    def test_every_question_is_a_panel(self):
        named = {panel["question"] for board in described()["dashboards"] for panel in board["panels"] if "question" in panel}
        there = {name for name in os.listdir(os.path.join(seeded.tree, "samples", "questions")) if name.endswith(".sql")}
        self.assertEqual(there - named, set(), "questions without a panel")


class Provisioning(unittest.TestCase):
    def test_data_sources_have_their_uids_and_no_password(self):
        told = provisioned("datasources")["datasources"]
        self.assertEqual({one["uid"]: one["type"] for one in told}, sources)
        postgres = next(one for one in told if one["uid"] == "scopestream-postgres")
        self.assertNotIn("database", postgres, "from version 12 on it is read in jsonData only")
        self.assertIn("database", postgres["jsonData"])
        self.assertEqual(postgres["secureJsonData"]["password"], "$__env{SCOPESTREAM_PASSWORD}")

    def test_dashboards_are_not_changed_in_the_browser(self):
        provider, = provisioned("dashboards")["providers"]
        self.assertFalse(provider["allowUiUpdates"])
        self.assertTrue(provider["disableDeletion"])

    def test_alert_rules_have_uids_and_lead_to_panels(self):
        rules = [rule for group in provisioned("alerting")["groups"] for rule in group["rules"]]
        self.assertGreater(len(rules), 4)
        self.assertEqual(len({rule["uid"] for rule in rules}), len(rules))
        panels = {(board["uid"], panel["id"]) for board, panel in all_panels()}
        for rule in rules:
            self.assertRegex(rule["uid"], r"^[a-zA-Z0-9_-]{1,40}$")
            self.assertIn((rule["dashboardUid"], rule["panelId"]), panels, rule["title"])
            self.assertNotIn("$", json.dumps(rule), "Grafana takes $ in these files for a variable of its environment")
            self.assertIn(rule["data"][0]["datasourceUid"], sources)
            self.assertEqual(rule["data"][1]["model"]["expression"], rule["data"][0]["refId"])


class Metrics(unittest.TestCase):
    def expressions(self):
        told = [(panel["title"], target["expr"]) for _, panel in all_panels() for target in panel["targets"] if "expr" in target]
        for group in provisioned("alerting")["groups"]:
            told += [(rule["title"], rule["data"][0]["model"]["expr"]) for rule in group["rules"]
                     if "expr" in rule["data"][0]["model"]]
        return told

    def test_only_metrics_that_programs_tell_are_asked_for(self):
        with open(os.path.join(seeded.tree, "stream", "metrics.list")) as file:
            rows = re.findall(r"^METRIC\((\w+), (\w+)", file.read(), re.MULTILINE)
        names = {name for name, _ in rows}
        for name, kind in rows:
            if kind == "HISTOGRAM":
                names |= {name + part for part in ("_bucket", "_sum", "_count")}
        self.assertGreater(len(self.expressions()), 20)
        for title, text in self.expressions():
            for name in re.findall(r"\b(?:scopestream|process)_\w+", text):
                self.assertIn(name, names, title)

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not here: package prometheus")
    def test_expressions_are_promql(self):
        rules = [{"record": f"panel:{i}", "expr": text.replace("$__rate_interval", "1m")}
                 for i, (_, text) in enumerate(self.expressions())]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}, file)
            file.flush()
            told = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True)
        self.assertEqual(told.returncode, 0, told.stdout + told.stderr)


class Descriptions(unittest.TestCase):
    """A wrong description is refused in one line."""
    panel = {"title": "t", "kind": "table", "size": [12, 8], "unit": "none", "about": "some words", "sql": "select 1 limit 1"}
    variables = {"plate": {"label": "Plate", "kind": "text"}}

    def refused(self, words, **change):
        panel = {key: value for key, value in {**self.panel, **change}.items() if value is not None}
        with self.assertRaises(SystemExit) as caught:
            generate.make_panel("board", panel, self.variables, {})
        self.assertIn(words, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def test_they_are_refused(self):
        self.refused("a variable is written :name", sql="select '${plate}' limit 1")
        self.refused("a variable is written :name", sql="select '$plate' limit 1")
        self.refused("a variable is written :name", sql="select '[[plate]]' limit 1")
        self.refused("has no variable :well", sql="select :well limit 1")
        self.refused("no part is called {askde}", sql="with {askde} select 1")
        self.refused("unit is missing", unit=None)
        self.refused("no word of a panel is 'colour'", colour="red")
        self.refused("no kind is 'pie'", kind="pie")
        self.refused("expected sql, question or promql, one of them", question="a-plate-map.sql")
        self.refused("is not there", sql=None, question="is-it-raining.sql")

    def test_casts_literals_and_comments_are_no_variables(self):
        sql = "select now()::timestamptz, ':plate', '12:30' -- :plate\n, :plate"
        told = generate.with_variables(sql, self.variables, "here")
        self.assertEqual(told.count("sqlstring"), 1)
        self.assertIn("':plate', '12:30' -- :plate", told)


if __name__ == "__main__":
    unittest.main()
