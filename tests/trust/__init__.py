"""Tests of the experiment behind unloop trust."""
