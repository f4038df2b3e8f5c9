"""seeded: a private PostgreSQL with every migration, and plates in it that the simulated microscope imaged.

The numbers are real: scopestream-features measures the simulated files. Only the times are made up, so that one
plate is being imaged now, others stand in the days before, and one in an older month."""
import array
import base64
import csv
import datetime
import json
import os
import pwd
import re
import shutil
import struct
import subprocess
import tempfile
import uuid
import zlib

import psycopg2
import psycopg2.extras

tree = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
second = datetime.timedelta(seconds=1)


def program(name):
    folder = os.environ.get("SCOPESTREAM_BIN") or os.path.join(tree, "build", "release", "bin")
    return os.path.join(folder, name)


class Cluster:
    """A server of this test's own, reached by a socket in its folder; gone when the test ends."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="scopestream-grafana-")
        os.chmod(self.folder, 0o755)
        self.bindir = subprocess.check_output(["pg_config", "--bindir"], text=True).strip()
        if os.geteuid() == 0:
            os.chown(self.folder, pwd.getpwnam("postgres").pw_uid, -1)
        self.run("initdb", "-N", "-E", "UTF8", "--locale=C", "-A", "trust", "-U", "postgres", "-D", self.data())
        self.run("pg_ctl", "start", "-w", "-D", self.data(), "-l", os.path.join(self.folder, "log"), "-o",
                 f"-k {self.folder} -c listen_addresses= -c fsync=off -c max_connections=20")
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self.data())
        shutil.rmtree(self.folder, ignore_errors=True)

    def data(self):
        return os.path.join(self.folder, "data")

    def run(self, name, *words):
        as_postgres = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        command = (as_postgres if os.geteuid() == 0 else []) + [os.path.join(self.bindir, name), *words]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def connect(self, database, user="postgres"):
        connection = psycopg2.connect(host=self.folder, dbname=database, user=user)
        connection.autocommit = True
        return connection

    def migrate(self, database):
        with self.connect("postgres").cursor() as cursor:
            cursor.execute(f"create database {database}")
        for name in sorted(os.listdir(os.path.join(tree, "schema"))):
            if name.endswith(".sql"):
                subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "postgres",
                                "-d", database, "-f", os.path.join(tree, "schema", name)],
                               check=True, stdout=subprocess.DEVNULL)

    def make_readers(self, database):
        """As deploy/postgres/roles.sql makes them."""
        with self.connect(database).cursor() as cursor:
            cursor.execute("create role grafana login in role scopestream_reader; "
                           "alter role grafana set search_path = scopestream; "
                           "alter role grafana set jit = off; alter role grafana set statement_timeout = '30s'")


# --- what the microscope wrote ---

def image(folder, *options):
    """Files of the simulated microscope, as (its own row about the file, what was measured of it)."""
    written = os.path.join(folder, "written.csv")
    subprocess.run([program("simulated-microscope"), "--out", os.path.join(folder, "images"), "--list", written,
                    "--side", "256", "--rate", "5000", "--quiet", *options], check=True, stdout=subprocess.DEVNULL)
    measured = {}
    out = subprocess.run([program("scopestream-features"), "measure", "--format=json",
                          os.path.join(folder, "images")], stdout=subprocess.PIPE, text=True).stdout
    for line in out.splitlines():
        told = json.loads(line)
        measured[os.path.relpath(told["file"], os.path.join(folder, "images"))] = told
    with open(written) as rows:
        return [(row, measured.get(row["file"]), os.path.join(folder, "images", row["file"]))
                for row in csv.DictReader(rows) if row["closed_at"]]


def picture(path, side=64):
    """A PNG of an uncompressed 16-bit TIFF of one strip, with the range it shows."""
    with open(path, "rb") as file:
        content = file.read()
    offset = struct.unpack("<I", content[4:8])[0]
    tags = {}
    for i in range(struct.unpack("<H", content[offset:offset + 2])[0]):
        tag, kind, _, value = struct.unpack("<HHII", content[offset + 2 + 12 * i:offset + 14 + 12 * i])
        tags[tag] = value & 0xFFFF if kind == 3 else value
    width, height, start = tags[256], tags[257], tags[273]
    pixels = array.array("H", content[start:start + 2 * width * height])
    step = width // side
    rows = [[max(pixels[(y * step + dy) * width + x * step + dx] for dy in (0, 1) for dx in (0, 1))
             for x in range(side)] for y in range(height // step)]
    flat = sorted(value for row in rows for value in row)
    low, high = flat[len(flat) // 100], flat[-1 - len(flat) // 1000] + 1
    lines = b"".join(b"\0" + bytes(max(0, min(255, 255 * (value - low) // (high - low))) for value in row)
                     for row in rows)
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    png = (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, len(rows), 8, 0, 0, 0, 0))
           + chunk(b"IDAT", zlib.compress(lines, 6)) + chunk(b"IEND", b""))
    return {"mime": "image/png", "width": side, "height": len(rows), "low": low / 65535, "high": high / 65535,
            "base64": base64.b64encode(png).decode()}


# --- documents, as workers send them ---

def wire_time(at):
    return at.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def catalogue(values):
    units = {}
    listed = subprocess.check_output([program("scopestream-features"), "list"], text=True)
    for line in listed.splitlines()[1:]:
        told = re.match(r"([a-z]\w*) +(\S+) +(\S.*)", line)
        if told:
            units[told.group(1)] = told.groups()[1:]
    def row(name, value):
        told = {"name": name, "unit": units.get(name, ("1", ""))[0], "formula": units.get(name, ("", "of a test"))[1]}
        if isinstance(value, list):
            told.update(kind="array", length=len(value))
        elif isinstance(value, str) or isinstance(value, int) and not isinstance(value, bool):
            told.update(kind="hash")
        return told
    return {"kind": "catalogue", "pipeline": pipeline, "measures": [row(n, v) for n, v in values.items()]}


pipeline = {"name": "quality", "definition": "0123456789abcdef"}


def number_or_none(text):
    return int(text) if text else None


def document(row, told, path, at, with_picture=True, change=None, place=None):
    """The result of one file, acquired at some time. change: values to put in place of measured ones."""
    frame = {"frame_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{row['file']} {row['page']} {at}")),
             "source": "scope", "path": row["file"], "page": int(row["page"]), "pages": 1, "size_bytes": 131291,
             "mtime_ns": int(at.timestamp() * 1e9), "acquired_at": wire_time(at),
             "closed_at": wire_time(at + 0.05 * second), "naming": "imagexpress", "experiment": "screen 7",
             "plate": row["plate"], "well": row["well"], "channel": row["channel"], "format": "tiff", "width": 256,
             "height": 256, "bits": 16, "samples": 1,
             "site": number_or_none(row["site"]), "z": number_or_none(row["z"]), "t": number_or_none(row["t"])}
    frame.update(place or {})
    ok = told is not None and told["status"] == "ok"
    result = {"kind": "result", "frame": {k: v for k, v in frame.items() if v is not None}, "pipeline": pipeline,
              "status": "ok" if ok else "broken", "values": {**told["values"], **(change or {})} if ok else {},
              "delivery": "path", "attempt": 1, "worker": f"host/{1 + zlib.crc32(row['file'].encode()) % 2}",
              "timing": {f"{step}_at": wire_time(at + lag * second) for step, lag in
                         (("offered", 0.11), ("taken", 0.12), ("received", 0.13), ("decoded", 0.14),
                          ("measured", 0.17))}}
    if not ok:
        result["reason"] = "page 0: a directory's count ends at byte 131290, the file has 65000"
    elif told.get("nulls"):
        result["nulls"] = told["nulls"]
    if ok and with_picture:
        result["thumbnail"] = picture(path)
    return result


def imaged(options, first, step_s, with_picture=True, change=lambda row, values: None, place=None):
    """Documents of a run, one frame every step_s seconds from first on."""
    folder = tempfile.mkdtemp(prefix="scopestream-imaged-")
    try:
        return [document(row, told, path, first + i * step_s * second, with_picture,
                         change(row, told["values"]) if told and told["status"] == "ok" else None, place)
                for i, (row, told, path) in enumerate(image(folder, *options))]
    finally:
        shutil.rmtree(folder)


def bleached(row, values):
    """The simulated dyes last for ever; here the second channel loses 3 % at each time point, well A03 9 %."""
    if row["channel"] != "2" or values.get("fg_mean") is None:
        return None
    left = 2.718281828 ** (-(int(row["t"]) - 1) * (0.09 if row["well"] == "A03" else 0.03))
    return {"fg_mean": values["bg_mean"] + (values["fg_mean"] - values["bg_mean"]) * left}


screen = ["--wells", "A01-D06", "--sites", "2", "--channels", "DAPI,GFP"]
dim_controls = ["--fault", "dim:A06,B06,C06,D06"]


def plates(now):
    day = 86400 * second
    return [
        imaged(screen + ["--plate", "P0", "--seed", "7"] + dim_controls, now - 97 * day, 2, with_picture=False),
        imaged(screen + ["--plate", "P1", "--seed", "1"] + dim_controls, now - 3 * day, 2, with_picture=False),
        imaged(screen + ["--plate", "P2", "--seed", "2"] + dim_controls, now - 1 * day, 2),
        imaged(["--plate", "Z1", "--wells", "A01-B03", "--channels", "DAPI", "--z", "7", "--seed", "6"],
               now - 18000 * second, 2),
        imaged(["--plate", "T1", "--wells", "A01-B03", "--channels", "DAPI,GFP", "--t", "8", "--seed", "5",
                "--fault", "stuck:30+3"], now - 6000 * second, 25, change=bleached),
        # The one on the stage: out of focus, empty, saturated, uneven, stuck, and one file cut short.
        imaged(screen + ["--plate", "P4", "--seed", "4", "--fault", "defocus:B02,C05", "--fault", "empty:A04",
                         "--fault", "saturated:GFP@D03", "--fault", "missing:D02/2", "--fault", "stuck:30+2",
                         "--fault", "uneven:B05"] + dim_controls, now - 600 * second, 6),
    ]


def layout_sql():
    return """select scopestream.load_layout('*', 24, (
        select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('well', chr(64 + y) || to_char(x, 'FM00'),
            'role', case x when 1 then 'negative' when 6 then 'positive' else 'sample' end,
            'treatment', case x when 1 then 'DMSO' when 6 then 'staurosporine' else 'taxol' end,
            'concentration', case when x between 2 and 5 then 10 ^ (x - 3) end,
            'unit', case when x between 2 and 5 then 'nM' end)))
        from generate_series(1, 4) y, generate_series(1, 6) x))"""


def seed(connection, now=None):
    """Fills a migrated database; returns when it was for the microscope."""
    now = now or datetime.datetime.now(datetime.timezone.utc)
    runs = plates(now)
    with connection.cursor() as cursor:
        known = {}
        for documents in runs:
            for told in documents:
                for name, value in told["values"].items():
                    known[name] = value if value is not None else known.get(name, 0.0)
        send(cursor, [catalogue(known)])
        cursor.execute(layout_sql())
        for documents in runs:
            for i in range(0, len(documents), 64):
                send(cursor, documents[i:i + 64])
        broken = [dict(told, status="broken", values={}, reason="no strip of the image is whole") for told in runs[-1][:2]]
        for i, told in enumerate(broken):
            told.pop("thumbnail", None)
            told["frame"] = dict(told["frame"], frame_id=str(uuid.uuid4()), site=3,
                                 path=f"P4/A01_s3_broken_{i}.tif")
        send(cursor, broken)
        send(cursor, [{"kind": "event", "at": wire_time(now - 60 * second), "source": "scope", "level": "warning",
                       "event": "unfinished", "path": "P4/D02_s2.tif",
                       "detail": "page 0: a directory's count ends at byte 131290, the file has 65000"}])
        # As if each row had come when its frame was imaged.
        cursor.execute("update scopestream_data.result r set stored_at = measured_at + interval '15 ms' "
                       "* (1 + ('x' || left(md5(frame_id::text), 4))::bit(16)::integer % 7)")
        cursor.execute("select scopestream_data.watch_time(now())")
        fill_month(cursor, "P0", 300)
        cursor.execute("analyze")
    return now


def fill_month(cursor, plate, times):
    """Makes the month of a plate as full as months are, so that whoever reads it without need is seen. No trigger
    counts these rows: nobody steers by them."""
    cursor.execute("set session_replication_role = replica")
    for table in ("frame", "result"):
        cursor.execute("select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute where attrelid = %s::regclass "
                       "and attnum > 0 and not attisdropped", (f"scopestream_data.{table}",))
        columns = cursor.fetchone()[0]
        changed = (columns.replace("frame_id", "md5(t.frame_id::text || n)::uuid", 1)
                   .replace("plate", f"plate || '-' || n", 1).replace(" path", f" n || path", 1) if table == "frame"
                   else columns.replace("frame_id", "md5(t.frame_id::text || n)::uuid", 1))
        cursor.execute(f"insert into scopestream_data.{table} ({columns}) select {changed} from scopestream_data.{table} t "
                       "cross join generate_series(1, %s) n where (t.frame_id, t.acquired_at) in (select frame_id, acquired_at "
                       "from scopestream.frames where plate = %s)", (times, plate))
    cursor.execute("reset session_replication_role")


def send(cursor, documents):
    cursor.execute("select scopestream_data.store_documents(%s::jsonb, %s)", (json.dumps(documents), len(documents)))
