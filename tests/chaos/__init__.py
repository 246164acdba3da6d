"""Chaos: four real Orthancs, two workers and a server under random changes, stops and kills; then the truth."""
