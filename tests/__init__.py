"""Tests of dial-enricher."""
