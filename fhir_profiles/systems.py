"""Every URI the project speaks: the only module where a URI literal may stand."""

from __future__ import annotations

from typing import Final

# Code systems
ICD10: Final = "http://hl7.org/fhir/sid/icd-10"
ICD10CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10PCS: Final = "http://www.cms.gov/Medicare/Coding/ICD10"
ICD9CM: Final = "http://hl7.org/fhir/sid/icd-9-cm"
CPT: Final = "http://www.ama-assn.org/go/cpt"
HCPCS: Final = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
LOINC: Final = "http://loinc.org"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED: Final = "http://snomed.info/sct"
SNOMED_ID: Final = "http://snomed.info/id"
UCUM: Final = "http://unitsofmeasure.org"
CVX: Final = "http://hl7.org/fhir/sid/cvx"
MVX: Final = "http://hl7.org/fhir/sid/mvx"
NDC: Final = "http://hl7.org/fhir/sid/ndc"
NUCC: Final = "http://nucc.org/provider-taxonomy"
BCP47: Final = "urn:ietf:bcp:47"
BCP13: Final = "urn:ietf:bcp:13"
URI: Final = "urn:ietf:rfc:3986"
CURRENCY: Final = "urn:iso:std:iso:4217"
COUNTRY: Final = "urn:iso:std:iso:3166"
SUBDIVISION: Final = "urn:iso:std:iso:3166:-2"
M49: Final = "http://unstats.un.org/unsd/methods/m49/m49.htm"
TIME_ZONES: Final = "https://www.iana.org/time-zones"
TAGS: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"

PLACE_OF_SERVICE: Final = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
X12_ADJUSTMENT_REASONS: Final = "https://x12.org/codes/claim-adjustment-reason-codes"
X12_REMARKS: Final = "https://x12.org/codes/remittance-advice-remark-codes"
X12_CLAIM_STATUS: Final = "https://x12.org/codes/claim-status-codes"
X12_ADJUSTMENT_GROUPS: Final = "https://x12.org/codes/claim-adjustment-group-codes"
X12_FILING: Final = "https://x12.org/codes/claim-filing-indicator-codes"
X12_STATUS_CATEGORIES: Final = "https://x12.org/codes/claim-status-category-codes"

OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
OBSERVATION_INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
CONDITION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/condition-category"
CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CONDITION_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ALLERGY_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
ALLERGY_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
TIMING: Final = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CLAIM_TYPE: Final = "http://terminology.hl7.org/CodeSystem/claim-type"
CLAIM_INFORMATION: Final = "http://terminology.hl7.org/CodeSystem/claiminformationcategory"
ADJUDICATION: Final = "http://terminology.hl7.org/CodeSystem/adjudication"
CARE_TEAM_ROLE: Final = "http://terminology.hl7.org/CodeSystem/claimcareteamrole"
COVERAGE_CLASS: Final = "http://terminology.hl7.org/CodeSystem/coverage-class"
DIAGNOSIS_ON_ADMISSION: Final = "http://terminology.hl7.org/CodeSystem/ex-diagnosis-on-admission"
PAYMENT_TYPE: Final = "http://terminology.hl7.org/CodeSystem/payment-type"
PAYMENT_EXTENT: Final = "http://terminology.hl7.org/CodeSystem/ex-paymenttype"
PROCEDURE_TYPE: Final = "http://terminology.hl7.org/CodeSystem/ex-procedure-type"
REVENUE: Final = "https://www.nubc.org/CodeSystem/RevenueCodes"
SUBSCRIBER_RELATIONSHIP: Final = "http://terminology.hl7.org/CodeSystem/subscriber-relationship"
PROCESS_PRIORITY: Final = "http://terminology.hl7.org/CodeSystem/processpriority"
DIAGNOSIS_TYPE: Final = "http://terminology.hl7.org/CodeSystem/ex-diagnosistype"
IDENTIFIER_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
PROVENANCE_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
DATA_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
DATA_ABSENT_REASON: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
ISSUE_TYPE: Final = "http://hl7.org/fhir/issue-type"
TX_ISSUE_TYPE: Final = "http://hl7.org/fhir/tools/CodeSystem/tx-issue-type"
CONCEPT_PROPERTIES: Final = "http://hl7.org/fhir/concept-properties#"
TERM_MAINTENANCE: Final = "http://terminology.hl7.org/CodeSystem/hl7TermMaintInfra"
RESTFUL_SECURITY_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"

