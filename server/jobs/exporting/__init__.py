"""The job that exports: what was asked, the walks over the store, and what changed while they went on."""
