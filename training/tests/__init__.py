"""Tests that need BERTopic and what models are trained with: `make test-train`."""
