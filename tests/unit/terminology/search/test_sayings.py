"""What people say, and our own names of codes: every row leads somewhere."""

import hashlib

from fhir_profiles.systems import ICD10CM
from terminology import Terminology
from terminology.search.index import Index
from terminology.search.lay import LONGEST, sayings
from terminology.search.names import own_names
from terminology.search.query import Slot, levels
from terminology.store.layout import LAYOUT


def test_every_meaning_has_words_of_some_code_system(terminology: Terminology) -> None:
    """No saying leads to words that neither ICD-10-CM nor our starter tables have."""
    indexes = [Index(file) for system in terminology.systems if (file := terminology.file(system))]
    for said, meanings in sayings().items():
        assert 0 < len(said) <= LONGEST, said
        found = (levels(index, Slot(meaning, ())).plain for index in indexes for meaning in meanings)
        open_ended = any(word.endswith("*") for meaning in meanings for word in meaning)
        assert open_ended or any(sets.above for sets in found), said


def test_no_saying_means_itself_alone() -> None:
    """A row that changes nothing is no row."""
    assert [said for said, meanings in sayings().items() if meanings == (said,)] == []


def test_a_change_of_our_names_makes_files_anew() -> None:
    """Our names are written into the files: raise LAYOUT and note the new digest here when they change."""
    digest = hashlib.sha256(repr(own_names(ICD10CM)).encode()).hexdigest()
    assert (LAYOUT, digest[:16]) == (7, "4bb1e07cdb69a38e")
