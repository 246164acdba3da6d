"""A build as web/viewer/build.mjs writes it, of a few small files: for what needs no OHIF."""

import gzip
import hashlib
import json
from pathlib import Path

DIGEST = "a1b2c3d4e5f60718"
CONTENT = {
    "index.html": b"<!doctype html><title>made</title>",
    "app.bundle.0123456789abcdef.js": b"window.made = true;" * 50,
    "decode.bundle.fedcba9876543210.js": b"self.onmessage = () => 1;" * 50,
    "assets/images/CT-Bone.png": b"\x89PNG made",
}
_TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "png": "image/png"}


def make_build(folder: Path) -> Path:
    """The compressed files are told apart by what is in them: br is not made here."""
    table = {}
    for name, content in CONTENT.items():
        file = folder / "files" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        encodings = []
        if not name.endswith(".png"):
            Path(f"{file}.br").write_bytes(b"brotli of " + name.encode())
            Path(f"{file}.gz").write_bytes(gzip.compress(content))
            encodings = ["br", "gzip"]
        table[name] = {
            "type": _TYPES[name.rpartition(".")[2]],
            "sha256": hashlib.sha256(content).hexdigest(),
            "encodings": encodings,
            "worker": name.startswith("decode."),
        }
    (folder / "build.json").write_text(json.dumps({"digest": DIGEST, "files": table}))
    return folder
