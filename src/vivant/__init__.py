"""Vivant turns a picture into a short film with sound. Importing this package loads no engine."""

import os

# onnxruntime reports to its maker from version 1.29 on unless this is set before it is loaded. We promise no network.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
