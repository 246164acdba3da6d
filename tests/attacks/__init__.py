"""Known attacks, the refusal that each gets, and how long it keeps the others waiting."""
