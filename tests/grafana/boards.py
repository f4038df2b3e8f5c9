"""boards: the dashboards as Grafana reads them, and asking their panels as the reader."""
import datetime
import glob
import json
import os

import expand
import seeded

folder = os.path.join(seeded.tree, "deploy", "grafana")


def load():
    made = []
    for path in sorted(glob.glob(os.path.join(folder, "dashboards", "*.json"))):
        with open(path) as file:
            made.append(json.load(file))
    return made


def panels(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def sql_of(panel):
    return panel["targets"][0].get("rawSql")


class Reader:
    """Asks as Grafana's login would, at one time."""

    def __init__(self, connection, now=None):
        self.connection = connection
        self.now = now or datetime.datetime.now(datetime.timezone.utc)

    def ask(self, sql):
        """Names and type names of the columns, and the rows. More than Grafana would show is not fetched."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            columns = [(column.name, type_names.get(column.type_code, str(column.type_code)))
                       for column in cursor.description]
            return columns, cursor.fetchmany(20000)

    def choices(self, board, values=None):
        """What the variables hold when the dashboard is opened, in their order; values: chosen otherwise."""
        since, until = expand.time_range(board, self.now)
        held = dict(values or {})
        for variable in board["templating"]["list"]:
            if variable["name"] in held:
                continue
            if variable["type"] == "textbox":
                held[variable["name"]] = variable["query"]
                continue
            options = self.options(variable, held, since, until)
            if variable["multi"]:
                held[variable["name"]] = options
            else:
                start = variable["current"].get("value")
                held[variable["name"]] = start if start in options or not options else options[0]
        return held

    def options(self, variable, held, since, until):
        columns, rows = self.ask(expand.expand(variable["query"], held, since, until))
        names = [name for name, _ in columns]
        place = names.index("__value") if "__value" in names else 0
        return [row[place] for row in rows]

    def expanded(self, board, panel, values, since=None, until=None):
        """The SQL of a panel; of one that is repeated, once for each value."""
        if since is None:
            since, until = expand.time_range(board, self.now)
        repeated = panel.get("repeat")
        held = [dict(values, **{repeated: [value]}) for value in values[repeated]] if repeated else [values]
        return [expand.expand(sql_of(panel), one, since, until, panel.get("maxDataPoints", 1000),
                              panel.get("interval", "1s")) for one in held]


type_names = {16: "bool", 20: "int8", 21: "int2", 23: "int4", 25: "text", 700: "float4", 701: "float8", 1184: "timestamptz",
              1700: "numeric", 2950: "uuid", 1009: "text[]", 114: "json", 3802: "jsonb", 1186: "interval", 705: "unknown",
              1043: "varchar", 19: "name", 1082: "date", 1114: "timestamp"}
numbers = {"int2", "int4", "int8", "float4", "float8", "numeric"}
texts = {"text", "varchar", "name"}
times = {"timestamptz"}
