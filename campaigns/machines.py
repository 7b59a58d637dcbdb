"""Many machines on one database, killed, paused and cut off at random: nothing lost, nothing doubled, nothing leaked.

`make campaign NAME=machines` (as root: it makes network namespaces) runs three servers and four workers for 30 minutes
and writes docs/results/machines.md.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

from campaigns.manymachines.faults import LIMIT, Fault, Faults, Probe
from campaigns.manymachines.judge import Verdict, judge, unfinished
from campaigns.manymachines.load import Client, Told
from campaigns.manymachines.machines import Fleet
from campaigns.manymachines.network import Network, why_not
from server.auth import keep
from server.auth.model import Authorization, Context, Token
from server.auth.model import Client as App
from server.auth.secrets import digest, new_token
from server.store import Store, Tx, open_store

REPORT = Path("docs/results/machines.md")
DONE_SECONDS = 300.0


def tokens(store: Store, patients: int) -> dict[str, str]:
    """A token of each patient's app, and one of a service."""
    found = {f"p{number}": new_token() for number in range(patients)} | {"service": new_token()}

    def put(tx: Tx) -> None:
        keep.put_client(tx, App(id="app", title="app"))
        for name, token in found.items():
            scopes = ("system/*.cruds",) if name == "service" else ("patient/*.cruds",)
            context = Context() if name == "service" else Context(patient=name)
            granted = Authorization(id=f"of-{name}", client="app", person=None, scopes=scopes, context=context)
            expires = keep.now() + 6 * 3_600_000
            keep.put_authorization(tx, granted)
            keep.put_token(
                tx, Token(hash=digest(token), kind="access", authorization=granted.id, expires=expires, scopes=scopes)
            )

    store.write_sync(put)
    return found


def run(options: argparse.Namespace, folder: Path) -> tuple[Told, list[Fault], Verdict]:
    """One run."""
    apis = [f"api{place}" for place in range(options.apis)]
    workers = [f"work{place}" for place in range(options.workers)]
    told = Told()
    with Network(["db", *apis, *workers]) as network:
        fleet = Fleet(network, folder, options.data, apis, workers)
        try:
            fleet.start_database()
            store = open_store(fleet.url)
            given = tokens(store, options.patients)
            for name in [*apis, *workers]:
                fleet.machines[name].start()
            faults = Faults(fleet, given["service"], options.seed)
            if Probe(fleet, given["service"]).all_answer(apis, time.monotonic()) > 80:
                raise TimeoutError(f"the servers do not answer; see {folder}")
            clients = _clients(fleet, given, told, options)
            _storm(faults, options.minutes, clients)
            _calm(faults, store, told)
            verdict = judge(store, told)
            store.close()
            return told, faults.happened, verdict
        finally:
            fleet.stop([*apis, *workers, "db"])


def _clients(fleet: Fleet, given: dict[str, str], told: Told, options: argparse.Namespace) -> list[Client]:
    bases = list(fleet.bases.values())
    clients = [
        Client(number, bases, given, told, options.seed, pause=options.pause) for number in range(options.patients)
    ]
    for client in clients:
        body = {"resourceType": "Patient", "id": client.me, "name": [{"text": f"secret-of-{client.me}-name"}]}
        client.ask("create", "PUT", f"Patient/{client.me}", body, service=True)
    for client in clients:
        client.start()
    return clients


def _storm(faults: Faults, minutes: float, clients: list[Client]) -> None:
    """Faults until the time is over; then the clients end, each after its act."""
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        time.sleep(2)
        fault = faults.one()
        others = "" if fault.others is None else f" others {fault.others:.1f} s"
        print(f"{fault.kind} {fault.victim} {fault.lasted:.1f} s:{others} back {fault.back:.1f} s", flush=True)
        faults.revive()
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join(120)


def _calm(faults: Faults, store: Store, told: Told) -> None:
    end = time.monotonic() + DONE_SECONDS
    while unfinished(store, told) and time.monotonic() < end:
        faults.revive()
        time.sleep(1)


