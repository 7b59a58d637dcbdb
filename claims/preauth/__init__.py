"""Requests for authorisation before a service, in the shape of Da Vinci PAS (https://hl7.org/fhir/us/davinci-pas/)."""
