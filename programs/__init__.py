"""The on-chain program and its Python client: solders and anchorpy beside the domain, no I/O."""
