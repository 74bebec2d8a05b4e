"""What pages, files and the command line show: read models, read only, a fixed number of queries at any size."""
