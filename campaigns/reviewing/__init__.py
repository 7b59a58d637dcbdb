"""The review page under a watch: long documents, a closed server, a browser that counts."""
