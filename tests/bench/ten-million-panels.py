"""ten-million-panels FOLDER UNTIL: every panel's SQL, as Grafana would send it at that time, a file each in FOLDER; on
standard output a line each: what, a tab, its file. Twice: with the time range its dashboard opens with, and 90 days."""
import datetime
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "grafana"))
import boards
import psycopg2

folder, until = sys.argv[1], datetime.datetime.fromisoformat(sys.argv[2].replace("Z", "+00:00"))
connection = psycopg2.connect("")
connection.autocommit = True
reader = boards.Reader(connection, until)


def put(what, sql):
    path = os.path.join(folder, "".join(c if c.isalnum() else "_" for c in what) + ".sql")
    with open(path, "w") as file:
        file.write(sql.rstrip().rstrip(";") + ";\n")
    print(f"{what}\t{path}", flush=True)


def tell(board, held, since=None, words=""):
    for panel in boards.panels(board):
        if boards.sql_of(panel):
            # A panel that is repeated asks the same for each channel: the first stands for all.
            sql = reader.expanded(board, panel, held, since, until if since else None)[0]
            put(f"panel: {board['uid'].replace('scopestream-', '')}, {panel['title'] or panel['id']}{words}", sql)


for board in boards.load():
    try:
        held = reader.choices(board)
    except psycopg2.Error as error:
        print(f"{board['uid']}: its variables: {error}", file=sys.stderr)
        continue
    if "frame" in held:
        held["frame"] = sys.argv[3]
    tell(board, held)
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            from expand import expand, time_range
            put(f"choices: {board['uid'].replace('scopestream-', '')}, {variable['name']}",
                expand(variable["query"], held, *time_range(board, until)))
    tell(board, held, until - datetime.timedelta(days=90), ", 90 days")
