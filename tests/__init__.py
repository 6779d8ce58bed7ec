"""Tests of unloop."""
