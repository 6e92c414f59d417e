"""What a reader finds on each page of a PDF."""

import subprocess


def pages_of(body: bytes) -> list[str]:
    """Give the text of every page, its lines joined by single spaces."""
    tool = ["pdftotext", "-layout", "-", "-"]
    text = subprocess.run(tool, input=body, stdout=subprocess.PIPE, check=True).stdout.decode()
    return [" ".join(page.split()) for page in text.split("\f")[:-1]]