# Identifier systems
NPI: Final = "http://hl7.org/fhir/sid/us-npi"
EIN: Final = "urn:oid:2.16.840.1.113883.4.4"
SSN: Final = "http://hl7.org/fhir/sid/us-ssn"

OID: Final = "urn:oid:"
UUID: Final = "urn:uuid:"
OIDS: Final = {
    "2.16.840.1.113883.6.1": LOINC,
    "2.16.840.1.113883.6.3": ICD10,
    "2.16.840.1.113883.6.4": ICD10PCS,
    "2.16.840.1.113883.6.8": UCUM,
    "2.16.840.1.113883.6.9": CURRENCY,
    "2.16.840.1.113883.6.12": CPT,
    "2.16.840.1.113883.6.69": NDC,
    "2.16.840.1.113883.6.88": RXNORM,
    "2.16.840.1.113883.6.90": ICD10CM,
    "2.16.840.1.113883.6.96": SNOMED,
    "2.16.840.1.113883.6.101": NUCC,
    "2.16.840.1.113883.6.103": ICD9CM,
    "2.16.840.1.113883.6.285": HCPCS,
    "2.16.840.1.113883.12.227": MVX,
    "2.16.840.1.113883.12.292": CVX,
}
"""OID → the code system that HL7 has registered it for."""

OTHER_NAMES: Final = {"http://hl7.org/fhir/sid/icd-10-pcs": ICD10PCS, "http://www.nucc.org": NUCC}
"""Further URIs in use → the code system that is meant."""

# Definitions of HL7
HL7_FHIR: Final = "http://hl7.org/fhir/"
FHIR: Final = "http://hl7.org/fhir"
XML_SCHEMA_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
XML_NAMESPACE: Final = "http://www.w3.org/XML/1998/namespace"
XHTML: Final = "http://www.w3.org/1999/xhtml"
SPECIFICATION: Final = "https://hl7.org/fhir/R4/"
STRUCTURE_DEFINITION: Final = "http://hl7.org/fhir/StructureDefinition/"
VALUE_SET: Final = "http://hl7.org/fhir/ValueSet/"
LANGUAGES: Final = f"{VALUE_SET}languages"
ALL_LANGUAGES: Final = f"{VALUE_SET}all-languages"
MEDIA_TYPES: Final = f"{VALUE_SET}mimetypes"
CURRENCIES: Final = f"{VALUE_SET}currencies"
UNITS: Final = f"{VALUE_SET}ucum-units"
TIME_ZONE_SET: Final = f"{VALUE_SET}timezones"

# Extensions of HL7
DERIVATION_REFERENCE: Final = "http://hl7.org/fhir/StructureDefinition/derivation-reference"
DATA_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
MATCH_GRADE: Final = "http://hl7.org/fhir/StructureDefinition/match-grade"
MAX_VALUE_SET: Final = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"
STANDARDS_STATUS: Final = "http://hl7.org/fhir/StructureDefinition/structuredefinition-standards-status"
MESSAGE_ID: Final = "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id"
RENDERING_STYLE: Final = "http://hl7.org/fhir/StructureDefinition/rendering-style"
RENDERING_XHTML: Final = "http://hl7.org/fhir/StructureDefinition/rendering-xhtml"
ITEM_WEIGHT: Final = "http://hl7.org/fhir/StructureDefinition/itemWeight"
CODE_SYSTEM_LABEL: Final = "http://hl7.org/fhir/StructureDefinition/codesystem-label"
CODE_SYSTEM_ORDER: Final = "http://hl7.org/fhir/StructureDefinition/codesystem-conceptOrder"
VALUE_SET_LABEL: Final = "http://hl7.org/fhir/StructureDefinition/valueset-label"
VALUE_SET_ORDER: Final = "http://hl7.org/fhir/StructureDefinition/valueset-conceptOrder"
VALUE_SET_DEFINITION: Final = "http://hl7.org/fhir/StructureDefinition/valueset-concept-definition"
VALUE_SET_DEPRECATED: Final = "http://hl7.org/fhir/StructureDefinition/valueset-deprecated"
VALUE_SET_SUPPLEMENT: Final = "http://hl7.org/fhir/StructureDefinition/valueset-supplement"
VALUE_SET_UNCLOSED: Final = "http://hl7.org/fhir/StructureDefinition/valueset-unclosed"
VALUE_SET_UNCLOSED_REASON: Final = "http://hl7.org/fhir/StructureDefinition/valueset-unclosed-reason"
EXPANSION_PARAMETER: Final = "http://hl7.org/fhir/StructureDefinition/valueset-expansion-parameter"
EXPANSION_PROPERTY: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.property"
CONTAINS_PROPERTY: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.contains.property"
COMPOSE_PROPERTY: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.compose.property"
VERSION_ALGORITHM: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-CodeSystem.versionAlgorithm"
FHIRPATH_TYPE: Final = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"

