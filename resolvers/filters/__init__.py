"""Arguments of lists: filter inputs and the conditions that they mean, orders, pages."""
