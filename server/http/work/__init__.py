"""The workbench (docs/workbench.md): pages for coders, billers, operators, developers; a SMART app of this server."""
