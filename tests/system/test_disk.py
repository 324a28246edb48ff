"""A mount whose server is dead, as a hung NFS mount is: FUSE with nobody behind it.

`disk` in its worker says so at its timeout and recovers by itself; `host` and `memory` on the agent's own
thread, and the agent, never notice. The mounts live in a mount namespace of this process.
"""
import ctypes
import os
import pathlib
import unittest

import lab

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20000, 0x4000, 1 << 18, 2


def check(result, what):
    if result:
        raise OSError(ctypes.get_errno(), what)


def own_namespace():
    """A mount namespace for this process and its children: nobody else sees what hangs here."""
    try:
        check(libc.unshare(CLONE_NEWNS), "unshare")
        check(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "make / private")
    except OSError as error:
        raise unittest.SkipTest(f"no mount namespace: {error}") from None


class DeadMount:
    """A FUSE file system that answers nothing: statfs() of it waits."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.mkdir(exist_ok=True)
        try:
            self.fuse = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
            options = f"fd={self.fuse},rootmode=40000,user_id=0,group_id=0".encode()
            check(libc.mount(b"dead", bytes(self.path), b"fuse", 0, options), "mount")
        except OSError as error:
            raise unittest.SkipTest(f"no FUSE: {error}") from None

    def end(self):
        """The server is given up: who waits gets an error, and the mount is gone."""
        if self.fuse is not None:
            os.close(self.fuse)
            self.fuse = None
            libc.umount2(bytes(self.path), MNT_DETACH)


class Disk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        own_namespace()

    def test_a_hung_mount_fails_its_check_and_nothing_else(self):
        folder = lab.scratch("disk")
        self.addCleanup(folder.rmdir)
        point = folder / "mnt"
        point.mkdir()
        self.addCleanup(point.rmdir)
        procfs = folder / "proc"  # process 1 is not in our namespace; to `host` it is the agent itself
        procfs.mkdir()
        self.addCleanup(procfs.rmdir)
        for name, target in (("1", "/proc/self"), ("stat", "/proc/stat")):
            (procfs / name).symlink_to(target)
            self.addCleanup((procfs / name).unlink)
        plugins = {
            "host": {"use": "host", "interval": "1s", "procfs": str(procfs)},
            "memory": {"use": "memory", "interval": "1s", "warn_above": 100, "fail_above": 100},
            "root": {"use": "disk", "interval": "1s", "timeout": "900ms", "warn_above": 100, "fail_above": 100},
            "far": {"use": "disk", "interval": "1s", "timeout": "500ms", "paths": [str(point)],
                    "warn_above": 100, "fail_above": 100, "inodes_warn_above": 100, "inodes_fail_above": 100},
        }
        with lab.Agent(plugins=plugins) as agent:
            agent.wait_check("far", "pass")
            mount = DeadMount(point)
            self.addCleanup(mount.end)
            agent.wait_check("far", "fail")

            # Everybody else keeps going: the host is collected anew, and the checks are young.
            before = agent.metrics().value("node_time_seconds")
            lab.wait_for(lambda: agent.metrics().value("node_time_seconds") > before, 10, "another collection")
            self.assertEqual(agent.get("/api/health/live").status, 200)
            for name in ("memory", "root"):
                self.assertEqual(agent.check(name)["status"], "pass")
                self.assertLess(agent.check(name)["age"], 5 * lab.PATIENCE)
            seen = [labels["mountpoint"] for labels, _ in agent.metrics().all("node_filesystem_size_bytes")]
            self.assertIn("/", seen)
            self.assertNotIn(str(point), seen)

            mount.end()
            agent.wait_check("far", "pass", 60)

    def test_a_read_only_mount_is_told(self):
        folder = lab.scratch("disk")
        self.addCleanup(folder.rmdir)
        check(libc.mount(b"kit", bytes(folder), b"tmpfs", 1, b"size=1m"), "mount")  # 1: read-only
        self.addCleanup(libc.umount2, bytes(folder), MNT_DETACH)
        with lab.Agent(plugins={"disk": {"use": "disk", "interval": "1s", "paths": [str(folder)]}}) as agent:
            found = agent.wait_check("disk", "warn")
            self.assertIn("mounted read-only", str(found))


if __name__ == "__main__":
    unittest.main()
