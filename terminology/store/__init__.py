"""Code-system editions as read-only SQLite files, one each (https://sqlite.org/fileformat.html)."""
