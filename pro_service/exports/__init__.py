"""The data set as it leaves: tables and their columns, and one writer for each format. Rows in, files out."""
