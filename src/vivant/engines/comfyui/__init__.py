"""Any ComfyUI as an engine: the operator's own workflow, exported in the API format, is filled and run there."""