# Nobody's
EXAMPLE: Final = "http://example.org"

# Ours
BASE: Final = "https://fhirwright.dev/fhir"
EVIDENCE_BOX: Final = f"{BASE}/StructureDefinition/evidence-box"
CONFIDENCE: Final = f"{BASE}/StructureDefinition/confidence"
CLAIM_EXTENSIONS: Final = f"{BASE}/StructureDefinition/claim-"
EVIDENCED_CODING: Final = f"{BASE}/StructureDefinition/evidenced-coding"
CODED_CONDITION: Final = f"{BASE}/StructureDefinition/coded-condition"
CODED_OBSERVATION: Final = f"{BASE}/StructureDefinition/coded-observation"
CODED_OBSERVATION_STATUS: Final = f"{BASE}/ValueSet/coded-observation-status"
CODED_MEDICATION: Final = f"{BASE}/StructureDefinition/coded-medication"
DRAFT_CLAIM: Final = f"{BASE}/StructureDefinition/draft-claim"
CLAIM_RULE: Final = f"{BASE}/CodeSystem/claim-rule"
NOT_PRICED: Final = f"{BASE}/CodeSystem/not-priced"
FINDING_PATH: Final = f"{BASE}/StructureDefinition/finding-path"
FINDING_RULE: Final = f"{BASE}/StructureDefinition/finding-rule"
RULES_NOT_RUN: Final = f"{BASE}/StructureDefinition/rules-not-run"
TABLE_RELEASE: Final = f"{BASE}/StructureDefinition/table-release"
PRICE_BASIS: Final = f"{BASE}/StructureDefinition/price-basis"
EDIT_RUN: Final = f"{BASE}/StructureDefinition/edit-run"
CLAIM_NUMBER: Final = f"{BASE}/sid/claim"
PAYER_NUMBER: Final = f"{BASE}/sid/payer"
CLAIM_CONTENT: Final = f"{BASE}/sid/claim-content"
MRN: Final = f"{BASE}/sid/mrn"
TASK_STAGE: Final = f"{BASE}/CodeSystem/task-stage"
BASIC_KIND: Final = f"{BASE}/CodeSystem/basic-kind"
CLOSURE_NAME: Final = f"{BASE}/closure"
CLOSURE_TABLE: Final = f"{BASE}/StructureDefinition/closure-table"
TASK_CODE: Final = f"{BASE}/CodeSystem/task-code"
PROCESSING_TAG: Final = f"{BASE}/CodeSystem/processing"
REVIEW_TAG: Final = f"{BASE}/CodeSystem/review"
DOCUMENT_ID: Final = f"{BASE}/sid/document"
DOCUMENT_JOB: Final = f"{BASE}/sid/document-job"

# Terminology services
TX_ECOSYSTEM: Final = "http://hl7.org/fhir/uv/tx-ecosystem"
TX_TEST_VERSION: Final = "http://hl7.org/fhir/uv/tx-tests/FeatureDefinition/test-version"
CODE_SYSTEM_AS_PARAMETER: Final = f"{TX_ECOSYSTEM}/FeatureDefinition/CodeSystemAsParameter"
FEATURE: Final = "http://hl7.org/fhir/uv/application-feature/StructureDefinition/feature"
TERMINOLOGY_SERVER: Final = "http://hl7.org/fhir/CapabilityStatement/terminology-server"

# Asynchronous work
BULK_EXPORT: Final = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition"
BACKPORT: Final = "http://hl7.org/fhir/uv/subscriptions-backport"
BACKPORT_EXTENSIONS: Final = f"{BACKPORT}/StructureDefinition/"
TOPIC_EXTENSIONS: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic"
TOPICS: Final = f"{BASE}/SubscriptionTopic/"
DOCUMENT_CODED: Final = f"{TOPICS}document-coded"
CLAIM_READY: Final = f"{TOPICS}claim-ready"
