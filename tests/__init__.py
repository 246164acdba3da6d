"""Tests mirror the folders; Postgres and Orthanc are real, only faults of archives are scripted."""
