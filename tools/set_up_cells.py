"""Bring the set-up cell of every notebook up to date, without running the notebooks."""

import notebooks

if __name__ == "__main__":
    for path in notebooks.write_setup_cells():
        print(path.relative_to(notebooks.ROOT))
