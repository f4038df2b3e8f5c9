#!/usr/bin/python3
"""deploy/grafana/run, with a stand-in for Grafana that writes down what it was told."""
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

run = os.path.join(boards.folder, "run")
stand_in = "#!/bin/sh\nenv | sort > \"$STAND_IN_SAYS\"\necho \"arguments: $*\" >> \"$STAND_IN_SAYS\"\n"


class Run(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.says = self.path("says")

    def path(self, *names):
        return os.path.join(self.folder.name, *names)

    def make(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def run_it(self, *words):
        environment = {"PATH": "/usr/bin:/bin", "STAND_IN_SAYS": self.says, "TMPDIR": self.folder.name}
        return subprocess.run([run, *words], capture_output=True, text=True, env=environment, timeout=30)

    def told(self):
        with open(self.says) as file:
            return file.read()

    def home(self, program="grafana"):
        self.make(f"home/bin/{program}", stand_in, 0o755)
        os.makedirs(self.path("home", "public"), exist_ok=True)
        return self.path("home")

    def demo(self, place):
        """The env of a demo whose psql writes down what it is asked."""
        self.make("bin/psql", f"#!/bin/sh\necho \"$PGUSER@$PGHOST\" > {self.path('asked')}\ncat >> {self.path('asked')}\n", 0o755)
        return self.make("env", f"# Over TCP: postgresql://scientist:s3cret@{place}\nexport PGHOST=/a/socket PGUSER=scientist\n"
                                f"export PATH={self.path('bin')}:\"$PATH\"\n")

    def test_a_demo_is_told_by_its_env(self):
        env = self.demo("127.0.0.1:23456/scopestream")
        done = self.run_it("--home", self.home(), "--env", env, "--port", "3123")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = self.told()
        with open(self.path("asked")) as file:
            asked = file.read()
        self.assertIn("postgres@/a/socket", asked)
        self.assertIn("create role grafana login in role scopestream_reader", asked, "who looks may not steer")
        password = re.search("alter role grafana password '([0-9a-f]{32})'", asked).group(1)
        self.assertIn(f"SCOPESTREAM_PASSWORD={password}\n", told)
        for line in ("SCOPESTREAM_POSTGRES=127.0.0.1:23456", "SCOPESTREAM_DATABASE=scopestream", "SCOPESTREAM_USER=grafana",
                     "SCOPESTREAM_SSLMODE=disable", "GF_SERVER_HTTP_ADDR=127.0.0.1",
                     "GF_SERVER_HTTP_PORT=3123", f"GF_PATHS_PROVISIONING={boards.folder}/provisioning",
                     f"SCOPESTREAM_GRAFANA={boards.folder}", "GF_AUTH_ANONYMOUS_ORG_ROLE=Viewer",
                     f"arguments: server --homepath {self.path('home')}"):
            self.assertIn(line + "\n", told)
        self.assertNotIn(password, done.stdout + done.stderr)
        self.assertEqual([name for name in os.listdir(self.folder.name) if name.startswith("scopestream-grafana")], [], "data is left")

    def test_the_login_made_for_a_demo_may_read_and_no_more(self):
        with seeded.Cluster() as cluster:
            cluster.migrate("scopestream")
            env = self.make("env", "# Over TCP: postgresql://scientist:s3cret@127.0.0.1:1/scopestream\n"
                                   f"export PGHOST={cluster.folder} PGDATABASE=scopestream PGUSER=scientist\n")
            for _ in ("made", "made again"):
                done = self.run_it("--home", self.home(), "--env", env)
                self.assertEqual(done.returncode, 0, done.stderr)
            with cluster.connect("scopestream", "grafana").cursor() as cursor:
                cursor.execute("select pg_has_role('scopestream_reader', 'member') and not pg_has_role('scopestream_scientist', 'member'), "
                               "current_setting('statement_timeout'), (select count(*) from scopestream.frames)")
                self.assertEqual(cursor.fetchone(), (True, "30s", 0))
        done = self.run_it("--home", self.home(), "--env", env)
        self.assertEqual(done.returncode, 1)
        self.assertIn("does it run?", done.stderr)

    def test_every_variable_the_files_name_is_set(self):
        self.run_it("--home", self.home("grafana-server"), "--env", self.demo("127.0.0.1:1/c"))
        self.assertIn("arguments: --homepath", self.told(), "older ones have no command server")
        for kind in ("datasources", "dashboards"):
            with open(os.path.join(boards.folder, "provisioning", kind, "scopestream.yaml")) as file:
                text = yaml.safe_dump(yaml.safe_load(file))
            for name in set(part.split("}")[0] for part in text.split("{")[1:] if part.startswith("SCOPESTREAM")):
                self.assertRegex(self.told(), rf"(?m)^{name}=")

    def test_another_host_is_asked_for_encryption_and_the_password_comes_from_a_file(self):
        secret = self.make("secret", "from a file\n")
        self.run_it("--home", self.home(), "--postgres", "db.example.org:5432", "--database", "s", "--user", "grafana",
                    "--password-file", secret)
        self.assertIn("SCOPESTREAM_SSLMODE=require\n", self.told())
        self.assertIn("SCOPESTREAM_PASSWORD=from a file\n", self.told())

    @unittest.skipIf(shutil.which("grafana", path="/usr/bin:/bin"), "there is one here")
    def test_without_a_grafana_it_says_how_to_get_one(self):
        for words in ([], ["--home", self.path("nothing")]):
            done = self.run_it(*words)
            self.assertEqual(done.returncode, 1)
            self.assertIn("grafana.com/grafana/download", done.stderr)
            self.assertIn("docs/grafana.md", done.stderr)

    def test_wrong_use_is_one_line(self):
        for words, expected in ((["--nonsense"], "no option"), (["--port"], "wants a value"), (["--port", "x"], "expected a number"),
                                (["--home", self.home()], "which database?"),
                                (["--home", self.home(), "--env", self.path("none")], "cannot be read"),
                                (["--home", self.home(), "--env", self.make("empty", "")], "has no line")):
            done = self.run_it(*words)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(expected, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
