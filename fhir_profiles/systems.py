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
SMART_OAUTH_URIS: Final = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
DEIDENTIFIED: Final = "https://deidentified.invalid"
"""Below it stand the addresses of what was de-identified: they lead nowhere."""

JWT_BEARER_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
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
US_CORE_CONDITION_CATEGORY: Final = "http://hl7.org/fhir/us/core/CodeSystem/condition-category"
CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CONDITION_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ALLERGY_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
ALLERGY_VERIFICATION: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
TIMING: Final = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
ROLE_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
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
NAMED: Final = "urn:id:"
"""Of what only its sender has a name for: an authority or a code system of HL7 v2 without an OID."""
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

IDENTIFIER_ROOTS: Final = {
    "2.16.840.1.113883.4.1": SSN,
    "2.16.840.1.113883.4.4": EIN,
    "2.16.840.1.113883.4.6": NPI,
}
"""OID of an assigning authority → the system that FHIR uses."""

V3_OIDS: Final = {
    "2.16.840.1.113883.3.26.1.1": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
    "2.16.840.1.113883.4.9": "http://fdasis.nlm.nih.gov",
    "2.16.840.1.113883.5.1": "http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender",
    "2.16.840.1.113883.5.2": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
    "2.16.840.1.113883.5.4": ACT_CODE,
    "2.16.840.1.113883.5.8": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "2.16.840.1.113883.5.25": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "2.16.840.1.113883.5.83": OBSERVATION_INTERPRETATION,
    "2.16.840.1.113883.5.111": ROLE_CODE,
    "2.16.840.1.113883.5.112": "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration",
    "2.16.840.1.113883.6.259": "https://www.cdc.gov/nhsn/cdaportal/terminology/codesystem/hsloc.html",
    "2.16.840.1.113883.12.112": "http://terminology.hl7.org/CodeSystem/v2-0112",
}
"""OID of a vocabulary that C-CDA uses → its URI in FHIR."""

OTHER_NAMES: Final = {"http://hl7.org/fhir/sid/icd-10-pcs": ICD10PCS, "http://www.nucc.org": NUCC}
"""Further URIs in use → the code system that is meant."""

# Definitions of HL7
CDA: Final = "urn:hl7-org:v3"
SDTC: Final = "urn:hl7-org:sdtc"
US_CORE_DOCUMENT_CATEGORY: Final = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
US_CORE_CARE_PLAN_CATEGORY: Final = "http://hl7.org/fhir/us/core/CodeSystem/careplan-category"
V2: Final = "http://terminology.hl7.org/CodeSystem/v2-"
GENDER: Final = "http://hl7.org/fhir/administrative-gender"
US_CORE_RACE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
US_CORE_ETHNICITY: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity"
OMB_RACE: Final = "urn:oid:2.16.840.1.113883.6.238"
OMB_ETHNICITY: Final = OMB_RACE
DIAGNOSTIC_SERVICE: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
HL7_FHIR: Final = "http://hl7.org/fhir/"
FHIR: Final = "http://hl7.org/fhir"
XML_SCHEMA_INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"
XML_NAMESPACE: Final = "http://www.w3.org/XML/1998/namespace"
XHTML: Final = "http://www.w3.org/1999/xhtml"
SVG: Final = "http://www.w3.org/2000/svg"
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

# Guides of payers
HCPCS_OF_CARIN: Final = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
MS_DRG: Final = "https://www.cms.gov/Medicare/Medicare-Fee-for-Service-Payment/AcuteInpatientPPS/MS-DRG-Classifications-and-Software"
PRESENT_ON_ADMISSION: Final = "https://www.cms.gov/Medicare/Medicare-Fee-for-Service-Payment/HospitalAcqCond/Coding"
NUBC: Final = "https://www.nubc.org/CodeSystem/"
PAYEE_TYPE: Final = "http://terminology.hl7.org/CodeSystem/payeetype"
RELATED_CLAIM: Final = "http://terminology.hl7.org/CodeSystem/ex-relatedclaimrelationship"
X12_REVIEW_ACTION: Final = "https://codesystem.x12.org/005010/306"
CARIN: Final = "http://hl7.org/fhir/us/carin-bb/"
CARIN_EXPLANATION: Final = f"{CARIN}StructureDefinition/C4BB-ExplanationOfBenefit-"
CARIN_AMOUNT: Final = f"{CARIN}CodeSystem/C4BBAdjudication"
CARIN_SLICE: Final = f"{CARIN}CodeSystem/C4BBAdjudicationDiscriminator"
CARIN_INFO: Final = f"{CARIN}CodeSystem/C4BBSupportingInfoType"
CARIN_ROLE: Final = f"{CARIN}CodeSystem/C4BBClaimCareTeamRole"
CARIN_DIAGNOSIS: Final = f"{CARIN}CodeSystem/C4BBClaimDiagnosisType"
CARIN_PROCEDURE: Final = f"{CARIN}CodeSystem/C4BBClaimProcedureType"
CARIN_SUBTYPE: Final = f"{CARIN}CodeSystem/C4BBInstitutionalClaimSubType"
CARIN_STATUS: Final = f"{CARIN}CodeSystem/C4BBPayerAdjudicationStatus"
CARIN_IDENTIFIER: Final = f"{CARIN}CodeSystem/C4BBIdentifierType"
PAS: Final = "http://hl7.org/fhir/us/davinci-pas/"
PAS_EXTENSION: Final = f"{PAS}StructureDefinition/extension-"

