"""The server as a process: its data directory, its sockets, its child, its signals."""
