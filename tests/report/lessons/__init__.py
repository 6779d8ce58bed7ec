"""Tests of what the page teaches."""
