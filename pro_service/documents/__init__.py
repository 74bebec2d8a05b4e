"""Documents that are files of their own: self-contained HTML from templates, in the reader's language."""
