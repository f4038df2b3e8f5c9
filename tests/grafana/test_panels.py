#!/usr/bin/python3
"""Every panel's SQL, asked by a reader of a database that holds real numbers: the columns its kind needs, rows there, old
months left alone, and nothing but text in what a variable holds."""
import datetime
import json
import re
import sys
import unittest

import psycopg2

sys.dont_write_bytecode = True
import boards
import expand
import seeded

# When panels are asked for which the plate on the stage has nothing to tell.
other_plates = {"T1": ["How fast does each channel bleach", "Which wells lose their signal", "Which sites are changing, and which never do"],
                "Z1": ["Did autofocus choose the sharpest plane", "Which plane is the sharpest at each site"]}
# By what it is: the last 1000 rows written, whichever months they are of.
newest_rows = {"How far is each plate"}


def setUpModule():
    global cluster, reader, admin
    cluster = seeded.Cluster()
    cluster.__enter__()
    unittest.addModuleCleanup(cluster.__exit__)
    cluster.migrate("panels")
    cluster.make_readers("panels")
    admin = cluster.connect("panels")
    seeded.seed(admin)
    with admin.cursor() as cursor:
        cursor.execute("insert into scopestream_data.rejected (subject, error, document, document_md5) "
                       "values ('scopestream.result.quality.scope', 'no JSON', '{', md5('{')::uuid)")
    reader = boards.Reader(cluster.connect("panels", "grafana"))


def every_panel(values=None):
    for board in boards.load():
        held = reader.choices(board, values)
        for panel in boards.panels(board):
            if boards.sql_of(panel) is not None:
                chosen = next((plate for plate, titles in other_plates.items() if panel["title"] in titles), None)
                if chosen and not values:
                    yield board, panel, reader.choices(board, {"plate": chosen})
                else:
                    yield board, panel, held


