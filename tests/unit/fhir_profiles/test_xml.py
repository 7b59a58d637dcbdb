"""FHIR XML: lossless both ways, strict on the way in, safe against hostile documents."""

import pytest

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.xml import from_json, to_json

PATIENT_XML = """<?xml version="1.0" encoding="UTF-8"?>
<Patient xmlns="http://hl7.org/fhir">
  <id value="p1"/>
  <text>
    <status value="generated"/>
    <div xmlns="http://www.w3.org/1999/xhtml"><p class="a">One &amp; two<br/></p></div>
  </text>
  <contained>
    <Organization>
      <id value="o1"/>
      <name value="A &lt;B> &quot;C&quot;&#10;D"/>
    </Organization>
  </contained>
  <extension url="https://example.org/weight">
    <valueDecimal value="0.0000001"/>
  </extension>
  <active value="true"/>
  <name id="n1">
    <given value="Ann"/>
    <given id="g2">
      <extension url="https://example.org/why">
        <valueCode value="unknown"/>
      </extension>
    </given>
  </name>
  <birthDate value="1980-02-29">
    <extension url="https://example.org/time">
      <valueDateTime value="1980-02-29T03:04:05Z"/>
    </extension>
  </birthDate>
  <multipleBirthInteger value="2"/>
</Patient>
"""


def _patient(inner: str) -> bytes:
    return f'<Patient xmlns="http://hl7.org/fhir">{inner}</Patient>'.encode()


def test_xml_becomes_the_json_it_means():
    """Attributes, lists, primitives with extensions, contained resources, narrative and choice types."""
    found = to_json(PATIENT_XML.encode())
    assert b'"valueDecimal":0.0000001' in found
    resource = json.decode(found)
    assert resource["text"]["div"] == (
        '<div xmlns="http://www.w3.org/1999/xhtml"><p class="a">One &amp; two<br/></p></div>'
    )
    assert resource["contained"] == [{"resourceType": "Organization", "id": "o1", "name": 'A <B> "C"\nD'}]
    assert resource["active"] is True
    assert resource["name"] == [
        {
            "id": "n1",
            "given": ["Ann", None],
            "_given": [None, {"id": "g2", "extension": [{"url": "https://example.org/why", "valueCode": "unknown"}]}],
        }
    ]
    assert resource["_birthDate"]["extension"][0]["valueDateTime"] == "1980-02-29T03:04:05Z"
    assert resource["multipleBirthInteger"] == 2


def test_pretty_xml_is_what_was_read():
    """JSON goes out with the elements in order, indented, and equal to the canonical document."""
    assert from_json(to_json(PATIENT_XML.encode()), pretty=True).decode() + "\n" == PATIENT_XML


def test_elements_come_in_the_order_of_the_definition():
    """The order of the properties in JSON does not matter."""
    body = b'{"birthDate":"1980","_active":{"id":"a"},"name":[{"family":"N"}],"resourceType":"Patient","id":"1"}'
    order = from_json(body).decode()
    places = [order.index(f"<{name}") for name in ("id", "active", "name", "birthDate")]
    assert places == sorted(places)


@pytest.mark.parametrize("number", ["1.50", "1E+2", "-0.0", "0.0000001", "12345678901234567890.10", "7", "1e-7"])
def test_decimals_keep_their_digits(number):
    """A decimal is carried as text, both ways."""
    body = f'{{"resourceType":"Observation","valueQuantity":{{"value":{number}}}}}'.encode()
    document = from_json(body)
    assert f'<value value="{number}"/>'.encode() in document
    assert to_json(document) == body


def test_comments_instructions_and_prefixes_are_only_form():
    """Comments and processing instructions are dropped; a prefix means what its namespace says."""
    body = b"""<?xml version="1.0"?><!-- a --><?x y?>
    <f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml"
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir x.xsd">
      <!-- b --><f:text><f:status value="generated"/>
      <h:div><h:b title='"'>x</h:b><!-- c --><h:p></h:p></h:div></f:text></f:Patient>"""
    assert json.decode(to_json(body)) == {
        "resourceType": "Patient",
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml"><b title="&quot;">x</b><p></p></div>',
        },
    }


def test_html_entities_in_a_json_narrative_become_characters():
    """JSON may name entities that XML does not know."""
    div = '<div xmlns=\\"http://www.w3.org/1999/xhtml\\">a&nbsp;b&eacute;</div>'
    body = f'{{"resourceType":"Patient","text":{{"status":"generated","div":"{div}"}}}}'.encode()
    assert "a\u00a0bé</div>" in from_json(body).decode()


