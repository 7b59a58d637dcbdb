"""Who may ask: HTTP, storage, search, jobs, the command line; the one place where the parts are joined."""