class Panels(unittest.TestCase):
    def ask_all(self):
        for board, panel, values in every_panel():
            for sql in reader.expanded(board, panel, values):
                with self.subTest(board=board["uid"], panel=panel["title"]):
                    yield panel, *reader.ask(sql)

    def test_variables_have_choices(self):
        for board in boards.load():
            values = reader.choices(board)
            for told in board["templating"]["list"]:
                if told["type"] == "query":
                    self.assertTrue(values[told["name"]], f"{board['uid']}: {told['name']}")
        self.assertEqual(reader.choices(next(b for b in boards.load() if b["uid"] == "scopestream-quality")),
                         {"source": ["scope"], "plate": "*", "channel": ["1", "2"], "measure": "focus", "against": "mean"})

    def test_every_panel_has_rows_of_its_kind(self):
        for panel, columns, rows in self.ask_all():
            self.assertTrue(rows, "no rows")
            self.assertLessEqual(len(rows), 5000)
            getattr(self, "check_" + panel["type"].replace("-", "_"))(panel, columns, rows)
            self.check_columns_named(panel, columns)

    def check_columns_named(self, panel, columns):
        """What is said of a column is said of one that is there."""
        if panel.get("transformations"):
            return
        names = {name for name, _ in columns}
        for override in panel["fieldConfig"]["overrides"]:
            if override["matcher"]["id"] == "byName":
                self.assertIn(override["matcher"]["options"], names)
        for field in re.findall(r'__data\.fields\[\\"([^\\]+)\\"\]', json.dumps(panel)):
            self.assertIn(field, names)

    def check_timeseries(self, panel, columns, rows):
        kinds = [kind for _, kind in columns]
        self.assertEqual(columns[0][0], "time")
        self.assertIn(kinds[0], boards.times | {"float8", "numeric"}, "a time, or seconds since 1970")
        self.assertTrue(set(kinds[1:]) <= boards.numbers | boards.texts, kinds)
        self.assertTrue(set(kinds[1:]) & boards.numbers, "no number")
        self.assertEqual([row[0] for row in rows], sorted(row[0] for row in rows), "Grafana wants them in order")
        self.assertTrue(any(value is not None for row in rows for value in row[1:]), "nothing but nulls")

    def check_state_timeline(self, panel, columns, rows):
        self.check_timeseries(panel, columns, rows)
        words = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
        self.assertLessEqual({str(row[-1]) for row in rows}, set(words))

    def check_stat(self, panel, columns, rows):
        self.assertEqual(len(rows), 1)
        fields = panel["options"]["reduceOptions"]["fields"]
        allowed = boards.numbers | boards.times | (boards.texts if fields else set())
        self.assertTrue({kind for _, kind in columns} <= allowed, columns)

    def check_barchart(self, panel, columns, rows):
        names = [name for name, _ in columns]
        if panel.get("transformations"):
            self.check_matrix(panel, columns, rows)
            told = panel["transformations"][0]["options"]
            self.assertEqual(panel["options"]["xField"], f"{told['rowField']}\\{told['columnField']}")
            return
        self.assertIn(dict(columns)[panel["options"]["xField"]], boards.texts)
        self.assertEqual(names[0], panel["options"]["xField"])
        self.assertTrue({kind for _, kind in columns[1:]} <= boards.numbers)

    def check_xychart(self, panel, columns, rows):
        self.assertEqual(columns[0][0], panel["options"]["dims"]["x"])
        self.assertTrue({kind for _, kind in columns[:2]} <= boards.numbers)

    def check_matrix(self, panel, columns, rows):
        told = panel["transformations"][0]["options"]
        kinds = dict(columns)
        self.assertIn(kinds[told["rowField"]], boards.texts)
        self.assertIn(kinds[told["columnField"]], boards.texts)
        self.assertIn(kinds[told["valueField"]], boards.numbers)
        self.assertEqual(len({row[:2] for row in rows}), len(rows), "a place told twice")

    def check_table(self, panel, columns, rows):
        if panel.get("transformations"):
            self.check_matrix(panel, columns, rows)
            self.assertEqual(len(rows), len({row[0] for row in rows}) * len({row[1] for row in rows}), "holes in the grid")
            self.assertEqual([row[0] for row in rows], sorted((row[0] for row in rows), key=lambda name: (len(name), name)))
            return
        known = boards.numbers | boards.texts | boards.times | {"bool", "uuid", "text[]"}
        self.assertTrue({kind for _, kind in columns} <= known, columns)
        pictures = [i for i, (name, _) in enumerate(columns) if name.startswith("picture ")]
        if pictures:
            shown = [row[i] for row in rows for i in pictures if row[i]]
            self.assertTrue(shown, "no picture")
            for one in shown:
                self.assertRegex(one, r"^data:image/(png|jpeg);base64,[A-Za-z0-9+/]+=*$")

    def test_old_months_are_left_alone(self):
        """By the database's own count of what a query read, also within functions. The month of plate P0 holds nearly
        all there is; of it, at most what an index shows to be nothing."""
        month = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=97)).strftime("_%Y_%m")
        for board, panel, values in every_panel():
            for sql in reader.expanded(board, panel, values):
                with self.subTest(board=board["uid"], panel=panel["title"]):
                    read = self.what_is_read(sql)
                    if panel["title"] in newest_rows:
                        continue
                    old = {name: told for name, told in read.items() if name.endswith(month) and told[1] > 100}
                    self.assertEqual(old, {}, "sequential scans, and rows read, of an old month")

    def test_there_is_an_index_for_everything(self):
        """Where sequential scans are made dear, none is left on a month's table."""
        for board, panel, values in every_panel():
            for sql in reader.expanded(board, panel, values):
                with self.subTest(board=board["uid"], panel=panel["title"]):
                    read = self.what_is_read("set local enable_seqscan = off; " + sql)
                    self.assertEqual([name for name, (scans, _) in read.items() if scans], [], "sequential scans")

    def what_is_read(self, sql):
        """Month's table -> (sequential scans, rows read)."""
        connection = cluster.connect("panels", "grafana")
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute(sql)
            cursor.execute(r"select relname, coalesce(seq_scan, 0), coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) "
                           r"from pg_stat_xact_all_tables where schemaname = 'scopestream_data' and relname ~ '_\d{4}_\d\d$'")
            read = {name: (scans, rows) for name, scans, rows in cursor.fetchall()}
        connection.close()
        return read

    def test_a_plan_reaches_no_month_outside_the_time_range(self):
        """Of panels that filter by time themselves: a partition of P0's month with frames or numbers is never run."""
        month = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=97)).strftime("_%Y_%m")
        checked = 0
        for board, panel, values in every_panel():
            if not re.search(r"\$__timeFilter\((\w\.)?acquired_at\)|\bacquired_at > \$__timeTo", boards.sql_of(panel)):
                continue
            for sql in reader.expanded(board, panel, values):
                with self.subTest(board=board["uid"], panel=panel["title"]):
                    _, rows = reader.ask("explain (analyze, format json) " + sql)
                    nodes = list(walk(rows[0][0][0]["Plan"]))
                    names = {node.get("Relation Name", "") for node in nodes if node["Actual Loops"] > 0}
                    self.assertTrue(names)
                    self.assertEqual({name for name in names if name in ('frame' + month, 'result' + month)}, set())
                    checked += 1
        self.assertGreater(checked, 3)

    def test_three_months_in_the_range_answer_too(self):
        now = reader.now
        for board, panel, values in every_panel():
            since = now - datetime.timedelta(days=120)
            for sql in reader.expanded(board, panel, values, since, now):
                with self.subTest(board=board["uid"], panel=panel["title"]):
                    _, rows = reader.ask(sql)
                    self.assertLessEqual(len(rows), 12000)

    def test_an_empty_range_breaks_nothing(self):
        then = reader.now - datetime.timedelta(days=3000)
        for board, panel, values in every_panel():
            for sql in reader.expanded(board, panel, values, then, then + datetime.timedelta(hours=6)):
                with self.subTest(board=board["uid"], panel=panel["title"]):
                    reader.ask(sql)


