#!/bin/sh
# Make the virtual environment .venv, unless it is there, works, and has the Python that was named.
#     sh tools/make_environment.sh [PYTHON]
set -eu

version() {
    "$1" -c 'import sys; print(*sys.version_info[:2])' 2>/dev/null
}

supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

if .venv/bin/python -m pip --version >/dev/null 2>&1; then
    if [ -z "${1:-}" ] || [ "$(version .venv/bin/python)" = "$(version "$1")" ]; then
        exit 0
    fi
    echo ".venv has another Python than $1."
fi

if [ -n "${1:-}" ]; then
    set -- "$1"
else
    set -- python3 python3.13 python3.12 python3.11 python
fi

for python in "$@"; do
    if supported "$python"; then
        echo "Making the environment .venv with $("$python" --version)."
        "$python" -m venv --clear .venv || {
            echo "That Python cannot make a virtual environment." >&2
            echo "On Debian and Ubuntu its part for that is a package: apt install python3-venv" >&2
            exit 1
        }
        exit 0
    fi
done

echo "The book needs Python 3.11, 3.12 or 3.13. Looked for: $*." >&2
command -v "$1" >/dev/null 2>&1 && echo "$1 is $("$1" --version 2>&1)." >&2
echo "Install one of them, or name yours: make PYTHON=/path/to/python3.12 book" >&2
exit 1
