"""expand: does to a panel's SQL what Grafana does before it sends it: variables, then macros.

As Grafana's own code does it, with its faults: :sqlstring doubles single quotes and puts a backslash before a double
one, and macros are looked for in the whole text, also in what a variable brought in."""
import datetime
import re

utc = datetime.timezone.utc


def sqlstring(value):
    values = value if isinstance(value, list) else [value]
    return ",".join("'" + text.replace("'", "''").replace('"', '\\"') + "'" for text in values)


def variables(sql, values):
    """values: name -> text, or list of texts."""
    def replace(told):
        name, style = told.group(1), told.group(2)
        if name not in values:
            raise KeyError(f"no variable is called {name}")
        if style != "sqlstring":
            raise ValueError(f"${{{name}}} would stand in SQL as it is")
        return sqlstring(values[name])
    return re.sub(r"\$\{(\w+)(?::(\w+))?\}", replace, sql)


def seconds(text):
    told = re.fullmatch(r"(\d+)(ms|s|m|h|d)", text)
    return int(told.group(1)) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[told.group(2)]


def interval_for(since, until, points=1000, least="1s"):
    """Grafana takes a round step that gives about so many points."""
    wanted = max((until - since).total_seconds() / points, seconds(least))
    steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800]
    return next((step for step in steps if step >= wanted), steps[-1])


def macros(sql, since, until, step):
    def time(at):
        return "'" + at.astimezone(utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ") + "'"

    def group(arguments):
        at, width = arguments[:2]
        width = seconds(width.strip("'"))
        return f"floor(extract(epoch from {at})/{width:g})*{width:g}"

    def replace(told):
        name = told.group(1)
        arguments = [argument.strip() for argument in told.group(2).split(",")]
        known = {"__timeFilter": lambda: f"{arguments[0]} BETWEEN {time(since)} AND {time(until)}",
                 "__timeFrom": lambda: time(since), "__timeTo": lambda: time(until),
                 "__timeGroup": lambda: group(arguments),
                 "__timeGroupAlias": lambda: group(arguments) + ' AS "time"',
                 "__time": lambda: f'{arguments[0]} AS "time"'}
        if name not in known:
            raise ValueError(f"unknown macro {name}")
        return known[name]()

    sql = sql.replace("$__interval_ms", f"{step * 1000:g}").replace("$__interval", f"{step:g}s")
    return re.sub(r"\$([_a-zA-Z0-9]+)\(([^\)]*)\)", replace, sql)


def expand(sql, values, since, until, points=1000, least="1s"):
    return macros(variables(sql, values), since, until, interval_for(since, until, points, least))


def time_range(board, now):
    told = re.fullmatch(r"now-(\w+)", board["time"]["from"])
    return now - datetime.timedelta(seconds=seconds(told.group(1))), now