def walk(node):
    yield node
    for child in node.get("Plans", []):
        yield from walk(child)


class Questions(unittest.TestCase):
    def test_the_frame_of_the_trace_is_found_by_path_too(self):
        board = next(board for board in boards.load() if board["uid"] == "scopestream-trace")
        with admin.cursor() as cursor:
            cursor.execute("select path, frame_id::text from scopestream.frames where plate = 'P2' and well = 'B03' limit 1")
            path, frame_id = cursor.fetchone()
        for panel in boards.panels(board):
            by_path, by_id = (reader.ask(reader.expanded(board, panel, {"frame": name})[0])[1] for name in (path, frame_id))
            self.assertTrue(by_id, panel["title"])
            self.assertEqual(by_path, by_id, panel["title"])
            _, rows = reader.ask(reader.expanded(board, panel, {"frame": "no such frame"})[0])
            self.assertEqual(rows, [], panel["title"])

    def test_a_plate_with_quotes_in_its_name_can_be_chosen(self):
        name = '''Bob's "best" \\ plate <b>1</b>; --'''
        now = reader.now - datetime.timedelta(minutes=20)
        documents = seeded.imaged(["--plate", "X", "--wells", "A01-A03", "--channels", "DAPI", "--seed", "9"], now, 1,
                                  place={"plate": name, "channel": 'the "blue" one\'s'})
        with admin.cursor() as cursor:
            seeded.send(cursor, documents)
        self.addCleanup(self.forget, name)
        board = next(board for board in boards.load() if board["uid"] == "scopestream-quality")
        values = reader.choices(board, {"plate": name})
        self.assertEqual(values["channel"], ['the "blue" one\'s'])
        panel = next(panel for panel in boards.panels(board) if panel["title"].startswith("Plate map"))
        _, rows = reader.ask(reader.expanded(board, panel, values)[0])
        self.assertEqual(sum(row[2] is not None for row in rows), 3)

    def forget(self, name):
        with admin.cursor() as cursor:
            cursor.execute("delete from scopestream_data.hour where plate = %s", (name,))
            cursor.execute("delete from scopestream_data.result r using scopestream_data.frame f "
                           "where f.frame_id = r.frame_id and f.plate = %s", (name,))
            cursor.execute("delete from scopestream_data.frame where plate = %s", (name,))


