"""Parts of the `hostile` campaign: the files, and how they are measured."""
