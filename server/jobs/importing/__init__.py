"""The job that imports NDJSON: inputs become chunks, chunks become resources, each line on its own."""
