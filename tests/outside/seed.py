#!/usr/bin/env python3
"""The four scenarios of the docker-pvc-volume-mount example, through the official SDK alone.

Works against any OpenSandbox server: what it needs of the volume it makes through the API, so it
asks for no engine and no image registry. Prints what the example prints, and says on standard error
what is not as the example expects. A volume that was not there before is gone in the end.

Exit code: 0 where everything is as expected, 1 where something is not, 2 for wrong arguments.
"""

import argparse
import os
import re
import signal
import sys
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from opensandbox import SandboxSync
from opensandbox.config import ConnectionConfigSync
from opensandbox.exceptions import SandboxException
from opensandbox.models.sandboxes import PVC, Volume

RULE = "=" * 60
MARKER = "hello-from-named-volume"
DATA = ["id,value", "1,100", "2,200"]
DATASET = "datasets/train"

# What ends the script before its time.
ENDING = (signal.SIGINT, signal.SIGTERM)

# One entry of `ls -l`: permissions, links, owner, group, size, time, name.
ENTRY = re.compile(r"(\S{10})\S*\s+(\d+)\s+(\S+)\s+(\S+)\s+(\d+)\s+(\S+\s+\S+\s+\S+)\s(.+)")


class Mismatch(Exception):
    """The server, or a sandbox of it, did not do what the example expects."""


def say(text=""):
    """Prints text as the example does: indented by two, at once."""
    for line in text.splitlines() or [""]:
        print(f"  {line}".rstrip(), flush=True)


def step(label, text):
    """Begins a step of a scenario."""
    print(f"\n  [{label}] {text}", flush=True)


def expect(is_met, what):
    """Ends everything unless `is_met`."""
    if not is_met:
        raise Mismatch(what)


class Box:
    """A sandbox, and its commands in a form that is easy to compare."""

    def __init__(self, sandbox):
        self._sandbox = sandbox

    def run(self, command):
        """Runs a command: its exit code, standard output and standard error."""
        execution = self._sandbox.commands.run(command)
        errors = "\n".join(message.text.rstrip("\n") for message in execution.logs.stderr)
        return execution.exit_code, execution.text, errors

    def output(self, command):
        """Standard output of a command that must succeed."""
        code, output, errors = self.run(command)
        expect(code == 0, f"{command!r} ends with {code}: {errors or output}")
        return output

    def tell(self, command, expected):
        """Prints the output of a command, which must be as expected."""
        output = self.output(command)
        say(output)
        expect(output == expected, f"{command!r} prints {output!r}, not {expected!r}")

    def tell_listing(self, path, expected):
        """Prints a folder in the columns of GNU's ls, and checks that its files are `expected`."""
        output = self.output(f"ls -la {path}")
        entries = [entry.groups() for entry in map(ENTRY.fullmatch, output.splitlines()) if entry]
        for mode, links, owner, group, size, time, name in entries:
            say(f"{mode} {links} {owner} {group} {size:>4} {time} {name}")
        files = [entry for entry in entries if entry[0].startswith("-")]
        names = [entry[-1] for entry in files]
        expect(names == expected, f"the files in {path} are {names}, not {expected}")
        ordinary = ("-rw-r--r--", "1", "root", "root")
        expect(all(entry[:4] == ordinary for entry in files), f"modes or owners in {path}:\n{output}")


