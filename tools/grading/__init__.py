"""Grade a folder of notebooks, each in a process and a sandbox of its own."""
