"""One scenario of all fourteen instructions, told alike by LiteSVM, by the embedded chain and by a real validator."""
