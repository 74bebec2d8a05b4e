"""How the documentation is built: `./dev docs`. Nothing in it is fetched from elsewhere."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from docs import made_from_code

project = "PRO Service"
html_title = "PRO Service"
language = "en"
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
nitpicky = True
html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
# ./dev docs --external asks these; addresses of an example or of this machine lead nowhere.
linkcheck_ignore = [r"https?://(127\.0\.0\.1|localhost|[a-z.]*example)\b.*"]
linkcheck_timeout = 20

setup = made_from_code.setup
