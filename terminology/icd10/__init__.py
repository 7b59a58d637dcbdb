"""ICD-10-CM and ICD-10-PCS: their official layouts, and the editions that come with the installation.

https://www.cms.gov/medicare/coding-billing/icd-10-codes
"""
