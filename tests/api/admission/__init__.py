"""Tests of api/admission/."""
