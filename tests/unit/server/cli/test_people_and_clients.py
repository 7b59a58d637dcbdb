"""`user`, `client`, `launch` and `token`: what the pages do, from the shell."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from server.auth import keep
from server.auth.model import Authorization, Client, Context, Session, Token
from server.auth.secrets import digest, is_password
from server.cli.exits import Exit
from server.cli.main import run
from server.cli.serve import tell_first_steps
from server.settings import Settings
from server.store import Store, open_store
from server.store.migrate import migrate

PASSWORD = "a staple of horses"
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with an empty database."""
    migrate(f"sqlite:///{tmp_path / 'fhirwright.db'}")
    return tmp_path


@pytest.fixture
def call(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """`call("user list", typed=…)`: exit code, stdout and stderr of a command."""

    def run_it(*words: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = run([*words, "--data", str(data)])
        return code, *capsys.readouterr()

    return run_it


def _within(data: Path, look: Callable[[Store], Any]) -> Any:
    store = open_store(f"sqlite:///{data / 'fhirwright.db'}", create=False)
    try:
        return look(store)
    finally:
        store.close()


@pytest.mark.check("OPS-02")
def test_somebody_is_made_and_changed(call: Call, data: Path) -> None:
    """OPS-02: the password comes from standard input and is kept as a hash; nothing shows it."""
    code, out, err = call(
        "user", "add", "ada", "--role", "admin", "--fhir-user", "Practitioner/1", typed=f"{PASSWORD}\n"
    )
    assert (code, out) == (Exit.OK, "") and PASSWORD not in err
    person = _within(data, lambda store: keep.person_named(store, "ADA"))
    assert person.password.startswith("$argon2id$") and is_password(person.password, PASSWORD)
    assert call("user", "password", "ada", typed="another staple of it\n")[0] == Exit.OK
    assert is_password(_within(data, lambda store: keep.person_named(store, "ada")).password, "another staple of it")
    listed = json.loads(call("user", "list", "--json")[1])
    assert [(one["name"], one["roles"], one["secondFactor"]) for one in listed] == [("ada", ["admin"], False)]
    made = json.loads(call("user", "totp", "ada", "--json")[1])
    assert made["uri"].startswith("otpauth://totp/") and len(made["recovery"]) == 10
    assert json.loads(call("user", "list", "--json")[1])[0]["secondFactor"]
    assert "ada" in call("user", "list")[1]
    assert call("user", "totp", "ada", "--remove")[0] == Exit.OK
    assert not json.loads(call("user", "list", "--json")[1])[0]["secondFactor"]


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (("ada", "--role", "nonsense"), PASSWORD), (("ada", "--role", "admin"), "short"),
        (("ada", "--role", "admin"), "aaaaaaaaaaaaaaaa"), (("adalove", "--role", "admin"), "my adalove 1815"),
        (("ada", "--role", "admin", "--fhir-user", "Observation/1"), PASSWORD), ((" ada", "--role", "admin"), PASSWORD),
        (("ada", "--role", "patient", "--patients", "../x"), PASSWORD),
    ],
)  # fmt: skip
def test_who_cannot_be_made_is_told_why(call: Call, words: tuple[str, ...], typed: str) -> None:
    """Exit code 5, with a line for a person that does not repeat the password."""
    code, _, err = call("user", "add", *words, typed=typed)
    assert code == Exit.REFUSED and "error:" in err and typed not in err


def test_a_name_is_taken_once(call: Call) -> None:
    """Whatever its case; and nothing happens to whom it belongs."""
    assert call("user", "add", "ada", "--role", "coder", typed=PASSWORD)[0] == Exit.OK
    assert call("user", "add", "Ada", "--role", "admin", typed=PASSWORD)[0] == Exit.REFUSED
    assert call("user", "disable", "nobody")[0] == Exit.REFUSED


def test_disabling_ends_everything(call: Call, data: Path) -> None:
    """Sessions and tokens of that person are worth nothing at once."""
    call("user", "add", "ada", "--role", "coder", typed=PASSWORD)

    def give(store: Store) -> str:
        person = keep.person_named(store, "ada")
        assert person is not None
        one = Authorization(id="a", client="c", person=person.id, scopes=("user/*.rs",))
        token = Token(hash=digest("t" * 43), kind="access", authorization="a", expires=keep.now() + 60_000)
        session = Session(hash="s", person=person.id, began=keep.now(), seen=keep.now(), csrf="-")

        def write(tx: Any) -> None:
            keep.put_client(tx, Client(id="c", title="C"))
            keep.put_authorization(tx, one)
            keep.put_token(tx, token)
            keep.put_session(tx, session)

        store.write_sync(write)
        return "t" * 43

    text = _within(data, give)
    told = json.loads(call("token", "introspect", "--json", typed=text)[1])
    assert (told["active"], told["username"], told["client_id"]) == (True, "ada", "c")
    assert call("user", "disable", "ada")[0] == Exit.OK
    code, out, _ = call("token", "introspect", "--json", typed=text)
    assert (code, json.loads(out)) == (Exit.FAILED, {"active": False})
    assert _within(data, lambda store: keep.session(store, "s")) is None


