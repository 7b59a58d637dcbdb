"""Parts of the campaign that audits the audit."""