def page(command: str, told: Told, happened: list[Fault], verdict: Verdict, minutes: float) -> str:
    """The result page."""
    requests, failed = sum(told.requests.values()), sum(told.failed.values())
    taken = [fault.others for fault in happened if fault.others is not None]
    back = [fault.back for fault in happened]
    lines = [
        "# Many machines",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, `{command}`",
        "",
        "Servers, workers and PostgreSQL each have a network namespace of their own with an address on one bridge.",
        "Apps of patients and a service read, search, write, send bundles, documents and claims while machines are",
        "killed, paused, cut off and slowed. A request that fails is sent again until it is answered.",
        "",
        f"{minutes:.0f} minutes, {len(happened)} faults, {requests} requests.",
        "",
        "| promise | found |",
        "|---|---|",
        f"| acknowledged writes lost | {len(verdict.lost)} of {sum(verdict.checked.values())} |",
        f"| doubled | {len(verdict.doubled)} |",
        f"| leaks | {len(told.leaks)} |",
        f"| answers that were wrong | {len(told.wrong)} |",
        f"| documents not finished | {verdict.unfinished} of {verdict.checked['documents']} |",
        f"| audit chain | {verdict.chain or f'whole, {verdict.events} events'} |",
        f"| after a loss, until the others go on and have its work | {_spread(taken)} |",
        f"| after a fault's end, until all answer | {_spread(back)} |",
        f"| faults that took longer than {LIMIT:.0f} s | {sum(_worst(one) > LIMIT for one in happened)} |",
        "",
        "## Error budget",
        "",
        f"Of {requests} requests {failed} failed ({failed / max(requests, 1):.2%}): availability "
        f"{1 - failed / max(requests, 1):.2%} while something was broken nearly all the time. Every failed request was",
        "sent again, and every act ended well.",
        "",
        "| kind | requests | failed | by reason |",
        "|---|---|---|---|",
    ]
    for kind, count in told.requests.most_common():
        reasons = {reason: number for (of, reason), number in told.failed.items() if of == kind}
        said = ", ".join(f"{reason} {number}" for reason, number in sorted(reasons.items()))
        lines.append(f"| {kind} | {count} | {sum(reasons.values())} ({sum(reasons.values()) / count:.1%}) | {said} |")
    lines += ["", "Checked at the end: " + ", ".join(f"{n} {name}" for name, n in verdict.checked.items()) + ".", ""]
    return "\n".join([*lines, *_faults(happened), ""])


def _worst(fault: Fault) -> float:
    return max(fault.back, fault.others or 0.0)


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "never"
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"median {statistics.median(ordered):.1f} s, p95 {high:.1f} s, most {ordered[-1]:.1f} s ({len(ordered)})"


def _faults(happened: list[Fault]) -> list[str]:
    by_kind: dict[str, list[Fault]] = defaultdict(list)
    for fault in happened:
        by_kind[fault.kind].append(fault)
    lines = ["## Faults", "", "| fault | times | until others go on | until all answer |", "|---|---|---|---|"]
    for kind, some in sorted(by_kind.items()):
        others = [one.others for one in some if one.others is not None]
        lines.append(f"| {kind} | {len(some)} | {_spread(others)} | {_spread([one.back for one in some])} |")
    slow = [one for one in happened if _worst(one) > LIMIT]
    lines += ["", *(f"- {one.kind} ({one.victim}): {_worst(one):.1f} s, load {one.load:.1f}" for one in slow)]
    return lines


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--apis", type=int, default=3)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--patients", type=int, default=6, help="clients, each the app of a patient")
    parser.add_argument("--pause", type=float, default=0.25, help="mean seconds between two acts of a client")
    parser.add_argument("--data", type=Path, default=Path("var"), help="data directory with a terminology")
    parser.add_argument("--report", type=Path, default=REPORT)
    options = parser.parse_args()
    if (reason := why_not()) is not None:
        print(f"skipped: {reason}")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    memory = Path("/dev/shm")  # a disk that others use too would be measured otherwise
    folder = Path(tempfile.mkdtemp(prefix="fhirwright-many-", dir=memory if memory.is_dir() else None))
    folder.chmod(0o755)
    told, happened, verdict = run(options, folder)
    command = "python -m campaigns.machines " + " ".join(sys.argv[1:])
    text = page(command.strip(), told, happened, verdict, options.minutes)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(text)
    print(text)
    for name, found in (
        ("lost", verdict.lost),
        ("doubled", verdict.doubled),
        ("leak", told.leaks),
        ("wrong", told.wrong),
    ):
        for one in found[:20]:
            print(f"{name}: {one}")
        if len(found) > 20:
            print(f"{name}: {Counter(one.partition(' ')[0] for one in found)}")
    within = all(_worst(fault) <= LIMIT for fault in happened)
    sound = verdict.sound and not told.leaks and not told.wrong
    if sound:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if sound and within else 1


if __name__ == "__main__":
    sys.exit(main())
