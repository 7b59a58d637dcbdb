"""Claims by the million: a file in, findings, prices and answers out, in chunks that outlive a kill."""
