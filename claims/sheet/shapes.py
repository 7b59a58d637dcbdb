"""What of Claims and of what they refer to is laid out; the rest is passed over (https://hl7.org/fhir/R4/claim.html)."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import msgspec

Whole = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
"""An integer as FHIR has it."""

Number = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
"""A quantity; what is larger counts nothing that is billed."""


class Shape(msgspec.Struct, rename="camel", gc=False):
    """A part of a resource; unknown elements are ignored."""


class Coding(Shape):
    """A code of a system."""

    system: str | None = None
    code: str | None = None
    extension: list[Extension] | None = None
    user_selected: bool | None = None


class Concept(Shape):
    """Codings of one meaning."""

    coding: list[Coding] = []
    text: str | None = None


class Identifier(Shape):
    """A number somebody gave."""

    system: str | None = None
    value: str | None = None
    type: Concept | None = None


class Reference(Shape):
    """A reference, by address or by what identifies the other."""

    reference: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Period(Shape):
    """From and to."""

    start: str | None = None
    end: str | None = None


class Money(Shape):
    """An amount, exact as it is written."""

    value: msgspec.Raw = msgspec.Raw()
    currency: str | None = None


class Quantity(Shape):
    """A number with its unit."""

    value: Number | None = None
    unit: str | None = None
    code: str | None = None


class Extension(Shape):
    """An addition."""

    url: str = ""
    value_code: str | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: Whole | None = None
    value_decimal: Number | None = None
    value_money: Money | None = None
    value_reference: Reference | None = None


class Address(Shape):
    """Where."""

    line: tuple[str | None, ...] | None = ()
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Diagnosis(Shape):
    """Claim.diagnosis."""

    sequence: Whole = 0
    diagnosis_codeable_concept: Concept | None = None
    diagnosis_reference: Reference | None = None
    type: list[Concept] = []
    on_admission: Concept | None = None


class Procedure(Shape):
    """Claim.procedure."""

    sequence: Whole = 0
    date: str | None = None
    procedure_codeable_concept: Concept | None = None


class Info(Shape):
    """Claim.supportingInfo."""

    sequence: Whole = 0
    category: Concept | None = None
    code: Concept | None = None
    timing_date: str | None = None
    timing_period: Period | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_quantity: Quantity | None = None
    value_reference: Reference | None = None


class CareTeam(Shape):
    """Claim.careTeam."""

    sequence: Whole = 0
    provider: Reference | None = None
    role: Concept | None = None
    qualification: Concept | None = None


class Insurance(Shape):
    """Claim.insurance."""

    sequence: Whole = 0
    focal: bool | None = None
    coverage: Reference | None = None
    pre_auth_ref: list[str] = []
    claim_response: Reference | None = None


class Related(Shape):
    """Claim.related."""

    relationship: Concept | None = None
    reference: Identifier | None = None


class Accident(Shape):
    """Claim.accident."""

    date: str | None = None
    type: Concept | None = None
    location_address: Address | None = None


class Detail(Shape):
    """Claim.item.detail: the drug of a line."""

    product_or_service: Concept | None = None
    quantity: Quantity | None = None


class Item(Shape):
    """Claim.item."""

    sequence: Whole = 0
    care_team_sequence: list[Whole] = []
    diagnosis_sequence: list[Whole] = []
    procedure_sequence: list[Whole] = []
    information_sequence: list[Whole] = []
    revenue: Concept | None = None
    product_or_service: Concept | None = None
    modifier: list[Concept] = []
    body_site: Concept | None = None
    serviced_date: str | None = None
    serviced_period: Period | None = None
    location_codeable_concept: Concept | None = None
    location_address: Address | None = None
    location_reference: Reference | None = None
    quantity: Quantity | None = None
    unit_price: Money | None = None
    factor: Number | None = None
    net: Money | None = None
    detail: list[Detail] = []
    extension: list[Extension] = []


class Payee(Shape):
    """Whom the payer pays."""

    type: Concept | None = None


class Meta(Shape):
    """Resource.meta."""

    profile: tuple[str, ...] = ()


class Heading(Shape):
    """What an answer repeats of a Claim."""

    resource_type: str = ""
    id: str | None = None
    identifier: tuple[Identifier, ...] = ()
    type: Concept | None = None
    use: str | None = None
    patient: Reference | None = None
    insurer: Reference | None = None
    provider: Reference | None = None


class Claim(Heading):
    """A Claim."""

    meta: Meta | None = None
    contained: list[Party] = []
    extension: list[Extension] = []
    status: str | None = None
    sub_type: Concept | None = None
    billable_period: Period | None = None
    created: str | None = None
    priority: Concept | None = None
    referral: Reference | None = None
    facility: Reference | None = None
    related: list[Related] = []
    payee: Payee | None = None
    care_team: list[CareTeam] = []
    supporting_info: list[Info] = []
    diagnosis: list[Diagnosis] = []
    procedure: list[Procedure] = []
    insurance: list[Insurance] = []
    accident: Accident | None = None
    item: list[Item] = []
    total: Money | None = None


class Name(TypedDict, total=False):
    """Of a person."""

    family: str | None
    given: list[str | None] | None
    suffix: list[str | None] | None
    prefix: list[str | None] | None
    text: str | None


class Code(TypedDict, total=False):
    """A coding."""

    system: str | None
    code: str | None


class Kind(TypedDict, total=False):
    """Codings of one meaning."""

    coding: list[Code] | None
    text: str | None


class Payment(Shape):
    """ClaimResponse.payment."""

    date: str | None = None
    amount: dict[str, Any] | None = None


class Party(Shape, eq=False):
    """A Patient, Practitioner, PractitionerRole, Organization, Location, Coverage or ClaimResponse."""

    resource_type: str = ""
    id: str | None = None
    identifier: tuple[Identifier, ...] = ()
    name: str | list[Name] | None = None  # of a person a list of names, of an organisation a text
    address: list[Address] | Address | None = None  # a list, of a Location one
    birth_date: str | None = None
    gender: str | None = None
    deceased_date_time: str | None = None
    status: str | None = None
    type: Kind | list[Any] | str | None = None  # of a Coverage a concept
    subscriber_id: str | None = None
    subscriber: Reference | None = None
    beneficiary: Reference | None = None
    relationship: Concept | None = None
    period: Period | None = None
    payor: tuple[Reference, ...] = ()
    practitioner: Reference | None = None
    organization: Reference | None = None
    specialty: tuple[Concept, ...] = ()
    code: Any = None
    extension: tuple[Extension, ...] = ()
    payment: Any = None
    verification_status: Concept | None = None
    clinical_status: Concept | None = None
    groups: Any = msgspec.field(name="class", default=None)  # of a Coverage: group and plan
    item: Any = None  # of a ClaimResponse
    adjudication: Any = None


class Bundle(Shape):
    """A Claim with what it refers to."""

    resource_type: str = ""
    entry: list[Entry] = []


class Entry(Shape):
    """One resource of a Bundle."""

    full_url: str | None = None
    resource: msgspec.Raw = msgspec.Raw()
