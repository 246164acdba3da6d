"""The vocabulary of ernfed: attributes, records, filters, UIDs, names, cursors. No I/O of any kind."""
