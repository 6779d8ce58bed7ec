"""Tests of data past memory: real files, real Zarr, real clusters."""
