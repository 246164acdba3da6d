"""Every misbehaviour of archives, by every way that data comes in: what people see of it."""
