"""The postgres component against a real PostgreSQL."""
import pathlib
import socket
import unittest

import lab

SCHEMA = """
create table inspection_records (id int primary key, note text);
insert into inspection_records select i, 'x' from generate_series(1, 1234) i;
create table locations (id int);
insert into locations select generate_series(1, 56);
"""
TABLES = [{"metric": "db_inspections_total", "table": "inspection_records"},
          {"metric": "db_locations_total", "table": "locations"}]


def database(server, **more):
    return {"use": "postgres", "dsn": server.dsn(), "interval": "500ms", "timeout": "400ms", **more}


class Postgres(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = lab.Postgres(tls=True)
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        cls.server.psql(SCHEMA)

    def ours(self, state="true"):
        return int(self.server.psql("select count(*) from pg_stat_activity where application_name = 'toiletmon' "
                                    f"and {state}"))

    def test_passes_with_its_response_time(self):
        with lab.Agent(plugins={"database": database(self.server)}) as agent:
            check = agent.wait_check("database", "pass")
            self.assertGreater(check["responseTime"], 0)
            self.assertLess(check["responseTime"], 400)
            self.assertEqual(check["tls"], "on")

    def test_counts(self):
        with lab.Agent(plugins={"database": database(self.server, tables=TABLES)}) as agent:
            lab.wait_for(lambda: agent.metrics().value("db_inspections_total") == 1234)
            self.assertEqual(agent.metrics().value("db_locations_total"), 56)
            self.assertEqual(agent.metrics().value("pg_up"), 1)
            self.assertIn("# TYPE db_inspections_total untyped", agent.get("/metrics").text)

    def test_large_tables_are_estimated(self):
        self.server.psql("create table large as select i from generate_series(1, 100000) i; analyze large")
        tables = [{"metric": "large_rows", "table": "large", "exact_below": 0}]
        with lab.Agent(plugins={"database": database(self.server, tables=tables)}) as agent:
            rows = lab.wait_for(lambda: agent.metrics().value("large_rows"))
            self.assertAlmostEqual(rows, 100000, delta=2000)

    def test_a_partitioned_table_is_the_sum_of_its_parts(self):
        self.server.psql("""create table parts (i int) partition by range (i);
            create table parts1 partition of parts for values from (0) to (1000);
            create table parts2 partition of parts for values from (1000) to (100000);
            insert into parts select generate_series(0, 2999); analyze parts""")
        tables = [{"metric": "exact_rows", "table": "parts"},
                  {"metric": "estimated_rows", "table": "parts", "exact_below": 0}]
        with lab.Agent(plugins={"database": database(self.server, tables=tables)}) as agent:
            lab.wait_for(lambda: agent.metrics().value("exact_rows") == 3000)
            lab.wait_for(lambda: agent.metrics().value("estimated_rows") == 3000)

    def test_a_missing_table_is_no_zero(self):
        tables = [*TABLES, {"metric": "missing_rows", "table": "no_such_table"}]
        with lab.Agent(plugins={"database": database(self.server, tables=tables)}) as agent:
            check = agent.wait_check("database", "warn")
            self.assertIn("no_such_table", check["message"])
            lab.wait_for(lambda: agent.metrics().value("db_inspections_total") == 1234)
            self.assertIsNone(agent.metrics().value("missing_rows"))
            self.assertEqual(agent.metrics().value("pg_scrape_collector_success", collector="missing_rows"), 0)

    def test_row_level_security_is_said(self):
        self.server.psql("""create role watcher login password 'w'; create table secret_rows (i int);
            insert into secret_rows select generate_series(1, 9); alter table secret_rows enable row level security;
            grant select on secret_rows to watcher""")
        tables = [{"metric": "secret_rows", "table": "secret_rows"}]
        plugin = database(self.server, tables=tables)
        plugin["dsn"] = self.server.dsn(user="watcher", password="w")
        with lab.Agent(plugins={"database": plugin}) as agent:
            check = agent.wait_check("database", "warn")
            self.assertIn("row-level security", check["message"])
            lab.wait_for(lambda: agent.metrics().value("pg_up") == 1)
            self.assertIsNone(agent.metrics().value("secret_rows"))

    def test_one_backend_under_a_lock(self):
        tables = [{"metric": "locked_rows", "table": "locked"}]
        self.server.psql("create table locked as select 1 as i")
        plugin = database(self.server, tables=tables, interval="200ms", timeout="150ms")
        with lab.Agent(plugins={"database": plugin}) as agent:
            lab.wait_for(lambda: agent.metrics().value("locked_rows") == 1)
            # One statement string is one transaction: the lock is held while the sleep lasts.
            locker = lab.Child([self.server.bin / "psql", "-XAtq", "-h", self.server.dir, "-p", str(self.server.port),
                                "-U", "postgres", "-c", "lock locked in access exclusive mode; select pg_sleep(15)"],
                               agent.dir / "locker")
            lab.wait_for(lambda: self.server.psql("select count(*) from pg_locks where mode = 'AccessExclusiveLock' "
                                                  "and granted and relation = 'locked'::regclass") == "1")
            runs = agent.metrics().value("toiletmon_instance_runs_total", name="database", call="collect")
            most, scrapes = 0, 0

            def fifty_scrapes():
                nonlocal most, scrapes
                scrapes += 1
                agent.get("/metrics")
                most = max(most, self.ours())
                done = agent.metrics().value("toiletmon_instance_runs_total", name="database", call="collect")
                return scrapes >= 50 and done >= runs + 5
            lab.wait_for(fifty_scrapes, 12, "fifty scrapes and five collections under the lock")
            self.assertTrue(locker.alive())
            self.assertLessEqual(most, 1)
            self.assertEqual(agent.metrics().value("pg_scrape_collector_success", collector="locked_rows"), 0)
            self.assertEqual(agent.check("database")["status"], "pass")
            locker.end()
            self.server.psql("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(15)%' "
                             "and pid <> pg_backend_pid()")
            lab.wait_for(lambda: agent.metrics().value("pg_scrape_collector_success", collector="locked_rows") == 1)

    def test_says_which_step_failed(self):
        closed = lab.free_port()
        cases = {
            "name resolution": "postgresql://u:p@no-such-host.invalid/db",
            "connect": f"postgresql://u:p@127.0.0.1:{closed}/db",
            "authentication": self.server.dsn(password="wrong"),
            "TLS": self.server.dsn(sslmode="verify-full", sslrootcert="/dev/null"),
        }
        plugins = {name.replace(" ", "_").lower(): database(self.server, dsn=dsn, timeout="3s", interval="3s")
                   for name, dsn in cases.items()}
        plugins["statement"] = database(self.server, statement="select 1 / 0")
        with lab.Agent(plugins=plugins) as agent:
            for name in [*cases, "statement"]:
                check = agent.wait_check(name.replace(" ", "_").lower(), "fail", 20)
                self.assertTrue(check["message"].startswith(name + " failed"), check["message"])
            self.assertNotIn("wrong", agent.log() + agent.get("/api/health").text)

    def test_a_dead_resolver_fails_the_check_in_time(self):
        with lab.Resolver() as resolver:
            named = self.server.dsn().replace("127.0.0.1", "database.example")
            with lab.Agent(plugins={"database": database(self.server, dsn=named)}, within=resolver.within) as agent:
                check = agent.wait_check("database", "fail", 5)
                self.assertTrue(check["message"].startswith("name resolution failed: no answer in time"), check)
                self.assertIn("database.example", check["message"])
                # Long enough for a quarantine, if the check were killed for it.
                lab.wait_for(lambda: agent.metrics().value("toiletmon_instance_runs_total", name="database",
                                                           call="check") >= 12, 20, "twelve checks")
                self.assertEqual(agent.metrics().value("toiletmon_instance_state", name="database", state="ready"), 1)
                self.assertEqual(agent.metrics().value("toiletmon_instance_restarts_total", name="database"), 0)
                self.assertLess(resolver.asked, 2 * 12)  # one lookup goes on; each new one would ask for A and AAAA
                resolver.answering.set()
                agent.wait_check("database", "pass", 20)

    def test_names_keep_their_place(self):
        """A name is looked up by us: libpq goes on to check the certificate for it, and to try all hosts."""
        ports = f"{lab.free_port()},{self.server.port},1"
        secret = f"user=postgres dbname=postgres password={self.server.password}"
        plugins = {
            "verified": f"{secret} host=localhost port={self.server.port} sslmode=verify-full "
                        f"sslrootcert={self.server.certificate}",
            "second": f"{secret} host=no-such-host.invalid,localhost,/tmp port={ports}",
            "third": f"{secret} host=localhost,{self.server.dir},localhost port={ports}",
            "addressed": f"{secret} host=no-such-host.invalid hostaddr=127.0.0.1 port={self.server.port}",
            "wrong": f"{secret} host=localhost,localhost,localhost port=1,2",
        }
        with lab.Agent(plugins={name: database(self.server, dsn=dsn, timeout="5s", interval="5s")
                                for name, dsn in plugins.items()}) as agent:
            for name in ["verified", "second", "third", "addressed"]:
                agent.wait_check(name, "pass", 20)
            self.assertEqual(agent.check("verified")["tls"], "on")
            self.assertIn("could not match 2 port numbers to 3 hosts",
                          agent.wait_check("wrong", "fail", 20)["message"])

    def test_survives_a_restart_of_the_server(self):
        with lab.Postgres() as server:
            with lab.Agent(plugins={"database": database(server)}) as agent:
                agent.wait_check("database", "pass")
                server.stop()
                agent.wait_check("database", "fail")
                server.start()
                agent.wait_check("database", "pass", 20)
                self.assertEqual(agent.metrics().value("toiletmon_instance_restarts_total", name="database"), 0)

    def test_a_server_that_stops_in_the_middle_of_tls(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            dsn = f"host=127.0.0.1 port={server.getsockname()[1]}"
            with lab.Agent(plugins={"database": {"use": "postgres", "dsn": dsn, "interval": "5s", "timeout": "1s"}}) as agent:
                with server.accept()[0] as connection:
                    self.assertEqual(len(connection.recv(8)), 8)
                    connection.sendall(b"S")
                    self.assertEqual(agent.wait_check("database", "fail")["message"], "TLS failed: no answer in time")

    def test_a_frozen_server_fails_the_check_and_thaws(self):
        with lab.Postgres() as server:
            with lab.Agent(plugins={"database": database(server)}) as agent:
                agent.wait_check("database", "pass")
                server.freeze()
                check = agent.wait_check("database", "fail", 5)
                self.assertIn("no answer in time", check["message"])
                # Long enough for a quarantine, if a slow check were taken for a dead one.
                failures = agent.metrics().value("toiletmon_instance_runs_total", name="database", call="check")
                lab.wait_for(lambda: agent.metrics().value("toiletmon_instance_runs_total", name="database",
                                                           call="check") >= failures + 8, 20, "eight more checks")
                self.assertEqual(agent.metrics().value("toiletmon_instance_state", name="database", state="ready"), 1)
                # asked for TLS, it has said neither yes nor no: it is not TLS that failed
                self.assertEqual(agent.check("database")["message"], "connect failed: no answer in time")
                server.thaw()
                agent.wait_check("database", "pass")


if __name__ == "__main__":
    unittest.main()
