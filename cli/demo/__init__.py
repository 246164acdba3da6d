"""`ernfed demo`: sample archives and what runs them. The command itself is cli/commands/demo.py."""
