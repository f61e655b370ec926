"""Arguments that many fields share, described once."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.scalars import Cursor, Version

First = Annotated[int | None, strawberry.argument(description="How many from the start of the list, 1 to 100.")]
After = Annotated[Cursor | None, strawberry.argument(description="Only what lies behind this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="How many from the end of the list, 1 to 100.")]
Before = Annotated[Cursor | None, strawberry.argument(description="Only what lies before this cursor.")]
MinVersion = Annotated[
    Version | None,
    strawberry.argument(
        description="Wait up to 5 seconds until this replica has reached that version of the thread: with the version "
        "of a mutation's payload one reads one's own writes anywhere. VERSION_NOT_REACHED where it does not come."
    ),
]
