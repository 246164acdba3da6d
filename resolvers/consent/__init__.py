"""What patients agreed to, and the mutation that says it."""
