"""The ``mdacl`` command and its subcommands."""
