"""GraphQL over FHIR: reading resources and searching them (https://hl7.org/fhir/R4/graphql.html)."""
