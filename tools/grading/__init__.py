"""Grade a folder of notebooks, each in a process and a sandbox of its own."""

import sys

# Whatever reads a notebook loads jsonschema, which would build a grammar of internet addresses for
# more than a second, once a submission. No notebook needs it, and jsonschema does without.
sys.modules.setdefault("rfc3987_syntax", None)