class Run:
    """What every sandbox of the run has in common."""

    def __init__(self, arguments):
        self.image = arguments.image
        self.volume = arguments.volume
        self.connection = ConnectionConfigSync(
            domain=arguments.domain,
            api_key=arguments.api_key,
            use_server_proxy=arguments.use_server_proxy,
            disable_metrics=True,
        )

    @contextmanager
    def sandbox(self, mount_path, *, own=False, **options):
        """A sandbox with the volume at `mount_path`; killed in the end, whatever happens.

        The volume goes with the sandbox that is `own`er of it, if that one made it.
        """
        claim = PVC(claimName=self.volume, createIfNotExists=own, deleteOnSandboxTermination=own)
        with ExitStack() as end:
            # A sandbox that is being made has no id yet by which it could be killed.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
            try:
                sandbox = SandboxSync.create(
                    self.image,
                    timeout=timedelta(minutes=10),
                    resource={"cpu": "500m", "memory": "256Mi"},
                    volumes=[Volume(name="demo-volume", pvc=claim, mountPath=mount_path, **options)],
                    connection_config=self.connection,
                )
                end.callback(sandbox.destroy)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            yield Box(sandbox)

    @contextmanager
    def prepared_volume(self):
        """The volume with what the scenarios expect in it, for as long as this is entered."""
        say(f"Ensuring Docker named volume '{self.volume}' exists...")
        with self.sandbox("/seed", own=True) as box:
            box.output(
                f"cd /seed && mkdir -p {DATASET} && echo {MARKER} > marker.txt"
                f" && printf '%s\\n' {' '.join(DATA)} > {DATASET}/data.csv"
            )
            say(f"Created volume '{self.volume}' with marker.txt")
            yield

    @contextmanager
    def scenario(self, number, title, **facts):
        """The frame of a scenario."""
        print(f"\n{RULE}\nScenario {number}: {title}\n{RULE}", flush=True)
        facts = {"Volume name": self.volume, **facts}
        width = max(map(len, facts))
        for name, value in facts.items():
            say(f"{name:<{width}}: {value}")
        yield
        print(f"\n  Scenario {number} completed.", flush=True)

    def read_write(self):
        mount = "/mnt/data"
        frame = self.scenario(1, "Read-Write PVC (Named Volume) Mount", **{"Mount path": mount})
        with frame, self.sandbox(mount) as box:
            step(1, "Reading marker file from named volume:")
            box.tell(f"cat {mount}/marker.txt", MARKER)
            step(2, "Writing a file from inside the sandbox:")
            box.output(f"echo written-by-sandbox > {mount}/sandbox-output.txt")
            say(f"-> Written: {mount}/sandbox-output.txt")
            step(3, "Reading back the written file:")
            box.tell(f"cat {mount}/sandbox-output.txt", "written-by-sandbox")
            step(4, "Listing volume contents:")
            box.tell_listing(f"{mount}/", ["marker.txt", "sandbox-output.txt"])

    def read_only(self):
        mount = "/mnt/readonly"
        frame = self.scenario(2, "Read-Only PVC (Named Volume) Mount", **{"Mount path": mount})
        with frame, self.sandbox(mount, readOnly=True) as box:
            step(1, "Reading marker.txt from read-only mount:")
            box.tell(f"cat {mount}/marker.txt", MARKER)
            step(2, "Attempting to write (should fail):")
            code, _, errors = box.run(f"touch {mount}/should-fail.txt")
            say(errors)
            expect(code not in (0, None), f"the write ends with {code}")
            expect(errors.endswith("Read-only file system"), f"the write fails with {errors!r}")
            box.output(f"test ! -e {mount}/should-fail.txt")
            say("Write denied (expected)")

    def sharing(self):
        shared = "/mnt/shared/cross-sandbox.txt"
        frame = self.scenario(3, "Cross-Sandbox Sharing via PVC (Named Volume)")
        with frame, ExitStack() as boxes:
            step("Sandbox A", "Creating sandbox and writing data...")
            a = boxes.enter_context(self.sandbox("/mnt/shared"))
            a.output(f"echo message-from-sandbox-a > {shared}")
            say(f"[Sandbox A] Wrote {shared}")
            step("Sandbox B", "Creating sandbox and reading data...")
            b = boxes.enter_context(self.sandbox("/mnt/shared"))
            say("[Sandbox B] Reading file written by Sandbox A:")
            b.tell(f"cat {shared}", "message-from-sandbox-a")
            say()
            say("Cross-sandbox data sharing verified!")

    def sub_path(self):
        mount = "/mnt/training-data"
        facts = {"SubPath": DATASET, "Mount path": mount}
        frame = self.scenario(4, "SubPath PVC (Named Volume) Mount", **facts)
        with frame, self.sandbox(mount, subPath=DATASET) as box:
            step(1, "Listing mounted subpath content:")
            box.tell_listing(f"{mount}/", ["data.csv"])
            step(2, "Reading data.csv:")
            box.tell(f"cat {mount}/data.csv", "\n".join(DATA))
            step(3, "Verifying volume root is NOT visible:")
            found = box.output(f"test -f {mount}/marker.txt && echo FOUND || echo NOT-FOUND")
            say(f"marker.txt at mount root: {found}")
            expect(found == "NOT-FOUND", "the volume's root is visible below its subPath")
            say("-> Confirmed: subPath isolation is working correctly")

    def all(self):
        print(f"OpenSandbox server : {self.connection.get_domain()}")
        print(f"Sandbox image      : {self.image}")
        print(f"Docker volume      : {self.volume}", flush=True)
        with self.prepared_volume():
            self.read_write()
            self.read_only()
            self.sharing()
            self.sub_path()
        print(f"\n{RULE}\nAll scenarios completed successfully!\n{RULE}", flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    setting = os.environ.get
    parser.add_argument("--domain", default=setting("SANDBOX_DOMAIN", "localhost:8080"))
    parser.add_argument("--api-key", default=setting("SANDBOX_API_KEY"))
    parser.add_argument("--image", default=setting("SANDBOX_IMAGE", "ubuntu"))
    parser.add_argument("--volume", default=setting("SANDBOX_VOLUME", "opensandbox-pvc-demo"))
    parser.add_argument(
        "--use-server-proxy",
        action="store_true",
        help="reach the sandboxes through the server, not by addresses of their own",
    )
    return parser.parse_args()


def end(number, _frame):
    """Ends the process as a signal would, with the sandboxes killed first; a second one waits."""
    for other in ENDING:
        signal.signal(other, lambda *_: None)
    sys.exit(128 + number)


def main():
    arguments = parse()
    for number in ENDING:
        signal.signal(number, end)
    try:
        Run(arguments).all()
    except (Mismatch, SandboxException) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