# Nobody's
EXAMPLE: Final = "http://example.org"

# Ours
BASE: Final = "https://fhirwright.dev/fhir"
MESSAGE_TIME: Final = f"{BASE}/StructureDefinition/message-time"
EVIDENCE_BOX: Final = f"{BASE}/StructureDefinition/evidence-box"
CORRECTED_WORDS: Final = f"{BASE}/StructureDefinition/corrected-words"
CONFIDENCE: Final = f"{BASE}/StructureDefinition/confidence"
CODING_BASIS: Final = f"{BASE}/StructureDefinition/coding-basis"
CODING_REPLACED: Final = f"{BASE}/StructureDefinition/coding-replaced"
CONSIDERED: Final = f"{BASE}/StructureDefinition/considered"
CODING_GAP: Final = f"{BASE}/StructureDefinition/coding-gap"
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
LEARNED_SCORE: Final = f"{BASE}/StructureDefinition/learned-score"
EDIT_RUN: Final = f"{BASE}/StructureDefinition/edit-run"
STAGE_SECONDS: Final = f"{BASE}/StructureDefinition/stage-seconds"
PAGE_READING: Final = f"{BASE}/StructureDefinition/page-reading"
EARLIER_CLAIMS: Final = f"{BASE}/StructureDefinition/earlier-claims"
PRICE_STEPS: Final = f"{BASE}/StructureDefinition/price-steps"
RISK_SCORE: Final = f"{BASE}/StructureDefinition/risk-score"
STAY_GROUP: Final = f"{BASE}/StructureDefinition/stay-group"
PROFILE_NOT_CLAIMED: Final = f"{BASE}/StructureDefinition/profile-not-claimed"
BILLING: Final = f"{BASE}/CodeSystem/billing"
CLAIM_NUMBER: Final = f"{BASE}/sid/claim"
PAYER_NUMBER: Final = f"{BASE}/sid/payer"
CLAIM_CONTENT: Final = f"{BASE}/sid/claim-content"
INTERCHANGE: Final = f"{BASE}/sid/interchange"
TRANSACTION_SET: Final = f"{BASE}/sid/transaction-set"
MRN: Final = f"{BASE}/sid/mrn"
TASK_STAGE: Final = f"{BASE}/CodeSystem/task-stage"
BASIC_KIND: Final = f"{BASE}/CodeSystem/basic-kind"
CLOSURE_NAME: Final = f"{BASE}/closure"
CLOSURE_TABLE: Final = f"{BASE}/StructureDefinition/closure-table"
TASK_CODE: Final = f"{BASE}/CodeSystem/task-code"
WORK_STATE: Final = f"{BASE}/CodeSystem/work-state"
ANSWER_SOURCE: Final = f"{BASE}/StructureDefinition/answer-source"
PROCESSING_TAG: Final = f"{BASE}/CodeSystem/processing"
REVIEW_TAG: Final = f"{BASE}/CodeSystem/review"
CODING_DECISION: Final = f"{BASE}/CodeSystem/coding-decision"
REVIEW_ROLE: Final = f"{BASE}/CodeSystem/review-role"
REJECTION_REASON: Final = f"{BASE}/CodeSystem/rejection-reason"
DOCUMENT_VERSION: Final = f"{BASE}/sid/document-version"
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

# Audit
AUDIT_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
AUDIT_ENTITY: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
AUDIT_SOURCE: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"
OBJECT_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
RESTFUL: Final = "http://hl7.org/fhir/restful-interaction"
DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
PURPOSE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
BALP: Final = "https://profiles.ihe.net/ITI/BALP"

# Emergencies
ALERT_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/communication-category"
BREAK_GLASS: Final = f"{BASE}/CodeSystem/access"

# Consents
CONSENT_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
CONSENT_ACTION: Final = "http://terminology.hl7.org/CodeSystem/consentaction"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"

# The workbench
WORKBENCH_REDIRECT: Final = "https://workbench.invalid/callback"  # never gone to: the launch stays on the server
PENDING_REASON: Final = f"{BASE}/CodeSystem/pending-reason"