@pytest.mark.parametrize(
    ("document", "line", "expression", "word"),
    [
        (_patient("\n<colour value='x'/>"), 2, "Patient", "colour"),
        (_patient("\n\n<name><given/></name>"), 3, "Patient.name[0].given[0]", "neither"),
        (_patient("<active value='yes'/>"), 1, "Patient.active", "boolean"),
        (_patient("<multipleBirthInteger value='1.5'/>"), 1, "Patient.multipleBirthInteger", "integer"),
        (_patient("<active value='true'/>\n<active value='true'/>"), 2, "Patient.active", "once"),
        (_patient("<name>text</name>"), 1, "Patient.name[0]", "Text"),
        (_patient("<active value='true' other='x'/>"), 1, "Patient.active", "attribute"),
        (_patient("<contained/>"), 1, "Patient.contained[0]", "missing"),
        (_patient("<contained><Spoon/></contained>"), 1, "Patient.contained[0]", "not a resource"),
        (_patient("<contained><Group/><Group/></contained>"), 1, "Patient.contained[0]", "one resource"),
        (_patient("<name xmlns='urn:x'/>"), 1, "Patient", "namespace"),
        (_patient("<div xmlns='http://www.w3.org/1999/xhtml'/>"), 1, "Patient", "narrative"),
        (_patient("<text><div xmlns='http://www.w3.org/1999/xhtml'><x xmlns='y'/></div></text>"), 1, None, "narrative"),
        (b"<Patient/>", 1, None, "namespace"),
        (b'<Spoon xmlns="http://hl7.org/fhir"/>', 1, None, "not a resource"),
        (b'<Patient xmlns="http://hl7.org/fhir" id="1"/>', 1, "Patient", "attributes"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><Patient/>', 1, None, "UTF-8"),
        (_patient("<name>"), 1, None, "well-formed"),
        (_patient("<a>" * 300 + "</a>" * 300), 1, "Patient", "element a"),
        (_patient("&nbsp;"), 1, None, "well-formed"),
        ('<Patient xmlns="http://hl7.org/fhir"><id value="é"/></Patient>'.encode("latin-1"), 1, None, "well-formed"),
        (b"", 1, None, "well-formed"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_element(document, line, expression, word):
    """Everything that FHIR XML does not have is refused, and the text repeats no value."""
    with pytest.raises(FhirError) as caught:
        to_json(document)
    problem = caught.value.problems[0]
    assert caught.value.category is Category.INCORRECT
    assert problem.text.startswith(f"Line {line}: ")
    assert word in problem.text
    if expression:
        assert problem.expression == expression


@pytest.mark.parametrize(
    "hostile",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Patient xmlns="http://hl7.org/fhir">&b;</Patient>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><Patient xmlns="http://hl7.org/fhir"/>',
        b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/">%p;]><Patient xmlns="http://hl7.org/fhir"/>',
    ],
)
def test_a_document_type_is_refused(hostile):
    """No entity is ever expanded and nothing is fetched."""
    with pytest.raises(FhirError, match="document type"):
        to_json(hostile)


def test_depth_has_a_limit():
    """Extensions inside extensions, and elements of a narrative, end at a fixed depth."""
    nested = "<extension url='a'>" * 250 + "</extension>" * 250
    divs = "<b>" * 250 + "</b>" * 250
    for inner in (nested, f"<text><div xmlns='http://www.w3.org/1999/xhtml'>{divs}</div></text>"):
        with pytest.raises(FhirError, match="levels deep"):
            to_json(_patient(inner))


@pytest.mark.parametrize(
    ("body", "expression"),
    [
        (b'{"resourceType":"Patient","colour":"x"}', "Patient"),
        (b'{"resourceType":"Patient","name":[{"given":["\\u0001"]}]}', None),
        (b'{"resourceType":"Patient","text":{"status":"generated","div":"<p>"}}', "Patient.text.div"),
        (b'{"resourceType":"Patient","name":["x"]}', "Patient.name[0]"),
        (b'{"resourceType":"Patient","name":7}', "Patient.name"),
        (b'{"resourceType":"Patient","active":{}}', "Patient.active"),
        (b'{"resourceType":"Spoon"}', None),
        (b'{"resourceType":"Patient","_active":["x"]}', "Patient.active"),
        (b"[]", None),
    ],
)
def test_what_xml_cannot_hold_is_said(body, expression):
    """JSON that was stored without validation is refused in XML rather than changed."""
    with pytest.raises(FhirError) as caught:
        from_json(body)
    assert caught.value.category is Category.UNSUPPORTED
    assert caught.value.problems[0].expression == expression
