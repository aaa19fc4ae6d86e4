"""Text that people read and write: paths inside a document, bounded regular expressions, shared phrases. Pure."""
