"""The chapters of the page, one module of tests each."""
