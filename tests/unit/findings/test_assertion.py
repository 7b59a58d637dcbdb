"""Assertion: who, when and whether."""

from __future__ import annotations

import pytest

from extractors.findings import find
from extractors.findings.stage import assert_spans

FLAGS = ("negated", "possible", "historical", "hypothetical", "family")
# text with the mention in [brackets], flags that must be raised (the others must not)
CASES = [
    ("No [fever].", "negated"),
    ("Denies [chest pain].", "negated"),
    ("He denies cough, [fever], or nausea.", "negated"),
    ("Patient without [edema].", "negated"),
    ("No evidence of [pneumonia].", "negated"),
    ("Negative for [pulmonary embolism].", "negated"),
    ("Chest x-ray -ve for [pneumonia].", "negated"),
    ("Extremities: No [edema].", "negated"),
    ("[Pulmonary embolism] was ruled out.", "negated"),
    ("[Pneumonia] is unlikely.", "negated"),
    ("His [nausea] has resolved.", "negated"),
    ("Lungs: no wheezes, [rales] or rhonchi.", "negated"),
    ("Absence of [fever].", "negated"),
    ("She has never had [chest pain].", "negated"),
    ("Does not have [heart failure].", "negated"),
    ("I do not believe this is [pneumonia].", "negated"),
    ("CT ruled out [pulmonary embolism].", "negated"),
    ("[Edema]: none.", "negated"),
    ("No [fever] but he has cough.", "negated"),
    ("No fever but he has [cough].", ""),
    ("No chest pain; [cough] present.", ""),
    ("Denies fever. [Cough] for two days.", ""),
    ("No change in [cough].", ""),
    ("Patient denies fever, however reports [cough].", ""),
    ("No fever except for [cough] at night.", ""),
    ("Gram negative [pneumonia].", ""),
    ("Not only [cough] troubles her.", ""),
    ("Possible [pneumonia].", "possible"),
    ("Findings concerning for [pulmonary embolism].", "possible"),
    ("Suspected [heart failure].", "possible"),
    ("Rule out [myocardial infarction].", "possible"),
    ("[Pneumonia] cannot be excluded.", "possible"),
    ("Opacity may represent [pneumonia].", "possible"),
    ("Consistent with [pneumonia].", "possible"),
    ("Likely [pneumonia].", "possible"),
    ("[Pulmonary embolism] has not been ruled out.", "possible"),
    ("History of [myocardial infarction].", "historical"),
    ("Past medical history: [diabetes], hypertension.", "historical"),
    ("Past medical history is significant for [hypertension].", "historical"),
    ("h/o [colon cancer].", "historical"),
    ("Status post [myocardial infarction].", "historical"),
    ("He had [pneumonia] in the past.", "historical"),
    ("[Myocardial infarction] in 1998.", "historical"),
    ("History of diabetes who presents with [chest pain].", ""),
    ("Two-day history of [fever].", ""),
    ("Return if you develop [fever].", "hypothetical"),
    ("Call for any [chest pain].", "hypothetical"),
    ("Ibuprofen as needed for [fever].", "hypothetical"),
    ("Seek care if he has worsening cough or [shortness of breath].", "hypothetical"),
    ("At risk for [pulmonary embolism].", "hypothetical"),
    ("Screening for [colon cancer].", "hypothetical"),
    ("Mother had [colon cancer].", "family"),
    ("Family history of [diabetes].", "family"),
    ("Father with [hypertension] and stroke.", "family"),
    ("[Colon cancer] runs in the family.", "family"),
    ("Brother has [diabetes].", "family"),
    ("Lives with mother; has [diabetes].", ""),
    ("No family history of [colon cancer].", "negated family"),
    ("The patient has [diabetes] and hypertension.", ""),
    ("Positive for [fever].", ""),
    ("[Hypertension] today.", ""),
    ("[Hypertension].", "historical"),
    ("[Diarrhea].", ""),
]


def cut(marked: str) -> tuple[str, tuple[int, int]]:
    """The text without its brackets, and the span between them."""
    start, end = marked.index("["), marked.index("]") - 1
    return marked.replace("[", "").replace("]", ""), (start, end)


