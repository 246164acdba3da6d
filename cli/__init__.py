"""The ernfed command."""