class Hostile(unittest.TestCase):
    """What somebody may put into the address of a dashboard."""
    texts = ["'; drop schema scopestream cascade; --", '"', "\\", "\\'; select 1; --", "''", "<script>alert(1)</script>",
             "${plate}", "$__timeFrom() or true --", "$__timeFrom(); delete from scopestream.alerts; --", "x" * 3000,
             "$$; drop table scopestream_data.frame; $$", "\u0430\u0308\u202e", "focus); drop view scopestream.frames; --", "%s"]

    def state(self):
        with admin.cursor() as cursor:
            cursor.execute("select (select count(*) from scopestream.frames), (select count(*) from scopestream.alerts), "
                           "(select count(*) from pg_class where relnamespace::regnamespace::text ~ '^scopestream')")
            return cursor.fetchone()

    def test_hostile_values_do_nothing(self):
        before = self.state()
        answered = refused = 0
        for text in self.texts:
            values = {"source": [text], "plate": text, "channel": [text], "measure": text, "against": text, "frame": text}
            for board, panel, held in every_panel(values):
                for sql in self.expanded(board, panel, held):
                    try:
                        reader.ask(sql)
                        answered += 1
                    except psycopg2.Error as error:
                        refused += 1
                        # A measure nobody knows is refused in one clear line; a macro within a value breaks the text it
                        # stands in, and then it is the role that may change nothing.
                        self.assertTrue(error.pgcode in ("22023", "42601") or "$__" in text, f"{text}: {panel['title']}: {error}")
        self.assertGreater(answered, 100)
        self.assertGreater(refused, 0)
        self.assertEqual(self.state(), before)

    def expanded(self, board, panel, values):
        try:
            return reader.expanded(board, panel, values)
        except ValueError: # Grafana refuses a macro it does not know, and so does our stand-in
            return []

    def test_the_reader_changes_nothing_whatever_it_sends(self):
        for sql in ("delete from scopestream.alerts", "update scopestream.rules set enabled = false", "drop view scopestream.frames",
                    "select * from scopestream_data.frame", "select scopestream_data.store_documents('[]', 0)",
                    "select scopestream.close_alert(1)", "copy (select 1) to program 'true'", "create table scopestream.x (i int)"):
            with self.assertRaises(psycopg2.Error, msg=sql) as caught:
                reader.ask(sql)
            self.assertEqual(caught.exception.pgcode, "42501", sql)


class Expander(unittest.TestCase):
    """The stand-in for Grafana does what its code does."""
    at = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)

    def expand(self, sql, **values):
        return expand.expand(sql, values, self.at, self.at + datetime.timedelta(hours=1), 1000, "10s")

    def test_variables(self):
        self.assertEqual(self.expand("${a:sqlstring}", a="it's \"x\""), "'it''s \\\"x\\\"'")
        self.assertEqual(self.expand("${a:sqlstring}", a=["1", "2"]), "'1','2'")
        self.assertEqual(self.expand("array[${a:sqlstring}]", a=[]), "array[]")
        with self.assertRaises(ValueError):
            self.expand("'${a}'", a="x")

    def test_macros(self):
        self.assertEqual(self.expand("$__timeFilter(t)"),
                         "t BETWEEN '2026-03-01T00:00:00.000000Z' AND '2026-03-01T01:00:00.000000Z'")
        self.assertEqual(self.expand("$__timeGroup(t,$__interval)"), "floor(extract(epoch from t)/10)*10")
        self.assertEqual(self.expand("$__interval_ms"), "10000")
        with self.assertRaises(ValueError):
            self.expand("$__nothing(t)")


if __name__ == "__main__":
    unittest.main()
