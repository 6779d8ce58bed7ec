"""Tests of `bench.analysis`."""
