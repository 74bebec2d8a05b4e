"""Whether R and PSPP read an exported data set as it is: every format and every script, cell by cell."""
