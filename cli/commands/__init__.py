"""One module a command, of its name: its arguments, what it does, what it prints; and what two of them share."""