@pytest.mark.parametrize(("marked", "flags"), CASES)
def test_sentence(marked: str, flags: str, document) -> None:
    """Each sentence raises exactly the flags it says."""
    text, span = cut(marked)
    assertion = assert_spans(document(text), [span])[0]
    assert {f for f in FLAGS if getattr(assertion, f)} == set(flags.split())


@pytest.mark.parametrize(
    ("text", "word", "flags"),
    [
        ("FAMILY HISTORY\nDiabetes and hypertension.\n", "Diabetes", "family"),
        ("PAST MEDICAL HISTORY\n1. Hypertension\n2. COPD\n", "COPD", "historical"),
        ("PMH: hypertension\nHPI: cough for a week\n", "cough", ""),
        ("Denies:\n- fever\n- chest pain\n", "chest pain", "negated"),
        ("Denies:\n- fever\n- chest pain\n\nHe reports cough.\n", "cough", ""),
        ("REVIEW OF SYSTEMS\nRespiratory: Denies cough.\nCardiac: chest pain at rest.\n", "chest pain", ""),
        ("DIFFERENTIAL DIAGNOSIS: pneumonia, heart failure\n", "pneumonia", "possible"),
        ("She denies any fever,\nchills or chest pain at this time.\n", "chest pain", "negated"),
        ("ASSESSMENT\n1. Hypertension\n2. Pneumonia, resolved\n", "Hypertension", ""),
        ("When to call your doctor:\nFever, chest pain.\n", "chest pain", "hypothetical"),
        ("Return precautions:\n- Fever\n- Rash\n\nASSESSMENT\nHypertension\n", "Rash", "hypothetical"),
        ("Return precautions:\n- Fever\n- Rash\n\nASSESSMENT\nHypertension\n", "Hypertension", ""),
        ("Background:\nHypertension, gout.\nInvestigations:\nNone.\n", "gout", "historical"),
        ("Plan by problem:\n[ ] Pneumonia: repeat film\n", "Pneumonia", "hypothetical"),
        ("Asthma: [ ] Yes [x] No\n", "Asthma", "negated"),
        ("Asthma: [x] Yes [ ] No\n", "Asthma", ""),
        ("Fever [ ] Cough [x]\n", "Fever", "negated"),
        ("Fever [ ] Cough [x]\n", "Cough", ""),
    ],
)
def test_structure(text: str, word: str, flags: str, document) -> None:
    """Sections, list leads and wrapped lines reach their items and nothing else."""
    start = text.index(word)
    assertion = assert_spans(document(text), [(start, start + len(word))])[0]
    assert {f for f in FLAGS if getattr(assertion, f)} == set(flags.split())


def test_triggers_name_their_words(document) -> None:
    """The trigger span holds the words that decided."""
    text = "There is no evidence of pneumonia."
    assertion = assert_spans(document(text), [(24, 33)])[0]
    assert [(text[a:b], c) for a, b, c in assertion.triggers] == [("no evidence of", "NEGATED_EXISTENCE")]


def test_given_span_is_a_mention(document, lexicon) -> None:
    """A caller's span is answered although no lexicon term matches it."""
    findings = find(document("No borborygmi."), lexicon, spans=[(3, 13)])
    assert [(f.kind, f.text, f.assertion.negated) for f in findings.items] == [("mention", "borborygmi", True)]


def test_given_span_speaks_for_itself(document) -> None:
    """History inside a given span makes it historical."""
    assert assert_spans(document("Status post CABG."), [(0, 16)])[0].historical


def test_repeated_and_unordered_spans(document) -> None:
    """Spans are answered in the caller's order, doubles included."""
    given = assert_spans(document("No fever. Cough."), [(10, 15), (3, 8), (10, 15)])
    assert [a.negated for a in given] == [False, True, False]


def test_a_given_span_that_is_planned_says_so(document, lexicon) -> None:
    """A procedure that lies ahead is told by the status of its mention, as that of a found procedure is."""
    text = "Scheduled for hepatectomy in June."
    (mention,) = [f for f in find(document(text), lexicon, spans=[(14, 25)]).items if f.kind == "mention"]
    assert (mention.text, mention.attributes["status"]) == ("hepatectomy", "planned")
