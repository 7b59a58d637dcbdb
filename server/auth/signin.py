"""People sign in with a password and a second factor, stay for a while, and sign out.

https://pages.nist.gov/800-63-4/sp800-63b.html
"""

from __future__ import annotations

import unicodedata

import msgspec

from server.audit import security
from server.store import Store, Tx

from . import keep, totp
from .attempts import Attempts
from .model import Person, Session
from .scopes import is_online
from .secrets import digest, is_password, new_token

SHORTEST, LONGEST = 12, 256
TOUCH_SECONDS = 15
"""Requests that follow each other faster do not each write down that somebody is still there."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for sessions, in seconds."""

    idle: int = 15 * 60
    longest: int = 10 * 3600
    second_factor: bool = True
    """Whether everybody needs one."""


class Entered(msgspec.Struct, frozen=True):
    """Somebody who has signed in: the token for the cookie, which is not kept, and the session."""

    token: str
    session: Session


class Refused(msgspec.Struct, frozen=True):
    """Nobody has signed in; `wait` are the seconds after which it may be tried again, 0 when at once."""

    wait: int = 0


class SignIn:
    """Sessions over one store."""

    def __init__(self, store: Store, limits: Limits, attempts: Attempts) -> None:
        self._store = store
        self._limits = limits
        self.attempts = attempts

    def enter(self, name: str, password: str, code: str, address: str) -> Entered | Refused:
        """Sign in, which the audit knows of however it ends."""
        found = self._enter(name, password, code, address)
        right = isinstance(found, Entered)
        known = keep.person_named(self._store, name[:LONGEST])
        line = security.signed_in(known.id if known else "nobody", address, right=right)
        self._store.write_sync(lambda tx: tx.audit(line))
        return found

    def _enter(self, name: str, password: str, code: str, address: str) -> Entered | Refused:
        """Whoever is not known gets the same answer after the same time as who gives a wrong password."""
        counters = self.attempts.counters("person", name[:LONGEST], address)
        if wait := self.attempts.begin(counters):
            return Refused(wait)
        found = keep.person_named(self._store, name[:LONGEST])
        right = len(password) <= LONGEST and is_password(found.password if found else None, plain(password))
        if found is None or not right or found.disabled:
            return Refused()
        person_id = found.id

        def run(tx: Tx) -> Entered | Refused:
            tx.lock(f"person {person_id}")
            person = keep.person(tx, person_id)
            if person is None or person.disabled:
                return Refused()
            if person.totp is not None:
                after = totp.after_code(person, code[:100])
                if after is None:
                    return Refused()
                keep.put_person(tx, after)
            return self._begin(tx, person_id, whole=person.totp is not None or not self._limits.second_factor)

        entered = self._store.write_sync(run)
        if isinstance(entered, Entered):
            self.attempts.succeeded(counters)
        return entered

    def _begin(self, tx: Tx, person_id: str, *, whole: bool) -> Entered:
        token = new_token()
        now = keep.now()
        session = Session(
            hash=digest(token),
            person=person_id,
            began=now,
            seen=now,
            csrf=new_token(),
            idle=self._limits.idle * 1000,
            longest=self._limits.longest * 1000,
            whole=whole,
        )
        keep.prune(tx)
        keep.put_session(tx, session)
        return Entered(token, session)

    def find(self, token: str | None, *, stays: bool = True) -> tuple[Session, Person] | None:
        """The session of a cookie and whose it is, which has not ended; it lasts longer from now on if it `stays`."""
        if not token or len(token) > LONGEST:
            return None
        session = keep.session(self._store, digest(token))
        person = keep.person(self._store, session.person) if session else None
        if session is None or person is None or person.disabled:
            return None
        if stays and keep.now() - session.seen > TOUCH_SECONDS * 1000:
            self._store.write_sync(lambda tx: keep.touch_session(tx, session.hash))
        return session, person

    def leave(self, session: Session) -> None:
        """Sign out: `online_access` that was given in the session ends with it."""

        def run(tx: Tx) -> None:
            keep.end_session(tx, session.hash)
            for one in keep.authorizations_of(tx, session.person):
                if one.session == session.hash and is_online(one.scopes):
                    keep.revoke(tx, one.id)

        self._store.write_sync(run)

    # The second factor

    def offer(self, session: Session) -> str:
        """The key of the second factor that is being set up in a session."""
        if session.enrolling is not None:
            return session.enrolling
        key = totp.new_key()
        self._store.write_sync(lambda tx: keep.put_session(tx, msgspec.structs.replace(session, enrolling=key)))
        return key

    def enrol(self, session: Session, code: str, address: str) -> tuple[Entered, tuple[str, ...]] | Refused:
        """Take the key that was offered, shown by a code of it: a session in place of this one, and recovery codes."""
        counters = self.attempts.counters("enrol", session.person, address)
        if wait := self.attempts.begin(counters):
            return Refused(wait)
        codes = totp.new_recovery_codes()

        def run(tx: Tx) -> Entered | Refused:
            tx.lock(f"person {session.person}")
            person = keep.person(tx, session.person)
            key = session.enrolling
            step = totp.step_of(key, code[:100]) if key else None
            if person is None or key is None or step is None or (person.totp is not None and not session.whole):
                return Refused()
            kept = tuple(totp.kept_code(one) for one in codes)
            keep.put_person(tx, msgspec.structs.replace(person, totp=key, totp_step=step, recovery=kept))
            keep.end_session(tx, session.hash)
            return self._begin(tx, person.id, whole=True)

        entered = self._store.write_sync(run)
        if isinstance(entered, Refused):
            return entered
        self.attempts.succeeded(counters)
        return entered, codes


def plain(password: str) -> str:
    """A password however a keyboard composes its letters."""
    return unicodedata.normalize("NFKC", password)
