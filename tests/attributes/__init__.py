"""Any attribute: generated data sets and filters against pydicom; declared ones, coverage, examples."""
