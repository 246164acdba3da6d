"""`ernfed demo`: sample archives and what runs them. The command itself is cli/demo_command.py."""
