"""Who may do what: grants, callers, and the one place where they become conditions on what is read and written."""