def test_a_token_is_ended(call: Call, data: Path) -> None:
    """One that came by standard input; one that is not known is told with exit code 1."""

    def give(store: Store) -> None:
        def write(tx: Any) -> None:
            keep.put_authorization(tx, Authorization(id="a", client="c", person=None, scopes=("system/*.rs",)))
            for text, kind in (("x" * 43, "access"), ("y" * 43, "access"), ("z" * 43, "refresh")):
                keep.put_token(tx, Token(hash=digest(text), kind=kind, authorization="a", expires=keep.now() + 60_000))

        store.write_sync(write)

    _within(data, give)
    assert call("token", "revoke", typed="x" * 43)[0] == Exit.OK
    assert call("token", "introspect", typed="x" * 43)[0] == Exit.FAILED
    code, out, _ = call("token", "introspect", typed="y" * 43)
    assert code == Exit.OK and "Bearer of c" in out
    assert call("token", "revoke", typed="z" * 43)[0] == Exit.OK
    assert call("token", "introspect", typed="y" * 43)[0] == Exit.FAILED
    assert call("token", "revoke", typed="unknown")[0] == Exit.FAILED


def test_clients_come_and_go(call: Call, data: Path) -> None:
    """A secret is printed once and kept as a hash; a service has its keys; both can be removed."""
    web = ("client", "add", "web", "--redirect", "https://app.example/cb", "--scopes", "openid patient/*.rs")
    code, secret, _ = call(*web, "--method", "client_secret_basic", "--launch-url", "https://app.example/launch")
    assert code == Exit.OK and len(secret.strip()) >= 43
    found = _within(data, lambda store: keep.client(store, "web"))
    assert is_password(found.secret, secret.strip()) and found.scopes == ("openid", "patient/*.rs")
    assert call(*web)[0] == Exit.REFUSED
    keys = data / "keys.json"
    keys.write_text(json.dumps({"keys": [{"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "kid": "1"}]}))
    service = ("client", "add", "nightly", "--method", "private_key_jwt", "--scopes", "system/*.rs", "--json")
    made = json.loads(call(*service, "--jwks", str(keys))[1])
    assert made["grants"] == ["client_credentials"] and "secret" not in made
    plain = ("client", "add", "plain", "--method", "client_secret_basic", "--scopes", "system/*.rs", "--json")
    assert call(*plain)[0] == Exit.REFUSED and json.loads(call(*plain, "--post-secret")[1])["secret"]
    assert call("client", "remove", "plain")[0] == Exit.OK
    listed = json.loads(call("client", "list", "--json")[1])
    assert [one["id"] for one in listed] == ["nightly", "web"] and "web" in call("client", "list")[1]
    assert call("client", "remove", "web")[0] == Exit.OK and call("client", "remove", "web")[0] == Exit.REFUSED
    assert call("client", "approve", "nightly")[0] == Exit.OK


@pytest.mark.parametrize(
    "words",
    [
        ("--redirect", "http://app.example/cb", "--scopes", "patient/*.rs"), ("--scopes", "system/*.rs"),
        ("--redirect", "https://app.example/cb", "--scopes", "patient/*.nonsense"),
        ("--redirect", "https://app.example/cb", "--scopes", "user/*.rs", "--origin", "https://app.example/"),
        ("--redirect", "javascript:alert(1)", "--scopes", "user/*.rs"),
        ("--redirect", "https://app.example/cb", "--scopes", "user/*.rs", "--method", "private_key_jwt"),
    ],
)  # fmt: skip
def test_clients_that_cannot_be_are_refused(call: Call, words: tuple[str, ...]) -> None:
    """What would let tokens go where they must not is refused, with what to do."""
    assert call("client", "add", "app", *words)[0] == Exit.REFUSED


def test_a_launch_is_prepared(call: Call, data: Path) -> None:
    """The URL leads to the app with iss and launch, which stands for the context once."""
    call(
        "client", "add", "web", "--redirect", "https://app.example/cb", "--scopes", "launch patient/*.rs",
        "--launch-url", "https://app.example/launch?x=1",
    )  # fmt: skip
    words = ("launch", "create", "--client", "web", "--patient", "17", "--encounter", "4", "--no-banner")
    code, out, _ = call(*words, "--context", "ImagingStudy/3", "--base-url", "https://fhir.example/fhir")
    assert code == Exit.OK
    asked = parse_qs(urlsplit(out.strip()).query)
    assert asked["iss"] == ["https://fhir.example/fhir"] and asked["x"] == ["1"]
    found = _within(
        data, lambda store: store.write_sync(lambda tx: keep.take_launch(tx, digest(asked["launch"][0]), "web"))
    )
    context = Context(
        patient="17", encounter="4", fhir_context=({"reference": "ImagingStudy/3"},), need_patient_banner=False
    )
    assert found.context == context
    assert call("launch", "create", "--client", "nobody", "--patient", "1")[0] == Exit.REFUSED
    assert call("launch", "create", "--client", "web", "--patient", "b@d")[0] == Exit.USAGE
    assert call(*words, "--context", "Patient/1")[0] == Exit.USAGE


def test_the_first_start_tells_how_to_make_an_administrator(call: Call, data: Path, capsys: Any) -> None:
    """Until there is one, and then no more."""
    settings = Settings(data=data)
    tell_first_steps(settings)
    assert "fhirwright user add NAME --role admin" in capsys.readouterr().err
    call("user", "add", "ada", "--role", "admin", typed=PASSWORD)
    tell_first_steps(settings)
    assert capsys.readouterr().err == ""
