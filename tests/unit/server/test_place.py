"""Packages with plain names: one that comes from elsewhere is noticed."""

from importlib.machinery import ModuleSpec

from server import place


def test_our_packages_lie_beside_each_other():
    """In an environment of its own nothing is in the way."""
    assert place.strangers() == {}


def test_a_package_of_another_distribution_is_named(monkeypatch, tmp_path):
    """Another `claims` in front of ours would break everything quietly; its place is told."""
    spec = ModuleSpec("claims", None, origin=str(tmp_path / "claims" / "__init__.py"))
    monkeypatch.setattr(place, "find_spec", lambda name: spec)
    assert place.strangers()["claims"] == str(tmp_path / "claims")
