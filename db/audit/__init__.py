"""The audit trail: writing it, reading it, and every pseudonym that a record ever had."""
