"""The scenarios: each breaks one thing in many ways, and checks what the model promises while it heals."""
