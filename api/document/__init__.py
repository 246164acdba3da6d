"""What one document may ask for: limits, cost, what is known beforehand, and the words for what is wrong with it."""
